#include <bento/control/session.hpp>

#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;
using control::session;

namespace {

const session::time_point start{};

/// What comes out next: `reply 1 OK`, `event BW 1 2`, `failed 2 ...`, or `nothing`.
std::string next(session& s) {
    const auto item = s.next();
    if (!item) return "nothing";
    if (const auto* r = std::get_if<session::reply_ready>(&*item))
        return "reply " + std::to_string(r->ticket) + " " + r->reply.text();
    if (const auto* e = std::get_if<session::event_ready>(&*item)) return "event " + e->reply.text();
    const auto& f = std::get<session::failed>(*item);
    return "failed " + std::to_string(f.ticket) + " " + f.error.message();
}

session::ticket submit(session& s, std::string_view command, std::chrono::seconds limit = 10s) {
    return s.submit(secret{command}, start + limit);
}

std::string written(session& s) {
    std::string out;
    while (!s.output().empty()) {
        out += s.output();
        s.consume_output(s.output().size());
    }
    return out;
}

}  // namespace

TEST_CASE("replies come in the order of the commands, events in between") {
    session s;
    CHECK(submit(s, "GETINFO version\r\n") == 1);
    CHECK(submit(s, "SIGNAL NEWNYM\r\n") == 2);
    CHECK(written(s) == "GETINFO version\r\nSIGNAL NEWNYM\r\n");
    REQUIRE(s.feed("250 one\r\n650 BW 1 2\r\n250 two\r\n"));
    CHECK(next(s) == "reply 1 one");
    CHECK(next(s) == "event BW 1 2");
    CHECK(next(s) == "reply 2 two");
    CHECK(next(s) == "nothing");
}

TEST_CASE("a command that nobody waits for swallows its answer") {
    session s;
    const auto first = submit(s, "A\r\n");
    submit(s, "B\r\n");
    s.abandon(first);
    REQUIRE(s.feed("250 late\r\n250 mine\r\n"));
    CHECK(next(s) == "reply 2 mine");
    CHECK(next(s) == "nothing");
}

TEST_CASE("a deadline fails its command alone, and the late answer is swallowed") {
    session s;
    submit(s, "A\r\n", 1s);
    submit(s, "B\r\n", 5s);
    CHECK(s.next_deadline() == start + 1s);
    s.expire(start + 999ms);
    CHECK(next(s) == "nothing");
    s.expire(start + 1s);
    CHECK(next(s) == "failed 1 tor did not answer in time");
    CHECK(s.next_deadline() == start + 5s);
    REQUIRE(s.feed("250 a\r\n250 b\r\n"));
    CHECK(next(s) == "reply 2 b");
}

TEST_CASE("a disconnect fails everything at once, and what is asked later") {
    session s;
    submit(s, "A\r\n");
    submit(s, "B\r\n");
    s.disconnect(control::errc::disconnected);
    CHECK(next(s) == "failed 1 the connection to tor has ended");
    CHECK(next(s) == "failed 2 the connection to tor has ended");
    submit(s, "C\r\n");
    CHECK(next(s) == "failed 3 the connection to tor has ended");
    CHECK(s.output().empty());
    CHECK_FALSE(s.feed("250 OK\r\n"));
}

TEST_CASE("a malformed line fails everything pending with what it was") {
    session s;
    submit(s, "A\r\n");
    submit(s, "B\r\n");
    CHECK_FALSE(s.feed("250 OK\r\nnonsense\r\n"));
    CHECK(next(s) == "reply 1 OK");
    CHECK(next(s) == "failed 2 tor's answer is not of the control protocol");
}

TEST_CASE("a reply that nothing was asked for ends the session") {
    session s;
    CHECK_FALSE(s.feed("250 OK\r\n"));
    CHECK(s.closed());
}

TEST_CASE("the queue has an end") {
    control::limits l;
    l.pending = 1;
    session s{l};
    submit(s, "A\r\n");
    submit(s, "B\r\n");
    CHECK(next(s) == "failed 2 more commands wait for tor than allowed");
    CHECK(written(s) == "A\r\n");
}

TEST_CASE("output may be written in pieces") {
    session s;
    submit(s, "ABC\r\n");
    s.consume_output(2);
    CHECK(s.output() == "C\r\n");
    submit(s, "D\r\n");
    CHECK(written(s) == "C\r\nD\r\n");
}
