#include <algorithm>
#include <bento/control/session.hpp>

namespace bento::control {
namespace {

/// A command with data begins with `+`, and its data ends with a line that holds a dot alone.
bool is_one_command(std::string_view bytes) {
    constexpr std::string_view line_end = "\r\n", data_end = "\r\n.\r\n";
    if (!bytes.ends_with(line_end)) return false;
    if (bytes.starts_with('+'))
        return bytes.ends_with(data_end) && bytes.find(data_end) == bytes.size() - data_end.size();
    // tor ends a command at a bare LF as well, and cuts it at NUL.
    bytes.remove_suffix(line_end.size());
    return bytes.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

}  // namespace

result<void> session::admit(std::string_view command) const {
    if (ended_) return *ended_;
    if (command.size() > limits_.command) return error{errc::invalid_argument, "the command is longer than tor reads"};
    if (!is_one_command(command)) return error{errc::invalid_argument, "not one command"};
    if (waiting_.size() >= limits_.pending || output_.size() + command.size() > limits_.output)
        return errc::too_many_pending;
    return {};
}

session::ticket session::submit(secret bytes, time_point deadline) {
    const auto t = ++last_;
    if (auto admitted = admit(bytes.text()); !admitted) {
        ready_.push_back(failed{t, admitted.error()});
        return t;
    }
    waiting_.push_back({t, deadline});
    deadlines_.emplace(deadline, t);
    output_.append(bytes.text());
    return t;
}

session::slot* session::find(ticket t) {
    const auto at = std::lower_bound(waiting_.begin(), waiting_.end(), t,
                                     [](const slot& s, ticket wanted) { return s.ticket < wanted; });
    return at != waiting_.end() && at->ticket == t ? &*at : nullptr;
}

void session::abandon(ticket t) {
    if (auto* s = find(t); s && !s->abandoned) {
        s->abandoned = true;
        forget_deadline(*s);
        return;
    }
    std::erase_if(ready_, [t](const output_item& item) {
        if (const auto* r = std::get_if<reply_ready>(&item)) return r->ticket == t;
        if (const auto* f = std::get_if<failed>(&item)) return f->ticket == t;
        return false;
    });
}

result<void> session::feed(std::string_view bytes) {
    if (ended_) return *ended_;
    auto fed = route_all(bytes);
    if (!fed) disconnect(fed.error());
    return fed;
}

result<void> session::route_all(std::string_view bytes) {
    for (;;) {
        auto next = framer_.next(bytes);
        if (!next) return next.error();
        if (!*next) return {};
        if (auto routed = route(std::move(**next)); !routed) return routed;
    }
}

result<void> session::route(reply r) {
    if (r.is_event()) {
        ready_.push_back(event_ready{std::move(r)});
        return {};
    }
    if (waiting_.empty()) return error{errc::malformed_reply, "an answer that nothing was asked for"};
    const auto s = waiting_.front();
    waiting_.pop_front();
    if (s.abandoned) return {};
    forget_deadline(s);
    ready_.push_back(reply_ready{s.ticket, std::move(r)});
    return {};
}

std::optional<session::output_item> session::next() {
    if (ready_.empty()) return {};
    auto out = std::move(ready_.front());
    ready_.pop_front();
    return out;
}

void session::expire(time_point now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto t = deadlines_.begin()->second;
        deadlines_.erase(deadlines_.begin());
        find(t)->abandoned = true;
        ready_.push_back(failed{t, errc::timed_out});
    }
}

std::optional<session::time_point> session::next_deadline() const {
    if (deadlines_.empty()) return {};
    return deadlines_.begin()->first;
}

void session::disconnect(const error& why) {
    if (ended_) return;
    ended_ = why;
    for (const auto& s : waiting_)
        if (!s.abandoned) ready_.push_back(failed{s.ticket, why});
    waiting_.clear();
    deadlines_.clear();
    output_.clear();
}

}  // namespace bento::control
