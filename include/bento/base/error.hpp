// What can fail returns a result: a value, or an error that keeps our words apart from the peer's.
//
// Each room has one documented `enum class errc` and registers it with BENTO_ERRC; a room's functions return result<T>.
// Expected failure returns; missing infrastructure (no memory, no randomness) throws.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bento {

struct error {
    boost::system::error_code code;
    /// Our words: what was being done, to what. May be empty. Never holds a secret, an address of a client or bytes of
    /// a peer.
    std::string detail;
    /// The peer's own words (a reply of tor, the message of a function), never to be taken for ours. May be empty.
    std::string peer;

    error() = default;
    error(boost::system::error_code c, std::string d = {}, std::string p = {})
        : code{c}, detail{std::move(d)}, peer{std::move(p)} {}
    template <class Errc>
    requires boost::system::is_error_code_enum<Errc>::value error(Errc e, std::string d = {}, std::string p = {})
        : error{make_error_code(e), std::move(d), std::move(p)} {}

    /// One line for a person: "detail: what the code says (the peer's words)".
    std::string message() const;
};

template <class T>
using result = boost::system::result<T, error>;

/// What result::value() throws.
class failure : public std::runtime_error {
  public:
    explicit failure(const error& e) : std::runtime_error{e.message()}, what_failed{e} {}
    error what_failed;
};

[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location&);

/// The category of a room's errc, made from its name and a function from value to text.
template <class Errc>
class errc_category final : public boost::system::error_category {
  public:
    using text_function = std::string_view (*)(Errc);
    constexpr errc_category(const char* room, text_function text) : room_{room}, text_{text} {}
    const char* name() const noexcept override { return room_; }
    std::string message(int value) const override { return std::string{text_(static_cast<Errc>(value))}; }

  private:
    const char* room_;
    text_function text_;
};

}  // namespace bento

/// Makes `ROOM::errc` an error code enum. `std::string_view to_text(ROOM::errc)` must be declared in the room.
#define BENTO_ERRC(ROOM)                                                                 \
    namespace bento::ROOM {                                                              \
    inline boost::system::error_code make_error_code(errc e) {                           \
        static constexpr ::bento::errc_category<errc> category{"bento." #ROOM, to_text}; \
        return {static_cast<int>(e), category};                                          \
    }                                                                                    \
    }                                                                                    \
    template <>                                                                          \
    struct boost::system::is_error_code_enum<bento::ROOM::errc> : std::true_type {}
