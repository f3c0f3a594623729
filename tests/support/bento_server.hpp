// A Bento server of a test's own: what the reference does for its callers, with functions written here and no process.
//
//   hello()       sends "hello world"
//   ticks(N)      sends "tick 1" to "tick N" at once
//   every(MS)     sends "tick 1", "tick 2", ... for ever
//   big(N)        sends N bytes, then "done"
//   binary()      sends the bytes ff 00
//   fail()        sends "before", fails with "no luck"
//   echo()        sends back each input, ends with "stop"
//   silent()      ends without a word
#pragma once

#include <bento/net/condition.hpp>
#include <bento/net/listener.hpp>
#include <bento/wire/server_state.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <map>
#include <string>

namespace bento::test {

class bento_server {
  public:
    bento_server(asio::any_io_executor executor, const endpoint& at)
        : executor_{executor}, on_{net::listener::listen(executor, at, {}).value()} {
        on_.start([this](net::stream peer) {
            ++accepted;
            return serve(std::move(peer));
        });
    }

    endpoint at() const { return on_.where(); }
    /// The token of the one stored function.
    uuid4 token() const { return token_; }
    std::size_t executed = 0;  ///< since the beginning
    std::size_t accepted = 0;  ///< connections, since the beginning
    std::size_t running() const { return running_->size(); }
    /// Ends a function, as the box does for its gateway.
    bool end(const uuid4& id) {
        const auto found = running_->find(id);
        if (found == running_->end()) return false;
        found->second->ended = true;
        found->second->changed.notify_all();
        return true;
    }
    std::string stored_name, stored_code;

  private:
    struct function {
        explicit function(asio::any_io_executor e) : changed{std::move(e)} {}
        std::deque<std::string> inputs;
        bool ended = false;
        net::condition changed;
    };
    using functions = std::map<uuid4, std::shared_ptr<function>>;
    struct connection {
        net::stream peer;
        wire::server machine;
        std::optional<uuid4> id;
    };

    static std::size_t number_in(const std::string& call) { return std::stoul(call.substr(call.find('(') + 1)); }

    asio::awaitable<void> serve(net::stream peer) {
        connection c;
        c.peer = std::move(peer);
        std::string call;
        std::vector<char> buffer(64 * 1024);
        for (;;) {
            const auto n = co_await c.peer.read_some(buffer);
            if (!n) co_return;
            c.machine.feed({buffer.data(), *n});
            for (;;) {
                auto e = c.machine.next();
                if (std::holds_alternative<wire::server::need_data>(e)) break;
                std::string reply;
                if (auto* s = std::get_if<wire::server::store>(&e)) {
                    stored_name = s->name;
                    stored_code = s->code;
                    reply = c.machine.reply_stored(token_);
                } else if (auto* x = std::get_if<wire::server::execute>(&e)) {
                    if (x->token != token_) {
                        reply = c.machine.reply_invalid_token();
                    } else {
                        ++executed;
                        call = x->call;
                        c.id = uuid4::generate();
                        reply = c.machine.reply_executed(*c.id);
                    }
                } else if (std::holds_alternative<wire::server::open>(e)) {
                    c.machine.open_ok();
                    using namespace asio::experimental::awaitable_operators;
                    const auto f = std::make_shared<function>(executor_);
                    (*running_)[*c.id] = f;
                    struct leaving {
                        std::shared_ptr<functions> of;  // it may go before its connections
                        uuid4 id;
                        ~leaving() { of->erase(id); }
                    } const with_it{running_, *c.id};
                    co_await (run(c, *f, call) || take_inputs(c, *f, buffer));
                } else if (auto* v = std::get_if<wire::server::violation>(&e)) {
                    reply = v->reply;
                }
                if (!reply.empty() && !co_await c.peer.write(reply)) co_return;
            }
        }
    }

    asio::awaitable<void> take_inputs(connection& c, function& f, std::vector<char>& buffer) {
        for (;;) {
            const auto n = co_await c.peer.read_some(buffer);
            if (!n) co_return;
            c.machine.feed({buffer.data(), *n});
            for (;;) {
                auto e = c.machine.next();
                if (std::holds_alternative<wire::server::need_data>(e)) break;
                if (auto* in = std::get_if<wire::server::input>(&e)) f.inputs.push_back(std::move(in->data));
                f.changed.notify_all();
            }
        }
    }

    asio::awaitable<bool> send(connection& c, std::string data) {
        const auto head = c.machine.output_begin(data.size());
        const auto sent = co_await c.peer.write(head, data);
        co_return static_cast<bool>(sent);
    }

    asio::awaitable<void> run(connection& c, function& f, std::string call) {
        if (call == "hello()") {
            co_await send(c, "hello world");
        } else if (call.starts_with("ticks(")) {
            for (std::size_t i = 1; i <= number_in(call); ++i)
                if (!co_await send(c, "tick " + std::to_string(i))) co_return;
        } else if (call.starts_with("every(")) {
            for (std::size_t i = 1; !f.ended; ++i) {
                if (!co_await send(c, "tick " + std::to_string(i))) co_return;
                co_await f.changed.wait(clock::now() + std::chrono::milliseconds{number_in(call)});
            }
        } else if (call.starts_with("big(")) {
            co_await send(c, std::string(number_in(call), 'x'));
            co_await send(c, "done");
        } else if (call == "binary()") {
            co_await send(c, std::string{"\xff\0", 2});
        } else if (call == "fail()") {
            co_await send(c, "before");
            const auto words = c.machine.function_error("no luck");
            co_await c.peer.write(words);
        } else if (call == "echo()") {
            while (!f.ended) {
                if (f.inputs.empty()) {
                    co_await f.changed.wait();
                    continue;
                }
                auto data = std::move(f.inputs.front());
                f.inputs.pop_front();
                if (data == "stop") break;
                if (!co_await send(c, std::move(data))) co_return;
            }
        }
        const auto dead = c.machine.function_dead();
        co_await c.peer.write(dead);
    }

    asio::any_io_executor executor_;
    uuid4 token_ = uuid4::generate();
    std::shared_ptr<functions> running_ = std::make_shared<functions>();
    net::listener on_;
};

}  // namespace bento::test
