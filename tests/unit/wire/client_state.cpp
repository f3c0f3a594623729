// Transcripts of the client: what was sent, what a server answers (the reference's bytes), what the client is told.
#include <bento/wire/client_state.hpp>
#include <functional>

#include "segments.hpp"
#include "test.hpp"

using namespace bento;
using namespace bento::test;
using namespace std::string_literals;

namespace {

const auto token = uuid4::parse("5e1f0a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b").value();
const auto a = uuid4::parse("aaaaaaaa-5ab1-443c-a5fb-fb115ec2b4eb").value();
const auto b = uuid4::parse("bbbbbbbb-5ab1-443c-a5fb-fb115ec2b4eb").value();

std::string type_name(wire::type t) {
    return t == wire::type::store     ? "store"
           : t == wire::type::execute ? "execute"
           : t == wire::type::close   ? "close"
           : t == wire::type::input   ? "input"
                                      : "?";
}

/// `a` and `b` for the two functions, so that transcripts can be read.
std::string name(const uuid4& id) { return id == a ? "a" : id == b ? "b" : id.str(); }

struct connection {
    wire::client client;
    std::string sent;
    std::string told;  ///< an event a line; the data of an output on its line
    std::optional<error> failed;

    void send(result<std::string> bytes) { sent += bytes.value(); }

    void feed(std::string_view bytes) {
        client.feed(bytes);
        for (;;) {
            auto event = client.next();
            if (!event) {
                failed = event.error();
                return;
            }
            if (std::holds_alternative<wire::client::need_data>(*event)) return;
            if (const auto* e = std::get_if<wire::client::stored>(&*event)) told += "stored " + e->token.str() + '\n';
            if (const auto* e = std::get_if<wire::client::executed>(&*event)) told += "executed " + name(e->id) + '\n';
            if (const auto* e = std::get_if<wire::client::refused>(&*event))
                told += type_name(e->request) + " refused: " + e->words + '\n';
            if (const auto* e = std::get_if<wire::client::open_failed>(&*event))
                told += "open " + name(e->id) + " failed: " + e->words + '\n';
            if (const auto* e = std::get_if<wire::client::output_begin>(&*event))
                told += "output " + name(e->id) + ' ' + std::to_string(e->size) + ": ";
            if (const auto* e = std::get_if<wire::client::output_data>(&*event)) told += e->data;
            if (std::holds_alternative<wire::client::output_end>(*event)) told += '\n';
            if (const auto* e = std::get_if<wire::client::function_error>(&*event))
                told += "error " + name(e->id) + ": " + e->text + (e->truncated ? "...\n" : "\n");
            if (const auto* e = std::get_if<wire::client::function_dead>(&*event)) told += "dead " + name(e->id) + '\n';
            if (const auto* e = std::get_if<wire::client::invalid_message>(&*event))
                told += "invalid " + name(e->id) + ": " + e->words + '\n';
        }
    }
};

using setup = std::function<void(connection&)>;

/// After `sent`, the server's `stream` in every segmentation is told as `told`; then `after` is checked.
void expect(const setup& sent, std::string_view stream, std::string_view told, const setup& after = {}) {
    for_each_segmentation(stream, [&](const auto& pieces) {
        connection c;
        sent(c);
        for (const auto& piece : pieces) {
            c.feed(piece);
            if (c.failed) FAIL(c.failed->message());
        }
        REQUIRE(c.told == told);
        if (after) after(c);
    });
}

void expect_error(const setup& sent, std::string_view stream, wire::errc code, std::string_view told = {}) {
    for_each_segmentation(stream, [&](const auto& pieces) {
        connection c;
        sent(c);
        for (const auto& piece : pieces) {
            c.feed(piece);
            if (c.failed) break;
        }
        REQUIRE(c.failed);
        REQUIRE(c.failed->code == code);
        REQUIRE(c.told == told);
        REQUIRE(c.client.next().error().code == code);  // and stays so
        REQUIRE(c.client.finish().error().code == code);
    });
}

void nothing(connection&) {}
void open_a(connection& c) { c.send(c.client.encode_open(a)); }

std::string output(const uuid4& id, std::string_view data) { return frame(0x06, id.str() + std::string{data}); }
std::string dead(const uuid4& id) { return frame(0x04, id.str() + "function dead"); }
std::string no_instance(const uuid4& id) { return response(0x02, 1, "no instance exists with id: " + id.str()); }
const auto late_close = response(0x03, 1, "invalid request");
const auto late_input = response(0x07, 1, "invalid request");

void is_free(connection& c) {
    CHECK_FALSE(c.client.session());
    CHECK(c.client.encode_store("n", "c"));
}
void is_open(connection& c) {
    CHECK(c.client.session());
    CHECK(c.client.encode_store("n", "c").error().code == wire::errc::session_open);
}

}  // namespace

TEST_CASE("what a client writes") {
    connection c;
    CHECK(c.client.encode_store("n\xc3\xa9\"", "a\nb\0"s).value() ==
          frame(0x00, "{\"name\":\"n\xc3\xa9\\\"\",\"code\":\"a\\nb\\u0000\"}"));
    CHECK(c.client.encode_execute("hello()", token).value() ==
          frame(0x01, R"j({"call":"hello()","token":")j" + token.str() + "\"}"));
    CHECK(c.client.encode_open(a).value() == frame(0x02, a.text()));
    CHECK(c.client.encode_input(a, "data").value() == frame(0x07, a.str() + "data"));
    CHECK(c.client.encode_input(a, "").value() == frame(0x07, a.str()));
    CHECK(c.client.encode_input_header(a, 100'000'000).value() == "\x07\x05\xf5\xe1\x24"s + a.str());
    CHECK(c.client.encode_close(a).value() == frame(0x03, a.text()));
}

TEST_CASE("what a client does not write") {
    connection c;
    CHECK(c.client.encode_store("\xff", "c").error().code == wire::errc::not_utf8);
    CHECK(c.client.encode_store("n", "\xed\xa0\x80").error().code == wire::errc::not_utf8);
    CHECK(c.client.encode_execute("\xc0\x80", token).error().code == wire::errc::not_utf8);
    CHECK(c.client.encode_input(a, "x").error().code == wire::errc::no_session);
    CHECK(c.client.encode_close(a).error().code == wire::errc::no_session);
    open_a(c);
    CHECK(c.client.encode_store("n", "c").error().code == wire::errc::session_open);
    CHECK(c.client.encode_execute("f()", token).error().code == wire::errc::session_open);
    CHECK(c.client.encode_open(b).error().code == wire::errc::session_open);
    CHECK(c.client.encode_input(b, "x").error().code == wire::errc::no_session);
    CHECK(c.client.encode_close(b).error().code == wire::errc::no_session);
    CHECK(c.client.encode_input_header(a, std::size_t{1} << 32).error().code == wire::errc::too_large);
}

TEST_CASE("Store, Execute, Open, output, end: the usual run") {
    expect(
        [](connection& c) {
            c.send(c.client.encode_store("hello", "def hello(): ..."));
            c.send(c.client.encode_execute("hello()", token));
            c.send(c.client.encode_open(a));
        },
        response(0, 0, token.text()) + response(1, 0, a.text()) + output(a, "hello world") + output(a, "") + dead(a),
        "stored " + token.str() + "\nexecuted a\noutput a 11: hello world\noutput a 0: \ndead a\n", is_free);
}

TEST_CASE("refusals carry the server's words") {
    expect(
        [](connection& c) {
            c.send(c.client.encode_execute("f()", token));
            c.send(c.client.encode_store("n", "c"));
            c.send(c.client.encode_open(a));
        },
        response(1, 1, "invalid token") + response(0, 1, "") + no_instance(a),
        "execute refused: invalid token\nstore refused: \nopen a failed: no instance exists with id: " + a.str() + '\n',
        is_free);
}

TEST_CASE("a function's error, empty or not, and what the server says of the function") {
    expect(open_a, frame(0x05, a.str() + "name 'x'") + frame(0x05, a.text()) + frame(0x04, a.str() + "input too large"),
           "error a: name 'x'\nerror a: \ninvalid a: input too large\n", is_open);
}

TEST_CASE("an open function is known by its first message; until then by nothing") {
    connection c;
    open_a(c);
    CHECK(c.client.session() == a);
    c.feed(output(a, "x"));
    CHECK(c.client.session() == a);
    c.feed(dead(a));
    CHECK_FALSE(c.client.session());
}

TEST_CASE(
    "a close or inputs that cross the function's end are answered in six bytes of header, and that is swallowed") {
    expect(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_input(a, "1"));
            c.send(c.client.encode_input(a, "2"));
            c.send(c.client.encode_input(a, "3"));
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_store("n", "c"));
        },
        output(a, "x") + dead(a) + late_input + late_input + late_close + response(0, 0, token.text()),
        "output a 1: x\ndead a\nstored " + token.str() + '\n', is_free);
}

TEST_CASE("after an Open that failed, what was sent to its function is refused, and that is swallowed") {
    expect(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_input(a, "1"));
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_open(b));
        },
        no_instance(a) + late_input + late_close + output(b, "x"),
        "open a failed: no instance exists with id: " + a.str() + "\noutput b 1: x\n", is_open);
}

TEST_CASE("messages that were on the way when Close was sent are delivered") {
    expect(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_open(b));
        },
        output(a, "late") + output(b, "x") + dead(b), "output a 4: late\noutput b 1: x\ndead b\n", is_free);
}

TEST_CASE("of two Opens the second fails: the refusal says which") {
    expect(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_open(b));
        },
        no_instance(b), "open b failed: no instance exists with id: " + b.str() + '\n', is_free);
    expect(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_open(b));
        },
        response(0x02, 1, "in use") + late_close, "open a failed: in use\n", is_open);
}

TEST_CASE("open, close, open again: the function ends once for both") {
    const setup reopened = [](connection& c) {
        open_a(c);
        c.feed(output(a, "0"));
        c.send(c.client.encode_close(a));
        c.send(c.client.encode_open(a));
    };
    const auto stored = response(0, 0, token.text());
    expect(reopened, output(a, "1") + dead(a), "output a 1: 0\noutput a 1: 1\ndead a\n", [&](connection& c) {
        c.send(c.client.encode_store("n", "c"));
        c.feed(stored);
        CHECK(c.told.ends_with("stored " + token.str() + '\n'));
    });
    // The end crossed the Close: the server tells it again for the second Open.
    expect(reopened, dead(a) + late_close + dead(a), "output a 1: 0\ndead a\ndead a\n", is_free);
    // And a Store that was sent upon the first word of the end met the dead function opened again.
    expect(reopened, dead(a), "output a 1: 0\ndead a\n", [&](connection& c) {
        c.send(c.client.encode_store("n", "c"));
        c.feed(late_close + frame(0x04, a.str() + "invalid msg type") + dead(a));
        CHECK(c.told == "output a 1: 0\ndead a\nstore refused: invalid msg type\ndead a\n");
        is_free(c);
    });
}

TEST_CASE("reopened after its end, a function is dead at once") {
    connection c;
    for (int i = 0; i < 3; ++i) {
        open_a(c);
        c.feed(dead(a));
    }
    CHECK(c.told == "dead a\ndead a\ndead a\n");
    is_free(c);
}

TEST_CASE("a refusal of an input in words unheard of is told") {
    expect(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_input(a, "x"));
        },
        response(0x07, 1, "go away"), "input refused: go away\n");
}

TEST_CASE("what the server says of an open function is not taken for the answer to what follows its Close") {
    expect(
        [](connection& c) {
            open_a(c);
            c.feed(output(a, ""));
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_store("n", "c"));
        },
        frame(0x04, a.str() + "invalid msg type") + response(0, 0, token.text()),
        "output a 0: \ninvalid a: invalid msg type\nstored " + token.str() + '\n');
}

TEST_CASE("a server that has lost the open function is found out") {
    expect_error(
        [](connection& c) {
            open_a(c);
            c.send(c.client.encode_input(a, "x"));
        },
        output(a, "1") + late_input, wire::errc::unexpected, "output a 1: 1\n");
}

TEST_CASE("what is no message of a Bento server") {
    for (const auto& stream : {"HTTP/1.1 400 Bad Request\r\n"s, "SSH-2.0-OpenSSH\r\n"s, "\x16\x03\x01\x02\x00\x01\x00"s,
                               response(0x08, 1, "no"), response(0x00, 2, "no"), response(0x00, 0, "short"),
                               response(0x00, 0, token.str() + "0"), response(0x00, 0, std::string(36, 'x')),
                               response(0x02, 0, a.text()), response(0x03, 0, ""), response(0x07, 0, ""),
                               frame(0x06, "short"), frame(0x04, ""), frame(0x05, std::string(36, 'x'))}) {
        INFO(stream);
        expect_error([](connection& c) { c.send(c.client.encode_store("n", "c")); }, stream, wire::errc::malformed);
    }
}

TEST_CASE("what answers nothing that was sent") {
    expect_error(nothing, response(0, 0, token.text()), wire::errc::unexpected);
    expect_error(nothing, late_close, wire::errc::unexpected);
    expect_error(nothing, no_instance(a), wire::errc::unexpected);
    expect_error(nothing, output(a, "x"), wire::errc::unexpected);
    expect_error(open_a, output(b, "x"), wire::errc::unexpected);
    expect_error(open_a, dead(b), wire::errc::unexpected);
    // Answers come in order.
    expect_error(
        [](connection& c) {
            c.send(c.client.encode_store("n", "c"));
            c.send(c.client.encode_execute("f()", token));
        },
        response(1, 0, a.text()), wire::errc::unexpected);
    expect_error(
        [](connection& c) {
            c.send(c.client.encode_store("n", "c"));
            open_a(c);
        },
        output(a, "x"), wire::errc::unexpected);
    // A store is answered only when no function is open any more.
    expect_error(
        [](connection& c) {
            open_a(c);
            c.feed(output(a, ""));
            c.send(c.client.encode_close(a));
            c.send(c.client.encode_store("n", "c"));
        },
        response(0, 0, token.text()) + output(a, "x"), wire::errc::unexpected,
        "output a 0: \nstored " + token.str() + '\n');
    // The end is the end.
    expect_error(open_a, dead(a) + output(a, "x"), wire::errc::unexpected, "dead a\n");
}

TEST_CASE("the words of an unexpected answer are kept apart as the peer's") {
    connection c;
    c.feed(response(1, 1, "invalid token"));
    REQUIRE(c.failed);
    CHECK(c.failed->peer == "invalid token");
    CHECK(c.failed->detail == "an answer to nothing that was sent");
}

TEST_CASE("a stream may end when nothing is awaited") {
    connection c;
    CHECK(c.client.finish());
    c.send(c.client.encode_store("n", "c"));
    CHECK(c.client.finish().error().code == wire::errc::truncated);
    const auto stored = response(0, 0, token.text());
    c.feed(stored.substr(0, 20));
    CHECK(c.client.finish().error().code == wire::errc::truncated);
    c.feed(stored.substr(20));
    CHECK(c.client.finish());
    open_a(c);
    CHECK(c.client.finish().error().code == wire::errc::truncated);
    c.send(c.client.encode_close(a));
    CHECK(c.client.finish());
}

TEST_CASE("a connection is idle when nothing is open, unanswered or half read") {
    connection c;
    CHECK(c.client.idle());
    c.send(c.client.encode_execute("f()", token));
    CHECK_FALSE(c.client.idle());
    const auto executed = "\1\0\0\0\0\x24"s + a.str();
    c.feed(executed);
    CHECK(c.client.idle());
    c.send(c.client.encode_open(a));
    CHECK_FALSE(c.client.idle());
    const auto dead = "\4\0\0\0\x31"s + a.str() + "function dead";
    c.feed(dead);
    CHECK(c.told == "executed a\ndead a\n");
    CHECK(c.client.idle());
    c.feed("\4");
    CHECK_FALSE(c.client.idle());

    connection input;
    input.send(input.client.encode_execute("f()", token));
    input.feed(executed);
    input.send(input.client.encode_open(a));
    input.send(input.client.encode_input(a, "late"));
    input.feed(dead);
    CHECK_FALSE(input.client.idle());  // it may be refused yet
}

TEST_CASE("an output of 100 MB passes in pieces; an error of 100 MB is cut") {
    connection c;
    open_a(c);
    const std::string piece(std::size_t{1} << 20, 'x');
    const auto count = [&](std::string_view bytes) {
        std::size_t n = 0;
        c.client.feed(bytes);
        for (;;) {
            auto event = c.client.next().value();
            if (std::holds_alternative<wire::client::need_data>(event)) return n;
            if (const auto* data = std::get_if<wire::client::output_data>(&event)) n += data->data.size();
        }
    };
    CHECK(count("\x06\x06\x40\x00\x24"s + a.str()) == 0);
    std::size_t total = 0;
    for (int i = 0; i < 100; ++i)
        total += count(piece);
    CHECK(total == std::size_t{100} << 20);
    c.feed("\x05\x06\x40\x00\x24"s + a.str());
    for (int i = 0; i < 100; ++i)
        c.feed(piece);
    const bool cut = c.told == "error a: " + std::string(wire::max_error_text, 'x') + "...\n";
    CHECK(cut);
    c.told.clear();
    c.feed(frame(0x05, a.str() + "short") + dead(a));
    CHECK(c.told == "error a: short\ndead a\n");
}

TEST_CASE("inputs without end cost nothing; opens and closes without any sign of the server do") {
    connection c;
    open_a(c);
    for (int i = 0; i < 100'000; ++i)
        REQUIRE(c.client.encode_input(a, "x"));
    c.send(c.client.encode_close(a));
    std::size_t n = 0;
    for (; n < 10'000; ++n) {
        const auto more = n % 2 == 0 ? c.client.encode_open(a) : c.client.encode_close(a);
        if (more) continue;
        CHECK(more.error().code == wire::errc::too_many);
        break;
    }
    CHECK(n == wire::max_unanswered - 3);
    connection signs;
    for (int i = 0; i < 10'000; ++i) {
        REQUIRE(signs.client.encode_open(i % 2 == 0 ? a : b));
        signs.feed(output(i % 2 == 0 ? a : b, ""));
        REQUIRE(signs.client.encode_close(i % 2 == 0 ? a : b));
    }
}
