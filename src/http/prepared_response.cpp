#include <bento/http/prepared_response.hpp>

#include "fields.hpp"

namespace bento::http {

prepared_response::prepared_response(int status, std::span<const field> fields, std::string_view body) {
    std::string out;
    append_status_and_fields(out, status, fields);
    append_content_length(out, body.size());
    head_ = out.size();
    out.append("\r\n").append(body);
    whole_ = std::make_shared<const std::string>(std::move(out));
}

}  // namespace bento::http
