#include <sodium.h>

#include <bento/control/authentication.hpp>

namespace bento::control {
namespace {

constexpr std::string_view server_constant = "Tor safe cookie authentication server-to-controller hash";
constexpr std::string_view client_constant = "Tor safe cookie authentication controller-to-server hash";

secret proof_of(std::string_view constant, byte_view cookie, byte_view client_nonce, byte_view server_nonce) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, as_byte_view(constant).data(), constant.size());
    for (const auto part : {cookie, client_nonce, server_nonce})
        crypto_auth_hmacsha256_update(&state, part.data(), part.size());
    secret out{crypto_auth_hmacsha256_BYTES};
    crypto_auth_hmacsha256_final(&state, out.writable().data());
    sodium_memzero(&state, sizeof state);
    return out;
}

}  // namespace

authentication::action authentication::on_protocol_info(const result<protocol_info::reply_type>& answer) {
    if (!answer) return failed{answer.error()};
    if (answer->null) return send_proof{};
    const auto path = cookie_path_ ? *cookie_path_ : answer->cookie_file;
    if (password_ && answer->hashed_password) return send_proof{{std::move(*password_)}};
    if ((answer->safe_cookie || answer->cookie) && !path.empty()) {
        safe_ = answer->safe_cookie;
        return read_cookie{path};
    }
    if (answer->hashed_password) return failed{errc::password_needed};
    return failed{errc::no_method};
}

authentication::action authentication::on_cookie(result<secret> content) {
    if (!content) return failed{{errc::cookie_unusable, content.error().detail, content.error().peer}};
    if (content->size() != cookie_size) return failed{{errc::cookie_unusable, "it does not hold 32 bytes"}};
    if (!safe_) return send_proof{{std::move(*content)}};
    cookie_ = std::move(*content);
    nonce_.resize(32);
    random_(nonce_);
    return ask_challenge{{nonce_}};
}

authentication::action authentication::on_challenge(const result<auth_challenge::reply_type>& answer) {
    if (!answer) return failed{answer.error()};
    const auto expected = proof_of(server_constant, cookie_.view(), nonce_, answer->server_nonce);
    if (!secret::same(expected.view(), answer->server_hash)) return failed{errc::impostor};
    return send_proof{{proof_of(client_constant, cookie_.view(), nonce_, answer->server_nonce)}};
}

authentication::action authentication::on_authenticated(const result<done>& answer) {
    if (!answer) return failed{answer.error()};
    return finished{};
}

}  // namespace bento::control
