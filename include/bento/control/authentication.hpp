// Authentication (control-spec sections 3.5, 3.21, 3.24) as a machine: it says what to do next, its driver does it.
//
// In this order: nothing where tor asks for nothing; a password where one was given and tor takes it; the safe cookie,
// for which tor proves first that it knows the file. The raw cookie is the last resort and goes only where tor offers
// no safe one and the user named the file: whoever listens on a hostile port could name any file of ours as its cookie
// and be sent it. Nothing is tried twice: tor closes the connection after a refused AUTHENTICATE, and whoever wants to
// try something else connects anew.
#pragma once

#include <bento/base/random.hpp>
#include <bento/control/command.hpp>
#include <optional>
#include <string>
#include <variant>

namespace bento::control {

class authentication {
  public:
    static constexpr std::size_t cookie_size = 32;

    struct ask_protocol_info {};  ///< send PROTOCOLINFO, then on_protocol_info()
    struct read_cookie {
        std::string path;  ///< read this file, then on_cookie()
    };
    struct ask_challenge {
        auth_challenge command;  ///< send it, then on_challenge()
    };
    struct send_proof {
        authenticate command;  ///< send it, then on_authenticated()
    };
    struct finished {};  ///< authenticated
    struct failed {
        /// password_needed, cookie_unusable (naming the file), impostor, no_method; or tor's refusal, mostly
        /// errc::authentication_failed, saying what was tried: "the password", "the cookie in PATH".
        bento::error error;
    };
    using action = std::variant<ask_protocol_info, read_cookie, ask_challenge, send_proof, finished, failed>;

    /// `cookie_path` is read in place of the file that tor names.
    authentication(std::optional<secret> password, std::optional<std::string> cookie_path,
                   random_source random = system_random())
        : password_{std::move(password)}, cookie_path_{std::move(cookie_path)}, random_{std::move(random)} {}

    action begin() const { return ask_protocol_info{}; }
    action on_protocol_info(const result<protocol_info::reply_type>& answer);
    action on_cookie(result<secret> content);
    action on_challenge(const result<auth_challenge::reply_type>& answer);
    action on_authenticated(const result<done>& answer);

  private:
    failed about_cookie(std::string why, std::string peer = {}) const;

    std::optional<secret> password_;
    std::optional<std::string> cookie_path_;
    random_source random_;
    std::string tried_;  // what tor may refuse, for a person
    std::string path_;   // of the cookie
    bool safe_ = false;
    secret cookie_;
    std::vector<std::uint8_t> nonce_;
};

}  // namespace bento::control
