#include <bento/base/utf8.hpp>
#include <bento/wire/server_state.hpp>
#include <stdexcept>

#include "members.hpp"

namespace bento::wire {
namespace {

// What the reference never says. The first two words are its own, so that a client which looks for them finds them.
constexpr std::string_view empty_body = "invalid request: empty";
constexpr std::string_view not_an_object = "invalid request: not a JSON object in UTF-8";
constexpr std::string_view id_not_utf8 = "invalid request: the id is not UTF-8";
constexpr std::string_view request_too_large = "invalid request: too large";
constexpr std::string_view input_too_large = "input too large";
constexpr std::string_view other_function = "invalid function id";
/// The reference starts the function all the same, and Python's error about such a call is its answer.
constexpr std::string_view call_that_is_no_text = "eval(None)";

}  // namespace

server::event server::next() {
    if (awaited_) throw std::logic_error{"the last request is not answered"};
    for (;;) {
        const auto part = frames_.next();
        if (std::holds_alternative<frame_reader::need_data>(part)) return need_data{};
        std::optional<event> out;
        if (const auto* frame = std::get_if<frame_reader::begin>(&part))
            out = begin(*frame);
        else if (const auto* data = std::get_if<frame_reader::data>(&part))
            keep(data->bytes);
        else
            out = end();
        if (out) return std::move(*out);
    }
}

std::optional<server::event> server::begin(const frame_reader::begin& frame) {
    type_ = frame.type;
    length_ = frame.length;
    kept_ = false;
    answered_ = false;
    if (session_) {
        if (!is(type::input)) return {};
        kept_ = length_ <= uuid4::text_size || length_ - uuid4::text_size <= limits_.input;
        if (kept_) return {};
        answered_ = true;
        return notice(input_too_large, "an input over the limit");
    }
    if (is(type::store) || is(type::execute) || is(type::open)) {
        kept_ = length_ <= (is(type::open) ? limits_.open : limits_.request);
        if (kept_) return {};
        answered_ = true;
        return refuse(request_too_large, "a request over the limit");
    }
    // A late input may be as large as any input; what is larger and of no known type is no Bento client's: a browser's
    // "GET " reads as 1.1 GB. It is answered before it waits for them.
    answered_ = length_ > uuid4::text_size && length_ - uuid4::text_size > limits_.input;
    if (answered_) return refuse(words::invalid_request, "no request, and a length over the limit");
    return {};
}

void server::keep(std::string_view part) {
    if (!kept_) return;
    if (is(type::input) && id_.size() < uuid4::text_size) {
        const auto head = part.substr(0, uuid4::text_size - id_.size());
        id_ += head;
        part.remove_prefix(head.size());
    }
    body_ += part;
}

std::optional<server::event> server::end() {
    if (answered_) return {};
    // The state now decides, not that at the header: the function may have ended while its input was on the way, and
    // the client then reads six bytes of header.
    auto out = session_ ? end_in_session() : end_of_request();
    // Not clear(): a body of megabytes would stay with an idle connection.
    id_ = {};
    body_ = {};
    return out;
}

server::event server::end_in_session() {
    if (is(type::close) || length_ == 0) {
        close out{*session_};
        session_.reset();
        return out;
    }
    if (!is(type::input)) return notice(words::invalid_message, "no input, while a function is open");
    if (id_ != session_->text()) return notice(other_function, "an input for another function");
    return input{*session_, std::move(body_)};
}

server::event server::end_of_request() {
    if (!kept_ || is(type::input)) return refuse(words::invalid_request, "no request, while no function is open");
    if (length_ == 0) return refuse(empty_body, "an empty request");
    if (is(type::open)) {
        if (const auto id = uuid4::parse(body_)) {
            awaited_ = type::open;
            opening_ = *id;
            return open{*id};
        }
        if (!is_utf8(body_)) return refuse(id_not_utf8, "an id that is not UTF-8");
        return refuse(std::string{words::no_instance} + body_, "an id that is no uuid4");
    }
    if (is(type::store)) {
        auto members = find_members(body_, {"name", "code"});
        if (!members) return refuse(not_an_object, "a store that is no JSON object");
        auto& [name, code] = *members;
        awaited_ = type::store;
        return store{std::move(name.text), std::move(code.text)};
    }
    auto members = find_members(body_, {"call", "token"});
    if (!members) return refuse(not_an_object, "an execute that is no JSON object");
    auto& [call, token] = *members;
    // The reference looks for a file by this name and finds none, unless it is a path: `../functions/<token>`.
    const auto parsed = uuid4::parse(token.text);
    if (!parsed) return refuse(words::invalid_token, "a token that is no uuid4");
    if (!call.is_text) call.text = call_that_is_no_text;
    awaited_ = type::execute;
    return execute{std::move(call.text), *parsed};
}

server::event server::refuse(std::string_view words, std::string_view why) const {
    return violation{encode_response(type_, true, words), why};
}

server::event server::notice(std::string_view words, std::string_view why) const {
    return violation{encode_message(type::notice, *session_, words), why};
}

void server::must_answer(type t) {
    if (awaited_ != t) throw std::logic_error{"an answer to a request that was not made"};
    awaited_.reset();
}

void server::must_be_open() const {
    if (!session_) throw std::logic_error{"a function's message while none is open"};
}

std::string server::reply_stored(const uuid4& token) {
    must_answer(type::store);
    return encode_response(byte_of(type::store), false, token.text());
}

std::string server::reply_executed(const uuid4& id) {
    must_answer(type::execute);
    return encode_response(byte_of(type::execute), false, id.text());
}

std::string server::reply_refused(std::string_view words) {
    if (!awaited_) throw std::logic_error{"a refusal of a request that was not made"};
    const auto t = *awaited_;
    awaited_.reset();
    opening_.reset();
    return encode_response(byte_of(t), true, words.substr(0, max_words));
}

std::string server::reply_invalid_token() {
    must_answer(type::execute);
    return encode_response(byte_of(type::execute), true, words::invalid_token);
}

std::string server::open_failed() {
    must_answer(type::open);
    auto reply = encode_response(byte_of(type::open), true, std::string{words::no_instance} + opening_->str());
    opening_.reset();
    return reply;
}

void server::open_ok() {
    must_answer(type::open);
    session_ = opening_;
    opening_.reset();
}

std::string server::output_begin(std::size_t size) const {
    must_be_open();
    return encode_message_header(type::output, *session_, size);
}

std::string server::function_error(std::string_view text) const {
    must_be_open();
    return encode_message(type::error, *session_, text);
}

std::string server::refuse_input(std::string_view words) const {
    must_be_open();
    return encode_message(type::notice, *session_, words.substr(0, max_words));
}

std::string server::function_dead() {
    must_be_open();
    auto reply = encode_message(type::notice, *session_, words::function_dead);
    session_.reset();
    return reply;
}

}  // namespace bento::wire
