#include <bento/control/session.hpp>

#include "transcript.hpp"

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
    std::string out{s.output()};
    s.consume_output(out.size());
    CHECK(s.output().empty());
    return out;
}

}  // namespace

TEST_CASE("replies come in the order of the commands, events in between") {
    const std::string stream = "250 one\r\n650 BW 1 2\r\n250-a=\r\n250 two\r\n650+NOTICE\r\nx\r\n.\r\n650 OK\r\n";
    test::for_each_segmentation(stream, [](const std::vector<std::string>& pieces) {
        session s;
        CHECK(submit(s, "GETINFO version\r\n") == 1);
        CHECK(submit(s, "SIGNAL NEWNYM\r\n") == 2);
        CHECK(written(s) == "GETINFO version\r\nSIGNAL NEWNYM\r\n");
        for (const auto& piece : pieces)
            REQUIRE(s.feed(piece));
        CHECK(next(s) == "reply 1 one");
        CHECK(next(s) == "event BW 1 2");
        CHECK(next(s) == "reply 2 two");
        CHECK(next(s) == "event OK");
        CHECK(next(s) == "nothing");
        CHECK(s.pending() == 0);
    });
}

TEST_CASE("a command that nobody waits for swallows its answer") {
    session s;
    const auto first = submit(s, "A\r\n");
    submit(s, "B\r\n");
    s.abandon(first);
    CHECK(s.pending() == 2);
    REQUIRE(s.feed("250 late\r\n250 mine\r\n"));
    CHECK(next(s) == "reply 2 mine");
    CHECK(next(s) == "nothing");
}

TEST_CASE("abandoned after its answer, nothing of it comes out; twice is once") {
    session s;
    const auto first = submit(s, "A\r\n");
    submit(s, "B\r\n");
    REQUIRE(s.feed("250 a\r\n650 BW 1 2\r\n250 b\r\n"));
    s.abandon(first);
    s.abandon(first);
    s.abandon(77);
    CHECK(next(s) == "event BW 1 2");
    CHECK(next(s) == "reply 2 b");
    CHECK(next(s) == "nothing");
}

TEST_CASE("a deadline fails its command alone, and the late answer is swallowed") {
    session s;
    submit(s, "A\r\n", 5s);
    submit(s, "B\r\n", 1s);
    submit(s, "C\r\n", 9s);
    CHECK(s.next_deadline() == start + 1s);
    s.expire(start + 999ms);
    CHECK(next(s) == "nothing");
    s.expire(start + 1s);
    CHECK(next(s) == "failed 2 tor did not answer in time");
    CHECK(s.next_deadline() == start + 5s);
    REQUIRE(s.feed("250 a\r\n250 b\r\n"));
    CHECK(next(s) == "reply 1 a");
    CHECK(next(s) == "nothing");
    CHECK(s.next_deadline() == start + 9s);
    REQUIRE(s.feed("250 c\r\n"));
    CHECK(next(s) == "reply 3 c");
    CHECK_FALSE(s.next_deadline());
    s.expire(start + 100s);
    CHECK(next(s) == "nothing");
}

TEST_CASE("expired and then abandoned, or the other way round: nothing comes twice") {
    session s;
    const auto first = submit(s, "A\r\n", 1s);
    const auto second = submit(s, "B\r\n", 1s);
    s.abandon(second);
    s.expire(start + 2s);
    s.abandon(first);
    CHECK(next(s) == "nothing");
    CHECK_FALSE(s.next_deadline());
    CHECK(s.pending() == 2);
}

TEST_CASE("a disconnect fails everything at once, and what is asked later") {
    session s;
    submit(s, "A\r\n");
    s.abandon(submit(s, "B\r\n"));
    submit(s, "C\r\n");
    s.disconnect(control::errc::disconnected);
    s.disconnect(control::errc::timed_out);
    CHECK(next(s) == "failed 1 the connection to tor has ended");
    CHECK(next(s) == "failed 3 the connection to tor has ended");
    CHECK(next(s) == "nothing");
    submit(s, "D\r\n");
    CHECK(next(s) == "failed 4 the connection to tor has ended");
    CHECK(s.output().empty());
    CHECK(s.closed());
    CHECK_FALSE(s.next_deadline());
    const auto fed = s.feed("250 OK\r\n");
    REQUIRE_FALSE(fed);
    CHECK(fed.error().code == control::errc::disconnected);
}

TEST_CASE("a malformed line fails everything pending with what it was") {
    test::for_each_segmentation("250 OK\r\nnonsense\r\n250 OK\r\n", [](const std::vector<std::string>& pieces) {
        session s;
        submit(s, "A\r\n");
        submit(s, "B\r\n");
        submit(s, "C\r\n");
        bool failed = false;
        for (const auto& piece : pieces)
            failed |= !s.feed(piece);
        CHECK(failed);
        const std::string why = "a line begins with no status code: tor's answer is not of the control protocol";
        CHECK(next(s) == "reply 1 OK");
        CHECK(next(s) == "failed 2 " + why);
        CHECK(next(s) == "failed 3 " + why);
        CHECK(next(s) == "nothing");
    });
}

TEST_CASE("a forged answer, made of a value with a line end, does not outlive its feed") {
    session s;
    submit(s, "AUTHENTICATE\r\n");
    submit(s, "SETCONF x\r\n");
    CHECK_FALSE(s.feed(test::captured("splitting")));
    CHECK(next(s) == "reply 1 OK");
    CHECK(next(s) == "reply 2 Unacceptable option value: Nickname 'a");
    CHECK(next(s) == "nothing");
    CHECK(s.closed());
}

TEST_CASE("a reply that nothing was asked for ends the session") {
    session s;
    REQUIRE(s.feed("650 BW 1 2\r\n"));
    const auto fed = s.feed("250 OK\r\n");
    REQUIRE_FALSE(fed);
    CHECK(fed.error().code == control::errc::malformed_reply);
    CHECK(s.closed());
    CHECK(next(s) == "event BW 1 2");
    CHECK(next(s) == "nothing");
}

TEST_CASE("the queues have an end") {
    control::limits l;
    l.pending = 2;
    l.output = 9;
    session s{l};
    submit(s, "AAAA\r\n");
    submit(s, "BB\r\n");
    CHECK(next(s) == "failed 2 more commands wait for tor than allowed");
    submit(s, "C\r\n");
    CHECK(written(s) == "AAAA\r\nC\r\n");
    submit(s, "D\r\n");
    CHECK(next(s) == "failed 4 more commands wait for tor than allowed");
    REQUIRE(s.feed("250 a\r\n250 c\r\n"));
    CHECK(next(s) == "reply 1 a");
    CHECK(next(s) == "reply 3 c");
    submit(s, "E\r\n");
    CHECK(written(s) == "E\r\n");
}

TEST_CASE("what is not one command is not sent, since its answers would be counted wrong") {
    control::limits l;
    l.command = 10;
    for (const std::string_view bytes :
         {std::string_view{""}, std::string_view{"A"}, std::string_view{"A\n"}, std::string_view{"A\r\nB\r\n"},
          std::string_view{"A\nB\r\n"}, std::string_view{"A\0\r\n", 4}, std::string_view{"+A\r\n"},
          std::string_view{"+\r\n.\r\nB\r\n"}, std::string_view{"A\r\n.\r\n"}}) {
        session s{l};
        submit(s, bytes);
        CHECK(next(s) == "failed 1 not one command: not sent to tor");
        CHECK(s.output().empty());
        CHECK(s.pending() == 0);
    }
    session s{l};
    submit(s, "12345678\r\n");
    submit(s, "123456789\r\n");
    CHECK(next(s) == "failed 2 the command is longer than tor reads: not sent to tor");
    CHECK(written(s) == "12345678\r\n");
    submit(s, "+A\r\nb\r\n.\r\n");
    submit(s, "+\r\n.\r\n");
    CHECK(next(s) == "nothing");
}

TEST_CASE("output may be written in pieces, and is one buffer for all commands") {
    session s;
    submit(s, "ABC\r\n");
    s.consume_output(2);
    CHECK(s.output() == "C\r\n");
    submit(s, "D\r\n");
    CHECK(written(s) == "C\r\nD\r\n");
}
