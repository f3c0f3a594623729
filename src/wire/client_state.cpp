#include <bento/base/utf8.hpp>
#include <bento/wire/client_state.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace bento::wire {
namespace {

std::string json_object(std::string_view first, std::string_view a, std::string_view second, std::string_view b) {
    return boost::json::serialize(boost::json::object{{first, a}, {second, b}});
}

bool must_be_answered(type t) { return t == type::store || t == type::execute; }

}  // namespace

result<void> client::may_send(type what) const {
    const bool goes_to_function = what == type::close || what == type::input;
    if (goes_to_function && !session_) return errc::no_session;
    if (!goes_to_function && session_) return errc::session_open;
    if (unanswered_.size() >= max_unanswered) return errc::too_many;
    return {};
}

result<std::string> client::request(type what, std::string_view body) {
    if (body.size() > 0xffffffffU) return errc::too_large;
    unanswered_.push_back({what, {}});
    return encode_request(what, body);
}

result<std::string> client::encode_store(std::string_view name, std::string_view code) {
    if (auto may = may_send(type::store); !may) return may.error();
    if (!is_utf8(name)) return error{errc::not_utf8, "the function's name"};
    if (!is_utf8(code)) return error{errc::not_utf8, "the function's code"};
    return request(type::store, json_object("name", name, "code", code));
}

result<std::string> client::encode_execute(std::string_view call, const uuid4& token) {
    if (auto may = may_send(type::execute); !may) return may.error();
    if (!is_utf8(call)) return error{errc::not_utf8, "the call"};
    return request(type::execute, json_object("call", call, "token", token.text()));
}

result<std::string> client::encode_open(const uuid4& id) {
    if (auto may = may_send(type::open); !may) return may.error();
    unanswered_.push_back({type::open, id});
    session_ = id;
    return encode_request(type::open, id.text());
}

result<std::string> client::encode_close(const uuid4& id) {
    if (session_ != id) return errc::no_session;
    if (auto may = may_send(type::close); !may) return may.error();
    unanswered_.push_back({type::close, id});
    session_.reset();
    return encode_request(type::close, id.text());
}

result<std::string> client::encode_input_header(const uuid4& id, std::size_t size) {
    if (session_ != id) return errc::no_session;
    if (size > max_message_data) return errc::too_large;
    // Inputs without end are normal, and any of a run stands for the others.
    if (unanswered_.empty() || unanswered_.back().what != type::input) {
        if (auto may = may_send(type::input); !may) return may.error();
        unanswered_.push_back({type::input, id});
    }
    return encode_message_header(type::input, id, size);
}

result<std::string> client::encode_input(const uuid4& id, std::string_view data) {
    auto out = encode_input_header(id, data.size());
    if (out) *out += data;
    return out;
}

result<client::event> client::next() {
    if (failed_) return *failed_;
    for (;;) {
        const auto part = in_id() ? frames_.next(uuid4::text_size - id_.size()) : frames_.next();
        if (std::holds_alternative<frame_reader::need_data>(part)) return event{need_data{}};
        result<std::optional<event>> out{std::nullopt};
        if (const auto* frame = std::get_if<frame_reader::begin>(&part))
            out = begin(*frame);
        else if (const auto* bytes = std::get_if<frame_reader::data>(&part))
            out = data(bytes->bytes);
        else
            out = end();
        if (!out) {
            failed_ = out.error();
            return out.error();
        }
        if (*out) return std::move(**out);
    }
}

result<void> client::finish() const {
    if (failed_) return *failed_;
    if (!frames_.between_frames()) return error{errc::truncated, "inside a message"};
    for (const auto& request : unanswered_)
        if (must_be_answered(request.what)) return error{errc::truncated, "before an answer"};
    if (session_) return error{errc::truncated, "before the function's end"};
    return {};
}

result<std::optional<client::event>> client::begin(const frame_reader::begin& frame) {
    frame_ = frame;
    id_.clear();
    body_.clear();
    dropped_ = false;
    if (!is_response()) {
        if (frame.length < uuid4::text_size) return error{errc::malformed, "a function message without an id"};
        return std::nullopt;
    }
    if (frame.type > byte_of(type::close) && frame.type != byte_of(type::input))
        return error{errc::malformed, "a message of no known type"};
    if (frame.status > 1) return error{errc::malformed, "a response that is neither success nor error"};
    if (frame.status == 0 && !must_be_answered(static_cast<type>(frame.type)))
        return error{errc::malformed, "success of a request that has no answer"};
    if (frame.status == 0 && frame.length != uuid4::text_size)
        return error{errc::malformed, "a token or function id that is no uuid4"};
    return std::nullopt;
}

result<std::optional<client::event>> client::data(std::string_view bytes) {
    if (in_id()) {
        id_ += bytes;
        if (in_id()) return std::nullopt;
        return id_complete();
    }
    if (frame_.type == byte_of(type::output)) return event{output_data{bytes}};
    const auto limit = frame_.type == byte_of(type::error) ? max_error_text : max_words;
    const auto kept = bytes.substr(0, limit - body_.size());
    body_ += kept;
    dropped_ = dropped_ || kept.size() < bytes.size();
    return std::nullopt;
}

result<std::optional<client::event>> client::id_complete() {
    const auto id = uuid4::parse(id_);
    if (!id) return error{errc::malformed, "a function message whose id is no uuid4"};
    if (!arrive_at(*id)) return error{errc::unexpected, "a message of a function that was not opened"};
    if (frame_.type != byte_of(type::output)) return std::nullopt;
    return event{output_begin{*id, frame_.length - static_cast<std::uint32_t>(uuid4::text_size)}};
}

result<std::optional<client::event>> client::end() {
    if (is_response()) return end_of_response();
    if (frame_.type == byte_of(type::output)) return event{output_end{}};
    if (frame_.type == byte_of(type::error)) return event{function_error{*current_, std::move(body_), dropped_}};
    return end_of_notice();
}

result<std::optional<client::event>> client::end_of_response() {
    const auto what = static_cast<type>(frame_.type);
    const auto request = take_answered(what, body_);
    if (!request) return error{errc::unexpected, "an answer to nothing that was sent", std::move(body_)};
    if (frame_.status == 0) {
        const auto id = uuid4::parse(body_);
        if (!id) return error{errc::malformed, "a token or function id that is no uuid4"};
        if (what == type::store) return event{stored{*id}};
        return event{executed{*id}};
    }
    if (what == type::open) return event{open_failed{*request->id, std::move(body_)}};
    if (must_be_answered(what) || body_ != words::invalid_request) return event{refused{what, std::move(body_)}};
    // Too late for its function. Not so if the function has not ended: then the server has lost it, and would be silent
    // for ever.
    if (request->id == session_) return error{errc::unexpected, "the server no longer has the function open"};
    return std::nullopt;
}

result<std::optional<client::event>> client::end_of_notice() {
    const auto id = *current_;
    if (body_ == words::function_dead) {
        current_.reset();
        // Should this id be open for a second time on this connection: dead it stays, for every opening.
        if (session_ == id) session_.reset();
        return event{function_dead{id}};
    }
    if (body_ == words::invalid_message)
        // A request that met an open function is dropped by the server and will have no other answer. What follows a
        // Close cannot have met it.
        for (std::size_t i = 0; i < unanswered_.size() && unanswered_[i].what != type::close; ++i) {
            const auto request = unanswered_[i];
            if (request.what == type::input) continue;
            forget(i + 1);
            if (request.what != type::open) return event{refused{request.what, std::move(body_)}};
            open_ended(*request.id);
            return event{open_failed{*request.id, std::move(body_)}};
        }
    return event{invalid_message{id, std::move(body_)}};
}

/// Draws the conclusions of a message of function `id`: its Open, and everything before that, has been handled.
bool client::arrive_at(const uuid4& id) {
    if (current_ == id) return true;
    for (std::size_t i = 0; i < unanswered_.size() && !must_be_answered(unanswered_[i].what); ++i)
        if (unanswered_[i].what == type::open && unanswered_[i].id == id) {
            forget(i + 1);
            current_ = id;
            return true;
        }
    return false;
}

/// Draws the conclusions of a response: which request it answers, and that everything before it has been handled
/// without one.
std::optional<client::sent> client::take_answered(type what, std::string_view words) {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < unanswered_.size(); ++i) {
        const auto& request = unanswered_[i];
        if (request.what == what) {
            if (!found) found = i;
            // Of several Opens the earlier ones may have succeeded in silence; the refusal names its id.
            if (what != type::open || words.ends_with(request.id->text())) {
                found = i;
                break;
            }
        }
        if (must_be_answered(request.what)) break;
    }
    if (!found) return {};
    const auto request = unanswered_[*found];
    // An input stands for a run of them, and each of the run may be answered.
    forget(what == type::input ? *found : *found + 1);
    current_.reset();  // only a server with no open function sends responses
    if (what == type::open) open_ended(*request.id);
    return request;
}

void client::forget(std::size_t count) {
    unanswered_.erase(unanswered_.begin(), unanswered_.begin() + static_cast<std::ptrdiff_t>(count));
}

/// An Open has failed; the session that was counted on is gone if this was the last one sent.
void client::open_ended(const uuid4& id) {
    if (session_ != id) return;
    for (const auto& request : unanswered_)
        if (request.what == type::open) return;
    session_.reset();
}

}  // namespace bento::wire
