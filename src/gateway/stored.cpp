#include "stored.hpp"

#include <fmt/format.h>

#include <bento/base/secret.hpp>

#include "refusals.hpp"

namespace bento::gateway {
namespace {

constexpr std::chrono::seconds connect_limit{5};

task<uuid4> store(const options& o, const store_request& request) {
    const auto deadline = clock::now() + o.deadline;
    auto server =
        co_await client::bento_connection::connect(o.server, std::min(deadline, clock::now() + connect_limit));
    if (!server) co_return server.error();
    server->expires_at(deadline);
    co_return co_await server->store(request.name, request.code);
}

bool may_store(const options& o, const store_request& request) {
    switch (o.store_who) {
        case options::storers::anyone:
            return true;
        case options::storers::credential:
            return request.credential && o.is_credential && o.is_credential(*request.credential);
        case options::storers::operator_:
            break;
    }
    return false;
}

/// The token, where its owner asks.
checked<result<uuid4>> owned_token(const options& o, std::string_view body) {
    const auto request = parse_owner(body);
    if (!request) return request.error();
    const auto expected = o.owner_token_of(request->token);
    if (!secret::same(as_byte_view(expected.text()), as_byte_view(request->owner_token.text())))
        return result<uuid4>{errc::not_authorised};
    return result<uuid4>{request->token};
}

}  // namespace

task<void> answer_store(context c, web::exchange& to) {
    const auto& o = *c.with;
    const auto request = parse_store(to.body());
    if (!request) co_return tell(to, request.error());
    if (!may_store(o, *request)) co_return tell(to, errc::not_authorised);
    const auto token = co_await store(o, *request);
    if (!token) co_return tell(to, token.error());
    if (o.stored) o.stored(*token, request->name, request->code);
    auto body = fmt::format("{{\"token\":\"{}\"", token->text());
    if (o.owner_token_of) body += fmt::format(",\"owner_token\":\"{}\"", o.owner_token_of(*token).text());
    co_return to.json(200, body + "}\n");
}

task<void> answer_delete(context c, web::exchange& to) {
    if (!c.with->remove) co_return tell(to, errc::cannot_delete);
    const auto token = owned_token(*c.with, to.body());
    if (!token) co_return tell(to, token.error());
    if (!*token) co_return tell(to, token->error());
    const auto removed = co_await c.with->remove(**token);
    if (!removed) co_return tell(to, removed.error());
    co_return to.respond(204, {}, {});
}

task<void> answer_register(context c, web::exchange& to) {
    const auto token = owned_token(*c.with, to.body());
    if (!token) co_return tell(to, token.error());
    if (!*token) co_return tell(to, token->error());
    const auto entry = co_await c.with->publish(**token);
    if (!entry) co_return tell(to, entry.error(), {}, asked::directory);
    co_return to.json(200, *entry);
}

}  // namespace bento::gateway
