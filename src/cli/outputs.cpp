#include "outputs.hpp"

#include <bento/base/encoding.hpp>
#include <bento/http/problem.hpp>

namespace bento::cli {
namespace {

/// An output: {"data"}, or {"data_base64"} where it is not UTF-8.
std::string as_json(std::string_view output) {
    if (http::is_utf8(output)) return "{\"data\":" + http::json_string(output) + "}";
    return "{\"data_base64\":\"" + base64_encode(as_byte_view(output)) + "\"}";
}

}  // namespace

client::output_sink output_to(const globals& g, const terminal& out, asio::any_io_executor executor, bool no_input) {
    client::output_sink sink;
    sink.data = [&out, json = g.json, whole = std::string{}, line_is_open = false](std::string_view part,
                                                                                   bool last) mutable {
        if (!json) {
            out.data(part);
            if (!part.empty()) line_is_open = part.back() != '\n';
            // Outputs have no line ends of their own: on a terminal the next one, or the prompt, begins on a new line.
            if (last && line_is_open && out.stdout_is_terminal()) out.data("\n");
            return;
        }
        whole += part;
        if (!last) return;
        out.line(as_json(whole));
        whole.clear();
    };
    sink.failed = [](std::string_view) {};  // it is the error that is returned
    if (!no_input && has_input())
        sink.input = [lines = std::make_shared<line_input>(executor)] { return lines->next(); };
    return sink;
}

}  // namespace bento::cli
