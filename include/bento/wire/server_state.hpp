// One connection of a Bento client, seen from the server: what to do next, and the bytes to answer with.
//
//   request --open_ok()--> communication --close | empty frame | function_dead()--> request
//
// Where the reference server has an answer, it is given to the byte. Where it loses, hangs or dies, this is the answer:
//
//   malformed JSON, no object, not UTF-8, no body               <type> 01 "invalid request: ..."; the connection stays
//                                                               usable
//   a token that is no uuid4 (a path, a number, a NUL)          01 01 "invalid token", as the reference has it for most
//   an id that is no uuid4                                      02 01 "no instance exists with id: <what was sent>"
//   larger than a limit                                         the same form, at the header; the body is read past
//   an input for another function, or shorter than an id        04 <id> "invalid function id"
//   a close or an input that crosses the function's end         03|07 01 "invalid request": six bytes of header, as in
//                                                               the reference; what came before tells the client
//
// Refused although the reference takes it: an input with an id other than the open function's. Its own transcripts, and
// ours, are tests/data/bento.
#pragma once

#include <bento/wire/frame.hpp>
#include <bento/wire/limits.hpp>
#include <optional>

namespace bento::wire {

class server {
  public:
    struct need_data {};  ///< all that was fed is consumed
    struct store {
        std::string name;  ///< empty where the client gave none, or no text
        std::string code;  ///< the same: the reference refuses no store
    };
    struct execute {
        std::string call;  ///< any Python expression; one that fails with Python's words where the client gave no text
        uuid4 token;
    };
    struct open {
        uuid4 id;
    };
    /// The client no longer listens to the function; the function goes on. No answer.
    struct close {
        uuid4 id;
    };
    struct input {
        uuid4 id;
        std::string data;  ///< may be empty
    };
    /// Refused already: send `reply` and go on. Nothing of the client's was acted upon.
    struct violation {
        std::string reply;
        std::string_view why;  ///< our words, for a log; static
    };
    using event = std::variant<need_data, store, execute, open, close, input, violation>;

    explicit server(server_limits limits = {}) : limits_{limits} {}

    /// Lends `bytes`, which must stay where they are until next() returns need_data; not to be called before that.
    void feed(std::string_view bytes) { frames_.feed(bytes); }
    /// After store, execute and open, one of their answers below comes first: requests are answered in order.
    event next();

    /// The answers to the last event; std::logic_error where they answer something else. What they return is to be
    /// written as it is.
    std::string reply_stored(const uuid4& token);
    std::string reply_executed(const uuid4& id);
    /// Our words to a store, an execute or an open, at most max_words of them.
    std::string reply_refused(std::string_view words);
    std::string reply_invalid_token();  ///< to an execute: no such function
    std::string open_failed();          ///< no such instance
    void open_ok();                     ///< no bytes: the first message of the function is the answer

    /// Messages of the open function; std::logic_error where none is open. Each is written whole before anything else,
    /// replies and refusals included.
    ///
    /// 41 bytes; then `size` bytes of data follow, in pieces as they come. `size` is at most max_message_data.
    std::string output_begin(std::size_t size) const;
    std::string function_error(std::string_view text) const;
    /// The server's word on an input it cannot deliver; the session goes on.
    std::string refuse_input(std::string_view words) const;
    /// The function has ended and all its output is written. The session ends with it.
    std::string function_dead();

    /// The function that is open.
    const std::optional<uuid4>& session() const { return session_; }
    /// True where the client may close the connection without losing a message.
    bool between_frames() const { return frames_.between_frames(); }

  private:
    void must_answer(type t);
    void must_be_open() const;
    std::optional<event> begin(const frame_reader::begin& frame);
    void keep(std::string_view part);
    std::optional<event> end();
    event end_in_session();
    event end_of_request();
    event refuse(std::string_view words, std::string_view why) const;
    event notice(std::string_view words, std::string_view why) const;
    bool is(type t) const { return type_ == byte_of(t); }

    server_limits limits_;
    frame_reader frames_{frame_reader::from::client};
    std::optional<uuid4> session_;
    std::optional<type> awaited_;  ///< the request that next() returned and nobody has answered
    std::optional<uuid4> opening_;

    // The frame being read.
    std::uint8_t type_ = 0;
    std::uint32_t length_ = 0;
    bool kept_ = false;      ///< its body is collected
    bool answered_ = false;  ///< at its header already
    std::string id_;         ///< of an input: its first 36 bytes
    std::string body_;
};

}  // namespace bento::wire
