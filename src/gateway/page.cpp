#include "page.hpp"

#include <fmt/format.h>

#include <bento/http/problem.hpp>

namespace bento::gateway {
namespace {

struct path {
    std::string method;
    std::string name;
    std::string body;  ///< an example
    std::string does;
};

std::string example_of(const custom_route& r) {
    std::string out;
    for (const auto& [name, argument] : r.arguments)
        out += fmt::format("{}\"{}\": ...", out.empty() ? "" : ", ", name);
    return "{" + out + "}";
}

std::string counted(std::uint64_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string duration(std::chrono::milliseconds d) {
    using namespace std::chrono;
    if (d % hours{1} == d.zero()) return counted(static_cast<std::uint64_t>(d / hours{1}), "hour");
    if (d % minutes{1} == d.zero()) return counted(static_cast<std::uint64_t>(d / minutes{1}), "minute");
    if (d % seconds{1} == d.zero()) return counted(static_cast<std::uint64_t>(d / seconds{1}), "second");
    return fmt::format("{} seconds", static_cast<double>(d.count()) / 1000);
}

std::string size(std::uint64_t bytes) {
    if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
    if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return fmt::format("{} KiB", bytes >> 10);
    return counted(bytes, "byte");
}

std::string does(const custom_route& r) {
    std::string out = "Runs a function and answers with ";
    if (!r.collect_messages && !r.collect_seconds) return out + "the first message that it sends.";
    out += r.collect_messages ? counted(*r.collect_messages, "message") + " that it sends" : "what it sends";
    if (r.collect_seconds) out += fmt::format(" within {:g} seconds", *r.collect_seconds);
    return out + ".";
}

std::vector<path> paths(const options& o) {
    std::vector<path> out;
    const auto add = [&](bool offered, path p) {
        if (offered) out.push_back(std::move(p));
    };
    add(o.store, {"POST", "/store", R"json({"name": "hello", "code": "def hello(): ..."})json",
                  o.owner_token_of ? "Stores a function. Answers with its token and its owner token."
                                   : "Stores a function. Answers with its token."});
    add(o.exec, {"POST", "/exec", R"json({"token": "...", "call": "hello()"})json",
                 "Runs a function to its end; with \"detach\": true, answers at once with its id."});
    add(o.open,
        {"POST", "/open", R"json({"token": "...", "call": "hello()", "mode": "first"})json",
         "Runs a function; answers with its first message, all, or each as it comes (\"first\", \"all\", \"stream\"). "
         "A \"function_id\" in place of token and call goes on with one that runs."});
    add(o.input,
        {"POST", "/input", R"json({"function_id": "...", "data": "..."})json", "Sends a running function a message."});
    add(o.offers_close(), {"POST", "/close", R"json({"function_id": "..."})json", "Ends a running function."});
    add(o.session, {"GET", "/session", "", "Output and input of a function by WebSocket."});
    add(o.offers_register(), {"POST", "/register", R"json({"token": "...", "owner_token": "..."})json",
                              "Publishes a function in the directory: its token alone finds it."});
    add(o.offers_delete(), {"POST", "/delete", R"json({"token": "...", "owner_token": "..."})json",
                            "Deletes a stored function and ends its runs."});
    for (const auto& r : o.routes)
        out.push_back(
            {r.arguments.empty() ? "GET" : "POST", r.path, r.arguments.empty() ? "" : example_of(r), does(r)});
    out.push_back({"GET", "/policy", "", "What the operator allows, as JSON."});
    return out;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

std::string_view who(const options& o) {
    switch (o.store_who) {
        case options::storers::anyone:
            return "anyone";
        case options::storers::credential:
            return "credential";
        case options::storers::operator_:
            break;
    }
    return "operator";
}

std::string policy_for_people(const options& o) {
    std::string out;
    if (o.store)
        out += o.store_who == options::storers::anyone       ? "<li>Anyone may store functions.\n"
               : o.store_who == options::storers::credential ? "<li>Storing a function needs a credential.\n"
                                                             : "<li>Only the operator stores functions.\n";
    out += o.literal_calls ? "<li>A call is a name and literals, such as add(9, 10).\n"
                           : "<li>A call is any Python expression.\n";
    for (const auto& line : o.policy_lines)
        out += "<li>" + escaped(line) + "\n";
    out +=
        fmt::format("<li>A request has up to {}, and its answer within {}.\n", size(o.max_body), duration(o.deadline));
    out += fmt::format("<li>A run that nobody reads is ended after {}.\n", duration(o.ttl));
    return out;
}

}  // namespace

/// Short, because each byte crosses Tor, in cells of less than half a kilobyte: tags that HTML lets one omit are
/// omitted, and what a browser may load is said here, not in the head of the answer, which every client parses. And an
/// answer of up to 2,350 bytes goes TCP's fast path on loopback, as does the request after it (Linux 6.18, TCPHPHits):
/// a bare server answers 3 % more of them in a second.
std::string html_page(const options& o) {
    std::string out = R"html(<!doctype html>
<html lang="en">
<meta http-equiv="content-security-policy" content="default-src 'none';style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>A hidden Bento server</title>
<style>
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}
dt{margin-top:1rem;font-weight:600}
dd{margin:0}
dt,dd+dd,pre{font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere}
</style>
<h1>A hidden Bento server</h1>
<p>It runs small Python functions. Whoever has a function's token, a random UUID, can call it.)html";
    out += o.is_embedded() ? " Each call has a sandbox of its own, and nobody learns where.\n"
                           : " Nobody learns where it runs.\n";
    out += "<h2>Paths</h2>\n<dl>\n";
    for (const auto& p : paths(o)) {
        out += "<dt>" + p.method + " " + escaped(p.name) + "<dd>" + p.does;
        if (!p.body.empty()) out += "<dd>" + escaped(p.body);
        out += "\n";
    }
    out += "</dl>\n<p>Bodies are JSON objects, errors are problem details (RFC 9457).\n";
    if (o.open)
        out += R"html(<h2>With curl and a local Tor</h2>
<pre>curl --socks5-hostname 127.0.0.1:9050 ADDRESS.onion/open --json '{"token": "...", "call": "hello()"}'</pre>
)html";
    return out + "<h2>What the operator allows</h2>\n<ul>\n" + policy_for_people(o) + "</ul>\n";
}

std::string json_page(const options& o) {
    std::string list = "\"GET /\"";
    for (const auto& p : paths(o))
        list += "," + http::json_string(p.method + " " + p.name);
    return fmt::format("{{\"service\":\"bento\",\"paths\":[{}],\"calls\":\"{}\",\"max_body\":{}}}\n", list,
                       o.literal_calls ? "literal" : "any", o.max_body);
}

std::string json_policy(const options& o) {
    const auto seconds = [](std::chrono::milliseconds d) { return static_cast<double>(d.count()) / 1000; };
    return fmt::format(
        "{{\"store\":\"{}\",\"calls\":\"{}\",\"max_body\":{},\"deadline_seconds\":{},\"ttl_seconds\":{},"
        "\"functions\":{},\"box\":{}}}\n",
        o.store ? who(o) : "operator", o.literal_calls ? "literal" : "any", o.max_body, seconds(o.deadline),
        seconds(o.ttl), o.functions, o.is_embedded() ? "{" + o.policy + "}" : "null");
}

}  // namespace bento::gateway
