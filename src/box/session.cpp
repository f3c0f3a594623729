#include <bento/wire/server_state.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "session.hpp"

namespace bento::box {
namespace {

using namespace asio::experimental::awaitable_operators;

constexpr std::size_t read_size = 64 * 1024;

/// A reader of requests and one writer, so that no reply lands inside an output.
class session {
  public:
    session(std::shared_ptr<house> box, net::stream peer)
        : box_{std::move(box)},
          patience_{box_->launch.options.patience},
          peer_{std::move(peer)},
          wake_{peer_.executor()},
          last_frame_{clock::now()} {}
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() { leave(); }

    asio::awaitable<void> run() { co_await (to_the_end(read()) || to_the_end(write()) || to_the_end(watch())); }

  private:
    /// What throws ends the connection too: the others would wait for it for ever.
    static asio::awaitable<void> to_the_end(asio::awaitable<void> part) {
        try {
            co_await std::move(part);
        } catch (const std::exception&) {  // the machine lacks something; the peer sees a closed connection
        }
    }

    asio::awaitable<void> read() {
        std::vector<char> buffer(read_size);
        for (;;) {
            const auto n = co_await peer_.read_some(buffer);
            if (!n) co_return;
            machine_.feed({buffer.data(), *n});
            for (;;) {
                auto event = machine_.next();
                if (std::holds_alternative<wire::server::need_data>(event)) break;
                std::visit([this](auto& e) { on(e); }, event);
                last_frame_ = clock::now();
                wake_.notify_all();
                // A client that sends faster than it reads waits; and so does what follows a Close that arrived in the
                // middle of a message, which is finished first.
                while (replies_.size() > read_size || closing_)
                    co_await wake_.wait();
            }
            if (machine_.between_frames()) last_frame_ = clock::now();
        }
    }

    void on(wire::server::need_data&) {}
    void on(wire::server::store& e) {
        const function_store::function f{std::move(e.name), std::move(e.code)};
        auto token = box_->store.add(f);
        replies_ += token ? machine_.reply_stored(*token) : machine_.reply_refused(token.error().code.message());
    }
    void on(wire::server::execute& e) {
        auto started = box_->execute(e.token, std::move(e.call));
        if (started)
            replies_ += machine_.reply_executed((*started)->id());
        else if (started.error().code == errc::unknown_token)
            replies_ += machine_.reply_invalid_token();
        else
            replies_ += machine_.reply_refused(started.error().code.message());
    }
    void on(wire::server::open& e) {
        leave();
        open_ = box_->find(e.id);
        if (open_) {
            machine_.open_ok();
            open_->join(&wake_);
        } else if (box_->is_dead(e.id)) {
            machine_.open_ok();
            replies_ += machine_.function_dead();
        } else {
            replies_ += machine_.open_failed();
        }
    }
    void on(wire::server::close&) {
        if (in_message_)
            closing_ = true;
        else
            leave();
    }
    void on(wire::server::input& e) {
        if (open_ && !open_->input(std::move(e.data)) && !open_->ended())
            replies_ += machine_.refuse_input("the function does not read its input");
    }
    void on(wire::server::violation& e) { replies_ += e.reply; }

    void leave() {
        closing_ = false;
        if (!open_) return;
        open_->leave(&wake_);
        box_->settle(open_->id());
        open_.reset();
    }

    asio::awaitable<void> write() {
        for (;;) {
            if (!replies_.empty() && !in_message_) {
                const auto now = std::exchange(replies_, {});
                if (!co_await send(now)) co_return;
                wake_.notify_all();
                continue;
            }
            if (closing_ && !in_message_) {
                leave();
                wake_.notify_all();
                continue;
            }
            if (auto item = open_ ? open_->take(&wake_) : std::nullopt) {
                if (!co_await send(*item)) co_return;
                continue;
            }
            if (open_ && open_->exhausted()) {
                if (in_message_) co_return;  // the announced size cannot be kept any more
                if (machine_.session()) replies_ += machine_.function_dead();
                leave();
                continue;
            }
            co_await wake_.wait();
        }
    }

    /// Closes what holds a place and does nothing with it.
    asio::awaitable<void> watch() {
        for (;;) {
            const bool waits = machine_.between_frames();
            const auto until =
                waits && open_ ? time_point::max() : last_frame_ + (waits ? patience_.idle : patience_.frame);
            if (clock::now() >= until) co_return;
            co_await wake_.wait(until);
        }
    }

    asio::awaitable<bool> send(std::string_view first, std::string_view second = {}) {
        peer_.expires_after(patience_.write);
        const auto written = co_await peer_.write(first, second);
        peer_.expires_never();
        co_return static_cast<bool>(written);
    }

    asio::awaitable<bool> send(instance::item& item) {
        if (const auto* part = std::get_if<instance::output>(&item)) {
            std::string head;
            if (part->begins) head = machine_.output_begin(*part->begins);
            in_message_ = !part->ends;
            co_return co_await send(head, part->bytes);
        }
        if (in_message_) co_return false;  // its announced size cannot be kept any more
        const auto error = machine_.function_error(std::get<instance::failure>(item).text);
        co_return co_await send(error);
    }

    std::shared_ptr<house> box_;
    const patience patience_;
    net::stream peer_;
    net::condition wake_;
    wire::server machine_;
    std::string replies_;
    std::shared_ptr<instance> open_;
    bool in_message_ = false;
    bool closing_ = false;
    time_point last_frame_;
};

}  // namespace

asio::awaitable<void> serve_connection(std::shared_ptr<house> box, net::stream peer) {
    session s{std::move(box), std::move(peer)};
    co_await s.run();
}

}  // namespace bento::box
