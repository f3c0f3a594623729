// One connection to a Bento server, seen from the client: the bytes to send, and what the server's bytes mean.
//
// The protocol leaves two things to be inferred, and this machine infers them from the order of what was sent:
//
// - An Open that succeeds is not answered; nor are an Input and a Close that reach an open function. Any answer to
//   something sent later proves that they did. An Input or a Close that crosses the function's end is answered as an
//   invalid request: expected, and swallowed, since function_dead has been told already.
// - After function_dead the server takes requests again. Messages of a function can still arrive after its Close was
//   sent, until something sent later is answered: they are delivered, and name their function.
//
// Requests may be sent before earlier ones are answered; events then come in their order. An Open needs a function id,
// so it cannot overtake its Execute.
//
// Errors of next() are final: malformed, unexpected, truncated. After one, next() repeats it. Errors of encode_*
// (too_large, not_utf8, session_open, no_session, too_many) leave all as it was.
#pragma once

#include <bento/wire/errc.hpp>
#include <bento/wire/frame.hpp>
#include <bento/wire/limits.hpp>
#include <deque>
#include <optional>

namespace bento::wire {

class client {
  public:
    struct need_data {};  ///< all that was fed is consumed
    struct stored {
        uuid4 token;
    };
    struct executed {
        uuid4 id;
    };
    /// A store or an execute was refused. (Of an input or a close, only where the server's words are unheard of.)
    struct refused {
        type request;
        std::string words;  ///< the server's
    };
    struct open_failed {
        uuid4 id;
        std::string words;  ///< the server's
    };
    /// One message of the function: begin, data until `size` bytes have come, end.
    struct output_begin {
        uuid4 id;
        std::uint32_t size;
    };
    struct output_data {
        std::string_view data;  ///< never empty; into what was fed, gone with the next feed()
    };
    struct output_end {};
    struct function_error {
        uuid4 id;
        std::string text;  ///< the function's; may be empty
        bool truncated;    ///< longer than max_error_text
    };
    /// The function has ended, all its output is delivered. The connection takes requests again.
    struct function_dead {
        uuid4 id;
    };
    /// The server's word on something sent to the open function, which goes on.
    struct invalid_message {
        uuid4 id;
        std::string words;
    };
    using event = std::variant<need_data, stored, executed, refused, open_failed, output_begin, output_data, output_end,
                               function_error, function_dead, invalid_message>;

    /// What to write, whole and in the order of the calls. The reference server takes up to about 97,000 bytes of code
    /// and call together; more makes it fall silent.
    result<std::string> encode_store(std::string_view name, std::string_view code);
    result<std::string> encode_execute(std::string_view call, const uuid4& token);
    result<std::string> encode_open(const uuid4& id);
    /// Only for the function of the last encode_open, until it has ended.
    result<std::string> encode_close(const uuid4& id);
    result<std::string> encode_input(const uuid4& id, std::string_view data);
    /// The 41 bytes before `size` bytes of input, which the caller sends itself, in pieces, nothing in between.
    result<std::string> encode_input_header(const uuid4& id, std::size_t size);

    /// Lends `bytes`, which must stay where they are until next() returns need_data; not to be called before that.
    void feed(std::string_view bytes) { frames_.feed(bytes); }
    result<event> next();
    /// To be asked when the server has closed the connection: errc::truncated inside a message, or where a store, an
    /// execute or a function's end is still awaited.
    result<void> finish() const;

    /// Nothing is open, unanswered or half read: what comes next answers the next request.
    bool idle() const { return !failed_ && !session_ && unanswered_.empty() && frames_.between_frames(); }
    /// The function that was opened and has neither been closed nor ended, as far as is known.
    const std::optional<uuid4>& session() const { return session_; }

  private:
    struct sent {
        type what;
        std::optional<uuid4> id;  ///< open, close, input
    };

    result<void> may_send(type what) const;
    result<std::string> request(type what, std::string_view body);
    result<std::optional<event>> begin(const frame_reader::begin& frame);
    result<std::optional<event>> data(std::string_view bytes);
    result<std::optional<event>> id_complete();
    result<std::optional<event>> end();
    result<std::optional<event>> end_of_response();
    result<std::optional<event>> end_of_notice();
    bool arrive_at(const uuid4& id);
    std::optional<sent> take_answered(type what, std::string_view words);
    void forget(std::size_t count);
    void open_ended(const uuid4& id);
    bool is_response() const { return !is_function_message(frame_.type); }
    bool in_id() const { return is_function_message(frame_.type) && id_.size() < uuid4::text_size; }

    frame_reader frames_{frame_reader::from::server};
    std::optional<error> failed_;
    std::optional<uuid4> session_;  ///< after everything that was sent
    std::optional<uuid4> current_;  ///< the function whose messages the server is known to be sending
    std::deque<sent> unanswered_;

    // The frame being read.
    frame_reader::begin frame_;
    std::string id_;  ///< of a function message, up to 36 bytes
    std::string body_;
    bool dropped_ = false;  ///< part of the body, being over the limit
};

}  // namespace bento::wire
