// Building the line of a command, and the checks of its arguments.
#pragma once

#include <bento/control/command.hpp>
#include <bento/control/wiped_buffer.hpp>
#include <string>
#include <string_view>

namespace bento::control {

/// Nothing of what is added stays behind in memory that was let go.
class line {
  public:
    explicit line(std::string_view start) { add(start); }
    line& add(std::string_view text) {
        buffer_.append(text);
        return *this;
    }
    line& add(std::uint64_t number) { return add(std::to_string(number)); }
    secret end(std::string_view with = "\r\n") {
        add(with);
        secret out{buffer_.text()};
        buffer_.clear();
        return out;
    }

  private:
    wiped_buffer buffer_;
};

/// `+COMMAND ...` CRLF, the text with its dots stuffed and its lines ended by CRLF, a dot. errc::invalid_argument for
/// NUL and for a CR that ends no line. A last line without an end gets one.
result<secret> with_data(line head, std::string_view text, std::string_view what);

/// Names of events, options and signals: letters, digits and `_`.
result<void> must_be_word(std::string_view text, std::string_view what);
/// Arguments of commands that read no quoting: printable ASCII without space and quotes, which tor 0.4.9 refuses.
result<void> must_be_plain(std::string_view text, std::string_view what);
/// 56 characters of lower-case base32. tor matches by case and takes no ".onion".
result<void> must_be_service_id(std::string_view text);

result<done> parse_done(const reply& r, std::string_view what);

/// What `text` says after `prefix`; nothing where it begins otherwise.
std::optional<std::string_view> after(std::string_view text, std::string_view prefix);

}  // namespace bento::control
