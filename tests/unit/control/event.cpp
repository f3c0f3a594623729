#include <bento/control/event.hpp>

#include "test.hpp"

using namespace bento;
namespace c = bento::control;

namespace {

c::event event_of(std::string_view bytes) {
    c::framer f;
    f.feed(bytes).value();
    return c::parse_event(f.next().value()).value();
}

const std::string address = "aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bead2";
const std::string fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567";
const std::string descriptor = "P6TjgGZGmTKbBBpBgsVkMXMbsBhmCuLMCpLPgUFOcGU";

}  // namespace

TEST_CASE("HS_DESC, as tor 0.4.9 sends each action") {
    const auto upload = std::get<c::hs_desc>(event_of("650 HS_DESC UPLOAD " + address + " UNKNOWN $" + fingerprint +
                                                      "~relay1 " + descriptor + " HSDIR_INDEX=00FF\r\n"));
    CHECK(upload.action == c::hs_desc_action::upload);
    CHECK(upload.address == address);
    CHECK(upload.auth_type == "UNKNOWN");
    CHECK(upload.hs_dir.fingerprint == fingerprint);
    CHECK(upload.hs_dir.nickname == "relay1");
    CHECK(upload.descriptor_id == descriptor);
    CHECK(upload.hs_dir_index == "00FF");

    const auto uploaded =
        std::get<c::hs_desc>(event_of("650 HS_DESC UPLOADED " + address + " UNKNOWN $" + fingerprint + "\r\n"));
    CHECK(uploaded.action == c::hs_desc_action::uploaded);
    CHECK(uploaded.descriptor_id.empty());
    CHECK(uploaded.hs_dir.nickname.empty());

    const auto failed = std::get<c::hs_desc>(event_of("650 HS_DESC FAILED " + address + " NO_AUTH $" + fingerprint +
                                                      "~r " + descriptor + " REASON=UPLOAD_REJECTED NEW=1\r\n"));
    CHECK(failed.action == c::hs_desc_action::failed);
    CHECK(failed.reason == "UPLOAD_REJECTED");
    REQUIRE(failed.rest.size() == 1);
    CHECK(failed.rest[0].keyword == "NEW");

    const auto created =
        std::get<c::hs_desc>(event_of("650 HS_DESC CREATED " + address + " UNKNOWN UNKNOWN " + descriptor + "\r\n"));
    CHECK(created.action == c::hs_desc_action::created);
    CHECK(created.hs_dir.fingerprint.empty());
    CHECK(created.descriptor_id == descriptor);

    CHECK(std::get<c::hs_desc>(event_of("650 HS_DESC PONDERED a b c d\r\n")).action == c::hs_desc_action::unknown);
}

TEST_CASE("HS_DESC_CONTENT carries the descriptor") {
    const auto e = std::get<c::hs_desc_content>(event_of("650+HS_DESC_CONTENT " + address + " " + descriptor + " $" +
                                                         fingerprint + "~r\r\nhs-descriptor 3\r\n.\r\n650 OK\r\n"));
    CHECK(e.descriptor == "hs-descriptor 3\n");
    CHECK(e.hs_dir.nickname == "r");
}

TEST_CASE("bootstrap by event and by GETINFO") {
    const auto e = std::get<c::status_event>(
        event_of("650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=80 TAG=conn_or SUMMARY=\"Connecting \\\"now\\\"\"\r\n"));
    const auto phase = c::bootstrap_phase_of(e);
    REQUIRE(phase);
    CHECK(phase->progress == 80);
    CHECK(phase->tag == "conn_or");
    CHECK(phase->summary == "Connecting \"now\"");
    CHECK(c::parse_bootstrap_phase("NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"")->progress == 100);
    CHECK_FALSE(
        c::bootstrap_phase_of(std::get<c::status_event>(event_of("650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n"))));
}

TEST_CASE("other events") {
    const auto bw = std::get<c::bandwidth>(event_of("650 BW 4096 18446744073709551615\r\n"));
    CHECK(bw.read == 4096);
    CHECK(bw.written == 18446744073709551615U);
    const auto conf = std::get<c::configuration_changed>(
        event_of("650-CONF_CHANGED\r\n650-ContactInfo=a b\r\n650-Nickname\r\n650 OK\r\n"));
    REQUIRE(conf.options.size() == 2);
    CHECK(conf.options[0].second == "a b");
    CHECK_FALSE(conf.options[1].second);
    CHECK(std::get<c::log_message>(event_of("650+NOTICE\r\ntwo\r\nlines\r\n.\r\n650 OK\r\n")).text == "two\nlines\n");
    const auto e = event_of("650 CIRC 7 BUILT A=b\r\n");
    CHECK(c::event_name(e) == "CIRC");
    CHECK(std::get<c::other_event>(e).arguments.size() == 3);
}

TEST_CASE("a reply is no event") {
    c::framer f;
    REQUIRE(f.feed("250 OK\r\n"));
    CHECK_FALSE(c::parse_event(*f.next()));
}
