// `GET /`: what this onion offers, for a person and for a program; and `GET /policy`. The same bytes for everybody.
#pragma once

#include <bento/gateway/gateway.hpp>
#include <string>

namespace bento::gateway {

std::string html_page(const options& o);
std::string json_page(const options& o);
std::string json_policy(const options& o);

}  // namespace bento::gateway
