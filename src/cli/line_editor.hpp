// A terminal's lines, edited with history and completion, while other things go on. There is one at a time: readline's
// callbacks carry no context.
#pragma once

#include <bento/net/asio.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bento::cli {

class line_editor {
  public:
    /// What the word that begins after `line` may become. The first word is followed by a space; another may go on, as
    /// an option with its value.
    using completer = std::function<std::vector<std::string>(std::string_view line, std::string_view word)>;

    /// The history is read from the file, and written there at the end. Its folder is made, if need be.
    line_editor(asio::any_io_executor executor, std::filesystem::path history, completer complete);
    ~line_editor();
    line_editor(const line_editor&) = delete;
    line_editor& operator=(const line_editor&) = delete;

    /// The next line; base::errc::not_found at the end of the input.
    task<std::string> next(std::string prompt);
    /// Takes a line into the history.
    void remember(const std::string& line);
    /// Prints while a line is edited, which then stands below.
    void above(const std::function<void()>& print);

  private:
    static void take(char* line);
    static char** offer(const char* word, int start, int end);

    asio::posix::stream_descriptor keys_;
    std::filesystem::path history_;
    completer complete_;
    std::vector<std::string> offered_;
    bool is_editing_ = false;
    std::optional<std::string> line_;  // of the last next()
};

}  // namespace bento::cli
