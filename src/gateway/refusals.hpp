// The one table from what went wrong to what the client is told.
#pragma once

#include <bento/base/uuid4.hpp>
#include <bento/web/exchange.hpp>
#include <optional>

#include "request.hpp"

namespace bento::gateway {

/// What an error that is not in the table means: whom we asked does not answer.
enum class asked { function_server, directory };

/// As application/problem+json, with the function's id where it runs.
result<void> tell(web::exchange& to, const error& e, const std::optional<uuid4>& id = {},
                  asked whom = asked::function_server);
/// The same, as a message of its own.
std::string problem_of(const error& e);
/// A body that is wrong.
result<void> tell(web::exchange& to, const refusal& r);
/// The function's own words: `function-error`, told apart from everything of ours.
result<void> tell_failure(web::exchange& to, std::string_view words, const std::optional<uuid4>& id);

/// What a person reads of an error in the middle of a stream.
std::string_view words_of(const error& e);

}  // namespace bento::gateway
