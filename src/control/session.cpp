#include <algorithm>
#include <bento/control/session.hpp>

namespace bento::control {

session::ticket session::submit(secret bytes, time_point deadline) {
    const auto t = ++last_;
    if (ended_)
        ready_.push_back(failed{t, *ended_});
    else if (waiting_.size() >= limits_.pending)
        ready_.push_back(failed{t, errc::too_many_pending});
    else {
        waiting_.push_back({t, deadline});
        output_.push_back(std::move(bytes));
    }
    return t;
}

void session::abandon(ticket t) {
    for (auto& s : waiting_)
        if (s.ticket == t) s.abandoned = true;
    std::erase_if(ready_, [t](const output_item& item) {
        if (const auto* r = std::get_if<reply_ready>(&item)) return r->ticket == t;
        if (const auto* f = std::get_if<failed>(&item)) return f->ticket == t;
        return false;
    });
}

result<void> session::feed(std::string_view bytes) {
    if (ended_) return *ended_;
    auto fed = framer_.feed(bytes);
    while (auto r = framer_.next()) {
        if (!r->is_event() && waiting_.empty()) {
            fed = error{errc::malformed_reply, "a reply that nothing was asked for"};
            break;
        }
        route(std::move(*r));
    }
    if (!fed) {
        disconnect(fed.error());
        return *ended_;
    }
    return {};
}

void session::route(reply r) {
    if (r.is_event()) {
        ready_.push_back(event_ready{std::move(r)});
        return;
    }
    const auto s = waiting_.front();
    waiting_.pop_front();
    if (!s.abandoned) ready_.push_back(reply_ready{s.ticket, std::move(r)});
}

std::optional<session::output_item> session::next() {
    if (ready_.empty()) return {};
    auto out = std::move(ready_.front());
    ready_.pop_front();
    return out;
}

std::string_view session::output() const {
    return output_.empty() ? std::string_view{} : output_.front().text().substr(written_);
}

void session::consume_output(std::size_t size) {
    while (size > 0) {
        const auto part = std::min(size, output_.front().size() - written_);
        written_ += part;
        size -= part;
        if (written_ < output_.front().size()) return;
        output_.pop_front();
        written_ = 0;
    }
}

void session::expire(time_point now) {
    for (auto& s : waiting_) {
        if (s.abandoned || s.deadline > now) continue;
        s.abandoned = true;
        ready_.push_back(failed{s.ticket, errc::timed_out});
    }
}

std::optional<session::time_point> session::next_deadline() const {
    std::optional<time_point> out;
    for (const auto& s : waiting_)
        if (!s.abandoned && (!out || s.deadline < *out)) out = s.deadline;
    return out;
}

void session::disconnect(const error& why) {
    if (ended_) return;
    ended_ = why;
    for (const auto& s : waiting_)
        if (!s.abandoned) ready_.push_back(failed{s.ticket, why});
    waiting_.clear();
    output_.clear();
    written_ = 0;
}

}  // namespace bento::control
