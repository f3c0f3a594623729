#include "terminal.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace bento::cli {
namespace {

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

unsigned columns() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

}  // namespace

terminal::terminal(const globals& g) : quiet_{g.quiet}, verbosity_{g.verbosity} {
    stdout_is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
    is_terminal_ = ::isatty(STDERR_FILENO) == 1;
    const char* no_color = ::getenv("NO_COLOR");
    const bool wanted = is_terminal_ && (no_color == nullptr || *no_color == '\0');
    colour_ = g.use_colour == globals::colour::always || (g.use_colour == globals::colour::automatic && wanted);
}

void terminal::data(std::string_view bytes) const {
    if (!write_all(STDOUT_FILENO, bytes)) throw std::system_error{errno, std::generic_category(), "standard output"};
}
void terminal::line(std::string_view text) const { data(fmt::format("{}\n", text)); }

void terminal::to_stderr(std::string_view text) const {
    write_all(STDERR_FILENO, text);  // where stderr is closed, nobody is there to be told
}

std::string terminal::styled(std::string_view code, std::string_view text) const {
    return colour_ ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string{text};
}

void terminal::say(std::string_view text) {
    progress_done();
    if (!quiet_) to_stderr(fmt::format("bentoctl: {}\n", text));
}
void terminal::detail(std::string_view text) {
    if (verbosity_ > 0) say(text);
}
void terminal::warn(std::string_view text) {
    progress_done();
    to_stderr(fmt::format("bentoctl: {} {}\n", styled("33", "warning:"), text));
}
void terminal::fail(std::string_view what) {
    progress_done();
    to_stderr(fmt::format("bentoctl: {} {}\n", styled("31", "error:"), what));
}
void terminal::hint(std::string_view text) {
    progress_done();
    to_stderr(fmt::format("bentoctl: {} {}\n", styled("36", "hint:"), text));
}

void terminal::progress(std::string_view label, unsigned percent) {
    if (quiet_) return;
    percent = std::min(percent, 100U);
    if (!is_terminal_) {
        if (label != last_label_) to_stderr(fmt::format("bentoctl: {}\n", label));
        last_label_ = label;
        return;
    }
    constexpr unsigned label_width = 34;
    const auto room = columns();
    const auto bar = room > label_width + 12 ? std::min(40U, room - label_width - 8) : 0U;
    const auto full = bar * percent / 100;
    to_stderr(fmt::format("\r\033[K{:<{}.{}} [{:=<{}}{: <{}}] {:3}%", label, label_width, label_width, "", full, "",
                          bar - full, percent));
    bar_is_up_ = true;
}

void terminal::progress_done() {
    if (std::exchange(bar_is_up_, false)) to_stderr("\n");
}

}  // namespace bento::cli
