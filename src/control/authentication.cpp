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

authentication::failed authentication::about_cookie(std::string why, std::string peer) const {
    return {{errc::cookie_unusable, path_ + (why.empty() ? "" : ": " + why), std::move(peer)}};
}

authentication::action authentication::on_protocol_info(const result<protocol_info::reply_type>& answer) {
    if (!answer) return failed{answer.error()};
    if (answer->null) return send_proof{};
    if (password_ && answer->hashed_password) {
        tried_ = "the password";
        return send_proof{{std::move(*password_)}};
    }
    safe_ = answer->safe_cookie;
    path_ = cookie_path_ ? *cookie_path_ : safe_ ? answer->cookie_file : std::string{};
    if ((safe_ || answer->cookie) && !path_.empty()) {
        tried_ = "the cookie in " + path_;
        return read_cookie{path_};
    }
    if (answer->hashed_password) return failed{errc::password_needed};
    if (safe_) return failed{{errc::cookie_unusable, "tor does not say where its cookie is"}};
    if (answer->cookie)
        return failed{{errc::no_method, "a raw cookie is read only from a file that was named to us, not by tor"}};
    return failed{errc::no_method};
}

authentication::action authentication::on_cookie(result<secret> content) {
    if (!content) {
        const auto& why = content.error();
        return about_cookie(why.code.message(), why.peer);
    }
    if (content->size() != cookie_size) return about_cookie("a cookie has 32 bytes");
    if (!safe_) return send_proof{{std::move(*content)}};
    cookie_ = std::move(*content);
    nonce_.resize(auth_challenge::smallest_nonce);
    random_(nonce_);
    return ask_challenge{{nonce_}};
}

authentication::action authentication::on_challenge(const result<auth_challenge::reply_type>& answer) {
    if (!answer) return failed{answer.error()};
    const auto expected = proof_of(server_constant, cookie_.view(), nonce_, answer->server_nonce);
    if (!secret::same(expected.view(), answer->server_hash)) return failed{{errc::impostor, tried_}};
    return send_proof{{proof_of(client_constant, cookie_.view(), nonce_, answer->server_nonce)}};
}

authentication::action authentication::on_authenticated(const result<done>& answer) {
    if (answer) return finished{};
    auto why = answer.error();
    if (why.detail.empty()) why.detail = tried_;
    return failed{std::move(why)};
}

}  // namespace bento::control
