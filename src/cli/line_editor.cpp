#include "line_editor.hpp"

#include <editline/readline.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <bento/base/errc.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

namespace bento::cli {
namespace {

/// Lines that are kept.
constexpr int history_length = 1000;

line_editor* current = nullptr;

}  // namespace

line_editor::line_editor(asio::any_io_executor executor, std::filesystem::path history, completer complete)
    // A duplicate, since closing it must not close standard input.
    : keys_{executor, ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)},
      history_{std::move(history)},
      complete_{std::move(complete)} {
    current = this;
    ::using_history();
    ::stifle_history(history_length);
    ::read_history(history_.c_str());  // the first time there is none
    rl_readline_name = "bentoctl";
    rl_attempted_completion_function = offer;
}

line_editor::~line_editor() {
    if (is_editing_) {
        ::rl_callback_handler_remove();
        static_cast<void>(::write(STDOUT_FILENO, "\n", 1));
    }
    std::error_code ignored;  // a history that cannot be kept costs nobody anything
    std::filesystem::create_directories(history_.parent_path(), ignored);
    ::write_history(history_.c_str());
    current = nullptr;
}

/// Called by readline with a whole line, or with nothing at the end of the input.
void line_editor::take(char* line) {
    auto& self = *current;
    ::rl_callback_handler_remove();
    self.is_editing_ = false;
    if (line == nullptr) return;
    self.line_ = line;
    ::free(line);
}

char** line_editor::offer(const char* word, int start, int) {
    rl_attempted_completion_over = 1;  // never a file's name
    rl_completion_append_character = start == 0 ? ' ' : '\0';
    const std::string_view whole{rl_line_buffer};
    current->offered_ = current->complete_(whole.substr(0, static_cast<std::size_t>(start)), word);
    static const auto next = [](const char*, int again) -> char* {
        static std::size_t at;
        if (again == 0) at = 0;
        const auto& offered = current->offered_;
        return at < offered.size() ? ::strdup(offered[at++].c_str()) : nullptr;
    };
    return rl_completion_matches(word, +next);
}

task<std::string> line_editor::next(std::string prompt) {
    line_.reset();
    ::rl_callback_handler_install(prompt.c_str(), take);
    is_editing_ = true;
    while (is_editing_) {
        co_await keys_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        // Whoever writes to the same terminal does not expect that it may refuse.
        ::fcntl(STDIN_FILENO, F_SETFL, ::fcntl(STDIN_FILENO, F_GETFL) & ~O_NONBLOCK);
        ::rl_callback_read_char();
    }
    if (!line_) co_return base::errc::not_found;
    co_return *line_;
}

void line_editor::remember(const std::string& line) { ::add_history(line.c_str()); }

void line_editor::above(const std::function<void()>& print) {
    constexpr std::string_view erase_line = "\r\x1b[K";
    if (is_editing_) static_cast<void>(::write(STDOUT_FILENO, erase_line.data(), erase_line.size()));
    print();
    if (is_editing_) ::rl_forced_update_display();
}

}  // namespace bento::cli
