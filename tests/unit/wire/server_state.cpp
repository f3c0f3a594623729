// Each row of the protocol's facts as a transcript: what a client sends, what the server is told, what goes back.
#include <bento/wire/server_state.hpp>

#include "segments.hpp"
#include "test.hpp"

using namespace bento;
using namespace bento::test;
using namespace std::string_literals;

namespace {

const auto token = "5e1f0a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b"s;
const auto id = "0b88a643-5ab1-443c-a5fb-fb115ec2b4eb"s;
const auto other_id = "11111111-2222-4333-8444-555555555555"s;

/// A box with one function under `token` that runs as `id`: it sends back what it gets, and ends at "stop".
struct box {
    explicit box(wire::server_limits limits = {}) : server{limits} {}

    wire::server server;
    std::string told;  ///< what next() said, an event a line
    std::string sent;  ///< to the client

    void handle(const wire::server::event& event) {
        const auto a_token = uuid4::parse(token).value(), an_id = uuid4::parse(id).value();
        if (const auto* store = std::get_if<wire::server::store>(&event)) {
            told += "store " + store->name + '=' + store->code + '\n';
            sent += server.reply_stored(a_token);
        } else if (const auto* execute = std::get_if<wire::server::execute>(&event)) {
            told += "execute " + execute->token.str() + ' ' + execute->call + '\n';
            sent += execute->token == a_token ? server.reply_executed(an_id) : server.reply_invalid_token();
        } else if (const auto* open = std::get_if<wire::server::open>(&event)) {
            told += "open " + open->id.str() + '\n';
            if (open->id == an_id)
                server.open_ok();
            else
                sent += server.open_failed();
        } else if (const auto* close = std::get_if<wire::server::close>(&event)) {
            told += "close " + close->id.str() + '\n';
        } else if (const auto* input = std::get_if<wire::server::input>(&event)) {
            told += "input " + input->id.str() + ' ' + input->data + '\n';
            if (input->data == "stop") {
                sent += server.function_dead();
            } else {
                sent += server.output_begin(input->data.size());
                sent += input->data;
            }
        } else {
            const auto& violation = std::get<wire::server::violation>(event);
            told += "violation " + std::string{violation.why} + '\n';
            sent += violation.reply;
        }
    }

    void feed(std::string_view bytes) {
        server.feed(bytes);
        for (;;) {
            const auto event = server.next();
            if (std::holds_alternative<wire::server::need_data>(event)) return;
            handle(event);
        }
    }
};

/// Feeds `stream` in every segmentation to a fresh box, and expects the same each time.
void expect(std::string_view stream, std::string_view told, std::string_view sent, wire::server_limits limits = {}) {
    for_each_segmentation(stream, [&](const auto& pieces) {
        box b{limits};
        for (const auto& piece : pieces)
            b.feed(piece);
        REQUIRE(b.told == told);
        REQUIRE(b.sent == sent);
        REQUIRE(b.server.between_frames());
    });
}

const auto open = frame(0x02, id);
const auto told_open = "open " + id + '\n';
const auto invalid_request = "\x01\x00\x00\x00\x0finvalid request"s;  // after the type

/// A refused request, and after it a good one: the connection is still usable.
void expect_refused(int type, std::string_view body, std::string_view why, std::string_view words) {
    expect(frame(type, body) + frame(0x02, other_id), "violation " + std::string{why} + "\nopen " + other_id + '\n',
           response(type, 1, words) + response(0x02, 1, "no instance exists with id: " + other_id));
}

}  // namespace

TEST_CASE("Store, Execute and Open, as the reference's client sends them") {
    expect(frame(0x00, R"j({"name": "hello", "code": "def hello(): api.send('hello world')"})j") +
               frame(0x01, R"j({"call": "hello()", "token": ")j" + token + "\"}") + open,
           "store hello=def hello(): api.send('hello world')\nexecute " + token + " hello()\n" + told_open,
           "\x00\x00\x00\x00\x00\x24"s + token + "\x01\x00\x00\x00\x00\x24"s + id);
}

TEST_CASE("a name may be missing or null; other members and their values are ignored; the last of two counts") {
    expect(frame(0x00, R"({"code":"c"})"), "store =c\n", response(0, 0, token));
    expect(frame(0x00, R"({"name":null,"code":""})"), "store =\n", response(0, 0, token));
    expect(frame(0x00, R"( {"x":[{"code":1}],"code":"a","y":{"name":"n"},"code":"b","z":-1.5e3,"name":"m"} )"),
           "store m=b\n", response(0, 0, token));
    expect(frame(0x00, "{\"name\":\"n\xc3\xa9\",\"code\":\"\\u20ac\\n\"}"), "store n\xc3\xa9=\xe2\x82\xac\n\n",
           response(0, 0, token));
}

TEST_CASE("no store is refused for its members' types: what is no text is empty") {
    for (const auto& body : {"{}"s, R"({"code":null})"s, R"({"name":7,"code":7})"s, R"({"name":["n"],"code":["c"]})"s,
                             R"({"name":{"name":"n"},"code":{"code":"c"}})"s, R"({"code":"c","code":true})"s}) {
        INFO(body);
        expect(frame(0x00, body), "store =\n", response(0, 0, token));
    }
}

TEST_CASE("a body that is no JSON object in UTF-8 is answered, where the reference's thread dies") {
    const auto words = "invalid request: not a JSON object in UTF-8";
    for (const auto& body : {"{"s, "nonsense"s, "[]"s, "\"code\""s, "null"s, "{\"code\":\"c\"}x"s,
                             "{\"code\":\"\xff\"}"s, "{\"code\":\"c\"}\0"s, "\xef\xbb\xbf{\"code\":\"c\"}"s,
                             "{\"x\":" + std::string(40, '[') + std::string(40, ']') + ",\"code\":\"c\"}"}) {
        INFO(body);
        expect_refused(0x00, body, "a store that is no JSON object", words);
        expect_refused(0x01, body, "an execute that is no JSON object", words);
    }
}

TEST_CASE("a token that is no uuid4 in lower case is an invalid token") {
    const auto execute = [](const std::string& value) { return R"j({"call":"f()","token":)j" + value + "}"; };
    for (const auto& value :
         {"7"s, "null"s, "[]"s, "\"\""s, "\"../functions/" + token + "\"", "\"../../../../tmp/evil\""s,
          "\"" + token + "\\u0000\"", "\"" + token + "0\"", "\"5E1F0A2B-3C4D-4E5F-8A9B-0C1D2E3F4A5B\""s}) {
        INFO(value);
        expect_refused(0x01, execute(value), "a token that is no uuid4", "invalid token");
    }
    expect_refused(0x01, R"j({"call":"f()"})j", "a token that is no uuid4", "invalid token");
    expect(frame(0x01, execute("\"" + other_id + "\"")), "execute " + other_id + " f()\n",
           "\x01\x01\x00\x00\x00\x0dinvalid token"s);
}

TEST_CASE("a call is any text; what is no text becomes one that fails with Python's own words") {
    const auto with_token = [](const std::string& call) { return "{" + call + R"("token":")" + token + "\"}"; };
    for (const auto& call : {""s, R"("call":null,)"s, R"("call":5,)"s, R"j("call":["f()"],)j"s})
        expect(frame(0x01, with_token(call)), "execute " + token + " eval(None)\n", response(1, 0, id));
    expect(frame(0x01, with_token(R"j("call":"__import__('os').popen('id')",)j")),
           "execute " + token + " __import__('os').popen('id')\n", response(1, 0, id));
}

TEST_CASE("an Open that fails is told with the id that was sent") {
    expect(frame(0x02, other_id), "open " + other_id + '\n',
           "\x02\x01\x00\x00\x00\x40no instance exists with id: "s + other_id);
    expect_refused(0x02, "nonsense", "an id that is no uuid4", "no instance exists with id: nonsense");
    expect_refused(0x02, "\xff\xfe", "an id that is not UTF-8", "invalid request: the id is not UTF-8");
}

TEST_CASE("while no function is open, everything but Store, Execute and Open is an invalid request") {
    for (const int type : {0x03, 0x04, 0x05, 0x06, 0x07, 0x99}) {
        const auto reply = std::string{static_cast<char>(type)} + invalid_request;
        expect(frame(type, id + "data") + frame(type, ""),
               "violation no request, while no function is open\nviolation no request, while no function is open\n",
               reply + reply);
    }
}

TEST_CASE("an empty body is answered, where the reference takes it for the end") {
    for (const int type : {0x00, 0x01, 0x02})
        expect_refused(type, "", "an empty request", "invalid request: empty");
}

TEST_CASE("input goes to the open function, empty messages too") {
    expect(open + frame(0x07, id + "abc") + frame(0x07, id), told_open + "input " + id + " abc\ninput " + id + " \n",
           frame(0x06, id + "abc") + frame(0x06, id));
}

TEST_CASE("input for another function is refused, where the reference delivers it to the open one") {
    const auto refused = frame(0x04, id + "invalid function id");
    const auto why = "violation an input for another function\n"s;
    expect(open + frame(0x07, other_id + "abc") + frame(0x07, "short") + frame(0x07, std::string(36, '\xff')) +
               frame(0x07, id + "x"),
           told_open + why + why + why + "input " + id + " x\n", refused + refused + refused + frame(0x06, id + "x"));
}

TEST_CASE("while a function is open, everything but Input and Close is an invalid message, in five bytes of header") {
    for (const int type : {0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x99})
        expect(open + frame(type, id) + frame(0x07, id + "x"),
               told_open + "violation no input, while a function is open\ninput " + id + " x\n",
               "\x04\x00\x00\x00\x34"s + id + "invalid msg type" + frame(0x06, id + "x"));
}

TEST_CASE("Close has no answer, its body no meaning; then requests are taken again") {
    for (const auto& close :
         {frame(0x03, id), frame(0x03, "whatever"), frame(0x03, ""), frame(0x07, ""), frame(0x01, ""), frame(0x99, "")})
        expect(open + close + open + frame(0x07, id + "x"),
               told_open + "close " + id + '\n' + told_open + "input " + id + " x\n", frame(0x06, id + "x"));
}

TEST_CASE("the function's end ends the session; what crosses it is an invalid request in six bytes of header") {
    expect(open + frame(0x07, id + "stop") + frame(0x03, id) + frame(0x07, id + "late") + open,
           told_open + "input " + id +
               " stop\nviolation no request, while no function is open\n"
               "violation no request, while no function is open\n" +
               told_open,
           "\x04\x00\x00\x00\x31"s + id + "function dead" + "\x03"s + invalid_request + "\x07" + invalid_request);
}

TEST_CASE("a function that ends while a frame is on the way: the state at the frame's end decides") {
    for (const auto& late : {frame(0x07, id + "data"), frame(0x03, id), frame(0x00, R"({"code":"c"})")}) {
        for (std::size_t cut = 1; cut < late.size(); ++cut) {
            box b;
            b.feed(open);
            b.feed(late.substr(0, cut));
            b.sent += b.server.function_dead();
            b.feed(late.substr(cut));
            const auto header_was_seen = cut >= 5;
            const auto dead = frame(0x04, id + "function dead");
            if (late[0] == 0x00 && !header_was_seen)
                CHECK(b.sent == dead + response(0, 0, token));
            else
                CHECK(b.sent == dead + late[0] + invalid_request);
        }
    }
}

TEST_CASE("what is over a limit is refused at its header, read past, and not kept") {
    const wire::server_limits limits{.request = 20, .open = 40, .input = 4};
    const auto too_large = "invalid request: too large";
    const auto why = "violation a request over the limit\n"s;
    expect(frame(0x00, std::string(21, 'x')) + frame(0x01, std::string(21, 'x')) + frame(0x02, std::string(41, 'x')) +
               frame(0x00, R"({"code":"12345678"})"),
           why + why + why + "store =12345678\n",
           response(0, 1, too_large) + response(1, 1, too_large) + response(2, 1, too_large) + response(0, 0, token),
           limits);
    expect(open + frame(0x07, id + "12345") + frame(0x07, id + "1234"),
           told_open + "violation an input over the limit\ninput " + id + " 1234\n",
           frame(0x04, id + "input too large") + frame(0x06, id + "1234"), limits);
}

TEST_CASE("a request for a web page is answered before its 1.1 GB have come") {
    box b;
    b.feed("GET / HTTP/1.1\r\n\r\n");
    CHECK(b.sent == "G" + invalid_request);
}

TEST_CASE("requests are answered in order, and answers fit their request") {
    const auto a_token = uuid4::parse(token).value();
    wire::server server;
    CHECK_THROWS_AS(server.reply_stored(a_token), std::logic_error);
    CHECK_THROWS_AS(server.reply_refused("no"), std::logic_error);
    CHECK_THROWS_AS(server.function_dead(), std::logic_error);
    const auto stream = frame(0x00, R"({"code":"c"})") + open;
    server.feed(stream);
    REQUIRE(std::holds_alternative<wire::server::store>(server.next()));
    CHECK_THROWS_AS(server.next(), std::logic_error);
    CHECK_THROWS_AS(server.reply_executed(a_token), std::logic_error);
    CHECK_THROWS_AS(server.open_ok(), std::logic_error);
    CHECK(server.reply_refused("the store is full") == response(0, 1, "the store is full"));
    REQUIRE(std::holds_alternative<wire::server::open>(server.next()));
    CHECK(server.reply_refused("in use") == response(2, 1, "in use"));
    CHECK_FALSE(server.session());
}

TEST_CASE("what a function sends goes out under its id") {
    wire::server server;
    server.feed(open);
    REQUIRE(std::holds_alternative<wire::server::open>(server.next()));
    server.open_ok();
    CHECK(server.session()->text() == id);
    CHECK(server.output_begin(100'000'000) == "\x06\x05\xf5\xe1\x24"s + id);
    CHECK(server.function_error("") == "\x05\x00\x00\x00\x24"s + id);
    CHECK(server.function_error("name 'printf' is not defined") == frame(0x05, id + "name 'printf' is not defined"));
    CHECK(server.refuse_input("the function reads no input") == frame(0x04, id + "the function reads no input"));
    CHECK(server.function_dead() == frame(0x04, id + "function dead"));
    CHECK_FALSE(server.session());
    CHECK_THROWS_AS(server.output_begin(1), std::logic_error);
}
