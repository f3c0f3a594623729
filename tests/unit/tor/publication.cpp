#include <bento/tor/publication.hpp>

#include "test.hpp"

using namespace bento;
using tor::publication;

namespace {

control::hs_desc event(control::hs_desc_action action, std::string hs_dir, std::string descriptor = {},
                       std::string reason = {}) {
    control::hs_desc e;
    e.action = action;
    e.hs_dir.fingerprint = std::move(hs_dir);
    e.descriptor_id = std::move(descriptor);
    e.reason = std::move(reason);
    return e;
}

struct service {
    publication p;
    void upload(std::string hs_dir, std::string descriptor) {
        p.feed(event(control::hs_desc_action::upload, std::move(hs_dir), std::move(descriptor)), {});
    }
    void uploaded(std::string hs_dir) { p.feed(event(control::hs_desc_action::uploaded, std::move(hs_dir)), {}); }
    void failed(std::string hs_dir, std::string descriptor) {
        p.feed(event(control::hs_desc_action::failed, std::move(hs_dir), std::move(descriptor), "UPLOAD_REJECTED"), {});
    }
};

using count = publication::count;
using wait = publication::wait;

}  // namespace

TEST_CASE("an HSDir that keeps both descriptors confirms twice") {
    service s;
    s.upload("A", "now");
    s.upload("A", "next");
    CHECK(s.p.uploads() == count{0, 2, 0});
    s.uploaded("A");
    CHECK(s.p.uploads() == count{1, 2, 0});
    CHECK_FALSE(s.p.reached(wait::all));
    s.uploaded("A");
    CHECK(s.p.uploads() == count{2, 2, 0});
    CHECK(s.p.reached(wait::all));
}

TEST_CASE("first, quorum and all") {
    service s;
    for (const auto* h : {"A", "B", "C"})
        s.upload(h, "1");
    for (const auto* h : {"D", "E", "F"})
        s.upload(h, "2");
    CHECK_FALSE(s.p.reached(wait::first));
    for (const auto* h : {"A", "B", "C"})
        s.uploaded(h);
    CHECK(s.p.reached(wait::first));
    s.uploaded("D");
    CHECK(s.p.uploads() == count{4, 6, 0});
    CHECK_FALSE(s.p.reached(wait::quorum));  // of the second, less than half
    s.uploaded("E");
    CHECK(s.p.reached(wait::quorum));
    CHECK_FALSE(s.p.reached(wait::all));
    s.uploaded("F");
    CHECK(s.p.reached(wait::all));
}

TEST_CASE("one descriptor alone is never all, however complete: callers may need the other") {
    service s;
    s.upload("A", "now");
    s.uploaded("A");
    CHECK(s.p.reached(wait::first));
    CHECK_FALSE(s.p.reached(wait::all));
}

TEST_CASE("a refused upload is told with tor's reason, and forgotten once it succeeds") {
    service s;
    s.upload("A", "now");
    s.failed("A", "now");
    CHECK(s.p.uploads() == count{0, 1, 1});
    CHECK(s.p.last_failure() == "UPLOAD_REJECTED");
    CHECK(s.p.refused());
    s.upload("A", "now");
    s.uploaded("A");
    CHECK(s.p.uploads() == count{1, 1, 0});
    CHECK_FALSE(s.p.refused());
}

TEST_CASE("uploading the same again, which tor does for ever, takes back nothing that was confirmed") {
    service s;
    s.upload("A", "now");
    s.uploaded("A");
    s.upload("A", "now");
    CHECK(s.p.uploads() == count{1, 1, 0});
    s.failed("A", "now");
    CHECK(s.p.uploads() == count{1, 1, 1});
}

TEST_CASE("the failed fetch of a descriptor that is not ours is nobody's failure") {
    service s;
    s.failed("A", "foreign");
    CHECK(s.p.uploads() == count{0, 0, 0});
    CHECK(s.p.last_failure().empty());
}

TEST_CASE("the descriptor of a new time period takes the place of the oldest, so that counts do not grow for ever") {
    publication p;
    const publication::time_point start{};
    using action = control::hs_desc_action;
    for (int day = 0; day < 30; ++day) {
        const auto now = start + std::chrono::hours{24 * day};
        for (const auto& d : {std::to_string(day), std::to_string(day + 1)})
            for (const auto* h : {"A", "B"}) {
                p.feed(event(action::upload, h, d), now);
                p.feed(event(action::uploaded, h), now);
            }
        CHECK(p.uploads() == count{4, 4, 0});
        CHECK(p.reached(wait::all));
    }
}

TEST_CASE("an HSDir that has left the ring is not expected any more, and one that joined is") {
    publication p;
    const publication::time_point start{};
    using action = control::hs_desc_action;
    for (const auto* h : {"A", "B"})
        p.feed(event(action::upload, h, "d"), start);
    p.feed(event(action::uploaded, "A"), start);
    p.feed(event(action::uploaded, "B"), start);
    const auto later = start + std::chrono::minutes{90};
    p.feed(event(action::upload, "B", "d"), later);
    p.feed(event(action::upload, "C", "d"), later);
    CHECK(p.uploads() == count{1, 2, 0});  // B keeps what it had
    p.feed(event(action::failed, "B", "d", "UPLOAD_REJECTED"), later);
    CHECK(p.uploads() == count{1, 2, 1});
    const auto each = p.each();
    REQUIRE(each.size() == 2);
    CHECK(each[0].hs_dir == "B");
    CHECK(each[0].confirmed_at == start);
    CHECK(each[0].failure == "UPLOAD_REJECTED");
    CHECK(each[1].pending);
    // A fetch of the same descriptor that fails is no failed upload.
    p.feed(event(action::failed, "B", "d", "NOT_FOUND"), later);
    CHECK(p.each()[0].failure == "UPLOAD_REJECTED");
}
