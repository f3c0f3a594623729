// What a person sees: data on stdout, talk on stderr, progress as a bar on a terminal and as plain lines elsewhere.
#pragma once

#include <bento/base/error.hpp>
#include <string>
#include <string_view>

#include "command.hpp"

namespace bento::cli {

class terminal {
  public:
    explicit terminal(const globals& g);

    /// To stdout, as it is; flushed. An error is thrown as std::system_error: a full disk must not look like success.
    void data(std::string_view bytes) const;
    void line(std::string_view text) const;
    /// `bentoctl: text` on stderr, unless -q.
    void say(std::string_view text);
    /// Details, with -v.
    void detail(std::string_view text);
    void warn(std::string_view text);
    void fail(std::string_view what);
    void fail(const error& e) { fail(e.message()); }
    void hint(std::string_view text);

    bool stdout_is_terminal() const { return stdout_is_terminal_; }
    bool stderr_is_terminal() const { return is_terminal_; }
    bool colour() const { return colour_; }
    bool quiet() const { return quiet_; }

    /// Shows `label` at `percent`; on a terminal one line that is redrawn, elsewhere a line for each new label.
    void progress(std::string_view label, unsigned percent);
    /// Ends the bar's line.
    void progress_done();

  private:
    void to_stderr(std::string_view text) const;
    std::string styled(std::string_view code, std::string_view text) const;

    bool stdout_is_terminal_ = false;
    bool is_terminal_ = false;
    bool colour_ = false;
    bool quiet_ = false;
    int verbosity_ = 0;
    bool bar_is_up_ = false;
    std::string last_label_;
};

/// What exit(3) gets for an error (bentoctl(1), EXIT STATUS).
int exit_status(const error& e);
/// The next step, where one is known; empty otherwise.
std::string hint_for(const error& e);

}  // namespace bento::cli
