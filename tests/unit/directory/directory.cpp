#include <bento/base/file.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "fixture.hpp"

using namespace bento;
using namespace bento::test;
using namespace boost::asio::experimental::awaitable_operators;

TEST_CASE("T19, T20: what is registered is looked up, with name, code and onion, and without its password") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        const auto none = co_await look_up(d);
        CHECK(none.status == 404);
        CHECK(none.type() == "unknown-token");
        const auto made = co_await post(d, "/register", request_for(signed_entry(1)));
        CHECK(made.status == 201);
        CHECK(made.entry() == entry::to_json(signed_entry(1), false));
        const auto found = co_await look_up(d);
        CHECK(found.status == 200);
        CHECK(found.object() == entry::to_json(signed_entry(1)));
        const std::vector<std::string> hidden{"password", "account", "claim"};
        for (const auto& word : hidden)
            CHECK(found.body.find(word) == std::string::npos);
    });
}

TEST_CASE("T22: a token is a uuid4, and the member that is wrong is named") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        const std::vector<std::string> tokens{"7e620807-59fd-198d-94f9-1722672411ab",
                                              "7e620807-59fd-298d-94f9-1722672411ab",
                                              "7e620807-59fd-398d-94f9-1722672411ab",
                                              "7e620807-59fd-598d-94f9-1722672411ab",
                                              "00000000-0000-0000-0000-000000000000",
                                              "{e620807-59fd-498d-94f9-1722672411a}",
                                              "7e620807-59fd-498d-c4f9-1722672411ab",
                                              "7e620807-59fd-498d-94f9-1722672411a",
                                              "7e620807-59fd-498d-94f9-1722672411abc",
                                              "7E620807-59fd-498d-94f9-1722672411ab",
                                              ""};
        for (const auto& wrong : tokens) {
            auto body = request_for(signed_entry(1));
            body["entries"].as_array()[0].as_object()["token"] = wrong;
            const auto refused = co_await post(d, "/register", body);
            CHECK(refused.status == 422);
            CHECK(refused.detail().starts_with("\"entries[0].token\": "));
        }
        const auto refused = co_await get(d, "/lookup/x");
        CHECK(refused.status == 422);
    });
}

TEST_CASE("T22: ten thousand random UUIDs are accepted") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory d{executor};
        for (int server = 0; server < 10; ++server) {
            json::array entries;
            for (int i = 0; i < 1000; ++i) {
                auto one = entry::to_json(unsigned_entry());
                one["token"] = uuid4::generate().text();
                entries.push_back(std::move(one));
            }
            json::object body{
                {"entries", std::move(entries)}, {"account", std::to_string(server)}, {"password", "password"}};
            const auto made = co_await post(d, "/register", std::move(body));
            CHECK(made.status == 201);
        }
        const auto known = (co_await d.served.store().size()).value();
        CHECK(known == 10'000);
    });
}

TEST_CASE("T27: who has no password may look up, and nothing else") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        co_await post(d, "/register", bare(unsigned_entry(), "right"));
        const auto entry_of_token = "/lookup/" + token.str();
        for (const auto m : {http::method::post, http::method::put, http::method::delete_, http::method::patch}) {
            const auto refused = co_await ask(d.road, m, entry_of_token, "");
            CHECK(refused.status == 405);
        }
        const std::vector<std::string> changes{"/register", "/reregister", "/unregister"};
        for (const auto& path : changes) {
            const auto read = co_await get(d, path);
            CHECK(read.status == 405);
            auto without = move_to(2, "");
            without.erase("password");
            const auto refused = co_await post(d, path, without);
            CHECK(refused.status == 422);
        }
        const auto found = co_await look_up(d);
        CHECK(found.object() == entry::to_json(unsigned_entry()));
    });
}

TEST_CASE("T7: bodies that are wrong are refused, each with its status") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        const auto status = [&](json::object body) -> asio::awaitable<std::string> {
            const auto r = co_await post(d, "/register", std::move(body));
            co_return std::to_string(r.status) + " " + r.detail();
        };
        const auto changed = [](const char* member, const json::value& to) {
            auto body = request_for(signed_entry(1));
            body[member] = to;
            return body;
        };
        const auto nothing = co_await ask(d.road, http::method::post, "/register", "[]");
        CHECK(nothing.status == 400);
        const auto no_password = co_await status(changed("password", 1));
        CHECK(no_password == "422 \"password\": expected a string");
        const auto long_password = co_await status(changed("password", std::string(73, 'a').c_str()));
        CHECK(long_password.starts_with("422 \"password\": it has more than 72"));
        const auto nul = co_await status(changed("password", json::value(json::string("a\0b", 3))));
        CHECK(nul.starts_with("422 \"password\": it holds a NUL"));
        const json::array no_entries, one_number(1, 1);
        const auto empty = co_await status(changed("entries", no_entries));
        CHECK(empty.starts_with("422 \"entries\""));
        const auto number = co_await status(changed("entries", one_number));
        CHECK(number.starts_with("422 \"entries[0]\""));
        auto twice = request_for(signed_entry(1));
        twice["entries"].as_array().push_back(twice["entries"].as_array()[0]);
        const auto doubled = co_await status(twice);
        CHECK(doubled.starts_with("422 \"entries[1].token\": it stands here twice"));
        auto unclaimed = request_for(signed_entry(1));
        unclaimed["entries"].as_array()[0].as_object().erase("claim");
        const auto no_claim = co_await status(unclaimed);
        CHECK(no_claim.starts_with("422 \"entries[0].claim\""));
        const auto late = co_await status(request_for(signed_entry(1, 1, "owner", now - std::chrono::days{1})));
        CHECK(late.starts_with("422 \"entries[0].not_after\": it was good until"));
        auto large = unsigned_entry();
        large.code = std::string(256 * 1024 + 1, '#');
        large.code_sha256 = entry::sha256(*large.code);
        const auto too_large = co_await status(bare(large, "p"));
        CHECK(too_large.starts_with("413 "));
        const auto still_none = co_await look_up(d);
        CHECK(still_none.status == 404);
    });
}

TEST_CASE("T21: the first registration binds, whoever comes second") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        const auto made = co_await post(d, "/register", request_for(signed_entry(1)));
        CHECK(made.status == 201);
        const auto thief = co_await post(d, "/register", request_for(signed_entry(9, 2, "thief"), "x", "y", "thief"));
        CHECK(thief.status == 409);
        const auto bare_thief = co_await post(d, "/register", bare(unsigned_entry(2), "other"));
        CHECK(bare_thief.status == 409);
        const auto again = co_await post(d, "/register", request_for(signed_entry(2)));
        CHECK(again.status == 409);
        CHECK(again.type() == "taken");
        const auto found = co_await look_up(d);
        CHECK(found.object() == entry::to_json(signed_entry(1)));
    });
}

TEST_CASE("T25, Figure 3.8: the right password moves Token_X to the new onion, the wrong one does not") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        const auto made = co_await post(d, "/register", bare(unsigned_entry(1), "right"));
        CHECK(made.status == 201);
        const auto wrong = co_await post(d, "/reregister", move_to(2, "wrong"));
        CHECK(wrong.status == 403);
        const auto before = co_await look_up(d);
        CHECK(before.object() == entry::to_json(unsigned_entry(1)));
        const auto moved = co_await post(d, "/reregister", move_to(2, "right"));
        CHECK(moved.status == 200);
        CHECK(moved.entry().at("onion") == onion_address(2).host().c_str());
        const auto found = co_await look_up(d);
        // Only the onion is another.
        CHECK(found.object() == entry::to_json(unsigned_entry(2)));
        const auto unknown = co_await post(d, "/reregister", move_to(2, "right", uuid4::generate()));
        CHECK(unknown.status == 404);
    });
}

TEST_CASE("FW7, T28: a signed entry moves by its owner's key and its password, and by neither alone") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        co_await post(d, "/register", request_for(signed_entry(1)));
        const auto status = [&](json::object body) -> asio::awaitable<int> {
            const auto r = co_await post(d, "/reregister", std::move(body));
            co_return r.status;
        };
        // The password without the key: bare, signed by a thief, and with the owner's name on it.
        auto without_key = move_to(2, "password");
        without_key["account"] = "account";
        const auto unsigned_move = co_await status(without_key);
        CHECK(unsigned_move == 403);
        const auto thief = co_await status(request_for(signed_entry(2, 2, "thief"), "password", "account", "thief"));
        CHECK(thief == 403);
        auto forged = signed_entry(2, 2, "thief");
        forged.signed_by->owner = owner_key().public_key();
        const auto forger = co_await status(request_for(forged, "password", "account", "thief"));
        CHECK(forger == 403);
        // The key without the password, or with another account.
        const auto without_password = co_await status(request_for(signed_entry(2, 2), "guess"));
        CHECK(without_password == 403);
        const auto other_account = co_await status(request_for(signed_entry(2, 2), "password", "other"));
        CHECK(other_account == 403);
        const auto found = co_await look_up(d);
        CHECK(found.object() == entry::to_json(signed_entry(1)));
        const auto both = co_await status(request_for(signed_entry(2, 2)));
        CHECK(both == 200);
        // The code comes back with it, though it is not sent again.
        auto without_code = request_for(signed_entry(3, 1));
        without_code["entries"].as_array()[0].as_object().erase("code");
        const auto third = co_await status(without_code);
        CHECK(third == 200);
        const auto whole = co_await look_up(d);
        CHECK(whole.object() == entry::to_json(signed_entry(3, 1)));
    });
}

TEST_CASE("a registration that is replayed changes nothing, here or at another directory") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        const auto first = request_for(signed_entry(1));
        co_await post(d, "/register", first);
        const auto second = request_for(signed_entry(2, 2));
        const auto moved = co_await post(d, "/reregister", second);
        CHECK(moved.status == 200);
        // Who sends it again, whose answer was lost, is told that it is so.
        const auto same = co_await post(d, "/reregister", second);
        CHECK(same.status == 200);
        const auto there = co_await look_up(d);
        CHECK(there.object() == entry::to_json(signed_entry(2, 2)));
        const auto old = co_await post(d, "/reregister", first);
        CHECK(old.status == 409);
        // What this directory was given is good for this directory: it cannot register it elsewhere as its own.
        auto settings = quick_settings();
        settings.name = "elsewhere.onion";
        const served_directory elsewhere{executor, settings};
        const auto refused = co_await post(elsewhere, "/register", first);
        CHECK(refused.status == 403);
        auto as_its_own = first;
        as_its_own["account"] = "the directory's own";
        as_its_own["password"] = "the directory's own";
        const auto own = co_await post(elsewhere, "/register", as_its_own);
        CHECK(own.status == 403);
        const auto nothing = co_await look_up(elsewhere);
        CHECK(nothing.status == 404);
    });
}

TEST_CASE("a token's name and code are bound with its first registration") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        co_await post(d, "/register", request_for(signed_entry(1)));
        auto other = unsigned_entry(2);
        other.code = "def hello():\n    api.send('something else')\n";
        other.code_sha256 = entry::sha256(*other.code);
        other.signed_by = entry::authority{.seq = 2, .not_after = now};
        sign(other, owner_key(), onion_key(2));
        const auto refused = co_await post(d, "/reregister", request_for(other));
        CHECK(refused.status == 409);
    });
}

TEST_CASE("an end is signed, shown, and for ever") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        co_await post(d, "/register", request_for(signed_entry(1)));
        const auto end = [&](entry::tombstone t, std::string_view who, std::string_view password) {
            auto one = entry::to_json(t);
            one["claim"] =
                base64_encode(entry::sign_claim(owner_key(who), directory_name, "account", entry::signed_bytes(t)));
            json::object body{{"entries", json::array{one}}, {"password", password}, {"account", "account"}};
            return post(d, "/unregister", std::move(body));
        };
        const auto thief = co_await end(ended(2, "thief"), "thief", "password");
        CHECK(thief.status == 403);
        const auto wrong = co_await end(ended(2), "owner", "wrong");
        CHECK(wrong.status == 403);
        const auto old = co_await end(ended(1), "owner", "password");
        CHECK(old.status == 409);
        const auto done = co_await end(ended(2), "owner", "password");
        CHECK(done.status == 200);
        const auto found = co_await look_up(d);
        CHECK(found.status == 410);
        CHECK(found.object() == entry::to_json(ended(2)));
        const auto again = co_await post(d, "/register", request_for(signed_entry(3)));
        CHECK(again.status == 409);
        const auto back = co_await post(d, "/reregister", request_for(signed_entry(3)));
        CHECK(back.status == 410);
    });
}

TEST_CASE("one account: 434 tokens are one request, and all or none are taken") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory d{executor};
        const auto secret = entry::owner_secret::from_text("the secret of a server with 434 tokens").value();
        const auto account = secret.account(directory_name);
        std::vector<uuid4> tokens;
        for (int i = 0; i < 434; ++i)
            tokens.push_back(uuid4::generate());
        const auto all = [&](std::uint64_t seq, std::uint8_t onion) {
            json::array entries;
            for (const auto& t : tokens) {
                entry::entry e{t, "f", {}, entry::sha256("code"), onion_address(onion), {}};
                e.signed_by = entry::authority{.seq = seq, .not_after = now};
                const auto owner = secret.key(t);
                sign(e, owner, onion_key(onion));
                auto one = entry::to_json(e);
                one["claim"] = base64_encode(entry::sign_claim(owner, directory_name, account, entry::signed_bytes(e)));
                entries.push_back(one);
            }
            return json::object{
                {"entries", entries}, {"account", account}, {"password", secret.password(directory_name).text()}};
        };
        const auto made = co_await post(d, "/register", all(1, 1));
        CHECK(made.status == 201);
        const auto moved = co_await post(d, "/reregister", all(2, 2));
        CHECK(moved.status == 200);
        const auto last = co_await get(d, "/lookup/" + tokens.back().str());
        CHECK(last.text("onion") == onion_address(2).host());
        // One that cannot be moved stops all.
        auto broken = all(3, 1);
        broken["entries"].as_array()[433].as_object()["seq"] = 4;
        const auto refused = co_await post(d, "/reregister", broken);
        CHECK(refused.status == 403);
        const auto first = co_await get(d, "/lookup/" + tokens.front().str());
        CHECK(first.object().at("seq") == 2);
        const auto known = (co_await d.served.store().size()).value();
        CHECK(known == 434);
    });
}

TEST_CASE("T27: guessing ends after ten wrong passwords") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        co_await post(d, "/register", bare(unsigned_entry(), "right"));
        for (unsigned i = 0; i < directory::most_attempts; ++i) {
            const auto wrong = co_await post(d, "/reregister", move_to(2, "wrong"));
            CHECK(wrong.status == 403);
        }
        const auto blocked = co_await post(d, "/reregister", move_to(2, "right"));
        CHECK(blocked.status == 429);
        CHECK(blocked.retry_after == "900");
    });
}

namespace {

/// `count` requests at a time; what each was answered.
asio::awaitable<std::vector<reply>> at_once(asio::any_io_executor executor, const served_directory& d, int count,
                                            std::function<json::object(int)> body) {
    std::vector<reply> out;
    net::condition arrived{executor};
    int finished = 0;
    for (int i = 0; i < count; ++i)
        asio::co_spawn(executor, post(d, "/register", body(i)), [&](std::exception_ptr e, reply r) {
            if (!e) out.push_back(std::move(r));
            ++finished;
            arrived.notify_all();
        });
    while (finished < count)
        if (!co_await arrived.wait(clock::now() + 60s)) throw std::runtime_error{"not all were answered"};
    co_return out;
}

auto count_of(const std::vector<reply>& replies, int status) {
    return std::count_if(replies.begin(), replies.end(), [&](const reply& r) { return r.status == status; });
}

}  // namespace

TEST_CASE("the same token registered by many at a time has one winner") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto o = quick_settings();
        o.hash_waiting = 1000;
        const served_directory d{executor, o};
        const auto replies = co_await at_once(
            executor, d, 200, [](int who) { return bare(unsigned_entry(), "password " + std::to_string(who)); });
        CHECK(count_of(replies, 201) == 1);
        CHECK(count_of(replies, 409) == 199);
    });
}

TEST_CASE("T27: a flood of registrations is told to come later, and look-ups go on") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto o = quick_settings();
        o.hash.bcrypt_cost = 10;
        o.hash_waiting = 2;
        const served_directory d{executor, o};
        bool over = false;
        const auto flood = [&]() -> asio::awaitable<std::vector<reply>> {
            const auto body = [](int) {
                auto e = unsigned_entry();
                e.token = uuid4::generate();
                return bare(e, "password");
            };
            auto replies = co_await at_once(executor, d, 20, body);
            over = true;
            co_return replies;
        };
        // What cannot be taken is not even read.
        std::vector<reply> to_nothing;
        const auto ask_for_nothing = [&]() -> asio::awaitable<void> {
            while (!over)
                to_nothing.push_back(co_await post(d, "/register", json::object{}));
        };
        const auto replies = co_await (flood() && ask_for_nothing());
        CHECK(count_of(to_nothing, 503) > 0);
        CHECK(count_of(replies, 503) > 0);
        CHECK(count_of(replies, 201) >= 2);  // that wait; the thread may have taken none yet
        CHECK(count_of(replies, 201) + count_of(replies, 503) == 20);
        for (const auto& r : replies)
            CHECK(r.retry_after == (r.status == 503 ? "5" : ""));
        const auto found = co_await look_up(d);
        CHECK(found.status == 404);
    });
}

TEST_CASE("an account has so many entries and no more, and the quotas change while it serves") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto o = quick_settings();
        o.entries_per_account = 3;
        served_directory d{executor, o};
        const auto several = [](int count) {
            json::array entries;
            for (int i = 0; i < count; ++i) {
                auto one = entry::to_json(unsigned_entry());
                one["token"] = uuid4::generate().text();
                entries.push_back(std::move(one));
            }
            return json::object{{"entries", std::move(entries)}, {"account", "a"}, {"password", "password"}};
        };
        const auto too_many = co_await post(d, "/register", several(4));
        CHECK(too_many.status == 403);
        CHECK(too_many.type() == "quota");
        const auto two = co_await post(d, "/register", several(2));
        CHECK(two.status == 201);
        const auto two_more = co_await post(d, "/register", several(2));
        CHECK(two_more.status == 403);
        CHECK(two_more.type() == "quota");
        const auto known = (co_await d.served.store().size()).value();
        CHECK(known == 2);
        d.served.change_limits(10, 4);
        const auto of_code = co_await post(d, "/register", several(2));
        CHECK(of_code.status == 413);
        d.served.change_limits(1000, 4);
        const auto now_two = co_await post(d, "/register", several(2));
        CHECK(now_two.status == 201);
        const auto page = co_await get(d, "/");
        CHECK(page.body.find("at most 4 entries") != std::string::npos);
    });
}

TEST_CASE("one JSON file a token: out of one directory and into another") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        served_directory d{executor};
        auto other = unsigned_entry();
        other.token = uuid4::generate();
        co_await post(d, "/register", request_for(signed_entry(1)));
        co_await post(d, "/register", bare(other, "right"));
        const auto folder = d.folder.path() / "export";
        const auto out = (co_await directory::export_entries(d.served.store(), folder)).value();
        CHECK(out == 2);
        const auto text = read_file(folder / (token.str() + ".json"), 100'000).value();
        CHECK(json::parse(text).as_object() == entry::to_json(signed_entry(1)));
        auto forged = signed_entry(7);
        forged.token = uuid4::generate();
        REQUIRE(write_file(folder / (forged.token.str() + ".json"), json::serialize(entry::to_json(forged))));
        served_directory into{executor};
        const auto in = (co_await directory::import_entries(into.served.store(), folder)).value();
        CHECK(in.taken == 2);
        REQUIRE(in.refused.size() == 1);
        CHECK(in.refused.front().find("signature is wrong") != std::string::npos);
        const auto again = (co_await directory::import_entries(into.served.store(), folder)).value();
        CHECK(again.taken == 0);
        CHECK(again.present == 2);
        // The owner comes back, with a password of his choice; the unsigned one has nobody who could.
        const auto moved = co_await post(into, "/reregister", request_for(signed_entry(2, 2), "another", "another"));
        CHECK(moved.status == 200);
        const auto second = co_await post(into, "/reregister", request_for(signed_entry(3, 2), "wrong", "another"));
        CHECK(second.status == 403);
        const auto lost = co_await post(into, "/reregister", move_to(2, "right", other.token));
        CHECK(lost.status == 403);
    });
}
