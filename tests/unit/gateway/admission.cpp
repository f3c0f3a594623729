// What the gateway takes of strangers: whatever they send, as slowly as they like, and no more than it can hold.
#include <random>

#include <bento/http/problem.hpp>

#include "gateway.hpp"

using namespace bento;
using namespace std::chrono_literals;
using test::hidden_server;
using test::member;
using test::with_server;

namespace {

gateway::options impatient() {
    gateway::options o;
    o.http.head = 1s;
    o.http.body = 1s;
    o.http.idle = 1s;
    o.http.write = 1s;
    return o;
}

/// What comes until the connection ends, and how long that took. A byte of `drip` is sent every 100 ms.
struct ending {
    std::string got;
    clock::duration after;
};
asio::awaitable<ending> wait_for_end(const hidden_server& s, std::string begin, std::string drip) {
    auto peer = (co_await net::stream::connect(s.at, test::soon())).value();
    const auto since = clock::now();
    (co_await peer.write(begin)).value();
    ending out;
    std::array<char, 512> part;
    for (std::size_t i = 0; i < 90; ++i) {
        peer.expires_after(drip.empty() ? 9s : 100ms);
        const auto n = co_await peer.read_some(part);
        if (n) {
            out.got.append(part.data(), *n);
            continue;
        }
        if (n.error().code != net::errc::timed_out || drip.empty()) break;
        peer.expires_after(9s);
        const auto byte = drip.substr(i % drip.size(), 1);
        if (!co_await peer.write(byte)) break;
    }
    out.after = clock::now() - since;
    co_return out;
}

/// Bodies that are nearly right: of each, a few bytes are another's.
class mutations {
  public:
    explicit mutations(std::string token) {
        const auto id = "7e620807-59fd-498d-94f9-1722672411ab";
        for (
            const auto* text :
            {R"json({"token":"T","call":"hello()","mode":"all","seconds":1,"request_id":"I"})json",
             R"json({"0":"T","1":"silent()"})json", R"json({"name":"n","code":"def f(): pass","credential":"x"})json",
             R"json({"function_id":"I","data_base64":"AAAA"})json",
             R"json({"token":"T","call":"f(1, 'two', b'\\x03', [4.5e6, None], {'k': {7}}, k=-8)","messages":2,"after":0})json",
             R"json({"token":"T","owner_token":"I","detach":true,"code_sha256":"00"})json"}) {
            std::string s{text};
            for (auto at = s.find("\"T\""); at != std::string::npos; at = s.find("\"T\""))
                s.replace(at + 1, 1, token);
            for (auto at = s.find("\"I\""); at != std::string::npos; at = s.find("\"I\""))
                s.replace(at + 1, 1, id);
            whole_.push_back(std::move(s));
        }
    }
    std::string next() {
        auto out = whole_[below(whole_.size())];
        for (auto left = below(4); left > 0 && !out.empty(); --left) {
            const auto at = below(out.size());
            switch (below(4)) {
                case 0:
                    out[at] = static_cast<char>(below(256));
                    break;
                case 1:
                    out.erase(at, 1 + below(8));
                    break;
                case 2:
                    out.insert(at, 1 + below(3), "[]{}\",:\\()'\xff"[below(12)]);
                    break;
                default: {
                    const auto& other = whole_[below(whole_.size())];
                    const auto from = below(other.size());
                    out.replace(at, below(16), other, from, below(16));
                }
            }
        }
        return out;
    }
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_); }

  private:
    std::vector<std::string> whole_;
    std::mt19937 random_{20261125};  // the same ten thousand each time
};

}  // namespace

TEST_CASE("T7: ten thousand bodies that are nearly right are answered, and the server goes on") {
    auto o = gateway::options{};
    o.owner_token_of = [](const uuid4& t) { return t; };
    o.remove = [](uuid4) -> task<void> { co_return result<void>{}; };
    o.publish = [](uuid4) -> task<std::string> { co_return "{}"; };
    o.deadline = 2s;
    with_server(o, [](hidden_server& s) -> asio::awaitable<void> {
        mutations bodies{s.bento.token().str()};
        const std::vector<std::string> paths{"/store", "/exec", "/open", "/input", "/close", "/delete", "/register"};
        std::map<int, int> seen;
        auto c = s.client();
        for (int i = 0; i < 10'000; ++i) {
            const auto path = paths[bodies.below(paths.size())];
            const auto body = bodies.next();
            auto answer = (co_await c.post_json(path, body, test::soon())).value();
            ++seen[answer.head.status];
            const bool problem = answer.head.find("Content-Type") == http::problem_type;
            if ((answer.head.status >= 400) != problem) FAIL(path << " " << body << ": " << answer.head.status);
        }
        for (const auto& [status, count] : seen) {
            INFO(status << ": " << count);
            CHECK((status == 200 || status == 202 || status == 204 || status == 400 || status == 403 || status == 404 ||
                   status == 409 || status == 422));
        }
        CHECK(seen[200] > 0);
        CHECK(seen[400] > 1000);
        CHECK(seen[422] > 1000);
        const auto alive = co_await s.post("/open", s.call("hello()"));
        CHECK(alive == "200 hello world");
    });
}

TEST_CASE("who sends a head or a body byte by byte is cut at the deadline, not at the last byte") {
    with_server(impatient(), [](hidden_server& s) -> asio::awaitable<void> {
        const auto head = co_await wait_for_end(s, "GET / HTTP/1.1\r\nHost: a\r\nX: ", "x");
        CHECK(head.got.empty());
        CHECK(head.after > 900ms);
        CHECK(head.after < 3s);
        const auto body =
            co_await wait_for_end(s, "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n", " ");
        CHECK(body.got.starts_with("HTTP/1.1 408 "));
        CHECK(body.after < 5s);
        const auto idle = co_await wait_for_end(s, "", "");
        CHECK(idle.got.empty());
        CHECK(idle.after < 3s);
        const auto silent = co_await wait_for_end(s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "");
        CHECK(silent.got.starts_with("HTTP/1.1 200 "));
        CHECK(silent.after < 3s);
    });
}

TEST_CASE("who reads nothing is cut, and its function waits for who reads on") {
    with_server(impatient(), [](hidden_server& s) -> asio::awaitable<void> {
        const auto started = co_await s.post("/exec", s.call("big(30000000)", ",'detach':true"));
        const auto id = "{'function_id':'" + member(started, "function_id") + "'";
        const auto body = s.json(id + ",'mode':'stream'}");
        auto peer = (co_await net::stream::connect(s.at, test::soon())).value();
        const auto request =
            "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        (co_await peer.write(request)).value();
        net::condition never{co_await asio::this_coro::executor};
        co_await never.wait(clock::now() + 2500ms);
        CHECK(s.bento.running() == 1);  // it waits in the middle of its output
        std::vector<char> part(1 << 20);
        std::size_t got = 0;
        peer.expires_at(test::soon());
        for (;;) {
            const auto n = co_await peer.read_some(part);
            if (!n) break;
            got += *n;
        }
        CHECK(got < 30'000'000);  // cut within the output
    });
}

TEST_CASE("T15: one request starts a function and has its output") {
    with_server({}, [](hidden_server& s) -> asio::awaitable<void> {
        auto c = s.client();
        const auto answer = (co_await c.post_json("/open", s.call("hello()"), test::soon())).value();
        CHECK(answer.body == "hello world");
        CHECK(s.bento.executed == 1);
    });
}
