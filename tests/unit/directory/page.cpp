#include "directory/page.hpp"

#include "fixture.hpp"

using namespace bento;
using namespace bento::test;

TEST_CASE("T6, T27: pages for a person, without scripts, and no list") {
    play([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const served_directory d{executor};
        auto e = unsigned_entry();
        e.name = "<b>\"&";
        e.code = "if 1 < 2: pass";
        e.code_sha256 = entry::sha256(*e.code);
        co_await post(d, "/register", bare(e, "right"));
        const auto page = co_await get(d, "/");
        CHECK(page.status == 200);
        CHECK(page.body.find("<form action=\"/lookup\"") != std::string::npos);
        CHECK(page.body.find("<script") == std::string::npos);
        const auto found = co_await get(d, "/lookup?token=+" + token.str() + "+");
        CHECK(found.status == 200);
        CHECK(found.body.find("&lt;b&gt;&quot;&amp;") != std::string::npos);
        CHECK(found.body.find("if 1 &lt; 2: pass") != std::string::npos);
        CHECK(found.body.find("unsigned") != std::string::npos);
        const auto missing = co_await get(d, "/lookup?token=" + uuid4::generate().str());
        CHECK(missing.status == 404);
        CHECK(missing.body.find("Not registered") != std::string::npos);
        const auto nonsense = co_await get(d, "/lookup?token=%3Cscript%3E");
        CHECK(nonsense.status == 422);
        CHECK(nonsense.body.find("<script") == std::string::npos);
        CHECK(nonsense.body.find("value=\"&lt;script&gt;\"") != std::string::npos);
        const auto nothing = co_await get(d, "/lookup");
        CHECK(nothing.status == 422);
        const std::vector<std::string> lists{"/lookup/", "/entries", "/list"};
        for (const auto& path : lists) {
            const auto listed = co_await get(d, path);
            CHECK(listed.status >= 400);
        }
    });
}

TEST_CASE("the page of a share string says whose entry it is") {
    const auto document = json::serialize(entry::to_json(signed_entry(1)));
    const auto print = entry::fingerprint(owner_key().public_key());
    CHECK(directory::entry_page(document, print, now).find("as the share string says") != std::string::npos);
    CHECK(
        directory::entry_page(document, entry::fingerprint(owner_key("thief").public_key()), now).find("Do not use") !=
        std::string::npos);
    const auto old = "no longer valid";
    CHECK(directory::entry_page(document, print, now + entry::life).find(old) == std::string::npos);
    CHECK(directory::entry_page(document, print, now + entry::life + std::chrono::days{1}).find(old) !=
          std::string::npos);
}

TEST_CASE("a form's value is decoded, with its limit") {
    CHECK(directory::form_value("a=1&token=7e%23x", "token", 80) == "7e#x");
    for (const auto& wrong :
         {std::string{"token=%2"}, std::string{"token=%zz"}, std::string{"tokens=1"}, "token=" + std::string(81, 'a')})
        CHECK_FALSE(directory::form_value(wrong, "token", 80));
}
