#include "page.hpp"

#include <vector>

namespace bento::gateway {
namespace {

struct path {
    const char* method_and_path;
    const char* body;
    const char* does;
};

std::vector<path> paths(const options& o) {
    std::vector<path> out;
    if (o.store)
        out.push_back({"POST /store", R"json({"name": "hello", "code": "def hello(): ..."})json",
                       "store a function; the answer has its token"});
    if (o.exec)
        out.push_back({"POST /exec", R"json({"token": "...", "call": "hello()"})json", "run a function to its end"});
    if (o.open)
        out.push_back({"POST /open", R"json({"token": "...", "call": "hello()", "mode": "first"})json",
                       "run a function and return what it sends: the first message, all of them, or each as it comes "
                       "(mode first, all or stream)"});
    return out;
}

}  // namespace

std::string html_page(const options& o) {
    std::string out = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>A hidden Bento server</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
dt { margin-top: 1.2rem; font-weight: 600; }
dd { margin: .2rem 0 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .7rem; border: 1px solid #8886; border-radius: .3rem; }
</style>
</head>
<body>
<h1>A hidden Bento server</h1>
<p>This onion service runs small Python functions. A function is named by its token, a random UUID; whoever knows the
token can call it. Functions run in a sandbox without network.</p>
<dl>
)html";
    for (const auto& p : paths(o)) {
        out += std::string{"<dt><code>"} + p.method_and_path + "</code></dt>\n<dd>" + p.does + "<br><code>" + p.body +
               "</code></dd>\n";
    }
    out += "</dl>\n";
    if (o.open)
        out += R"html(<p>With curl and a local Tor:</p>
<pre>curl --socks5-hostname 127.0.0.1:9050 --json '{"token": "...", "call": "hello()"
}' http://ADDRESS.onion/open</pre>
)html";
    out += o.literal_calls ? "<p>A call is a name and literal arguments, such as <code>add(9, 10)</code>.</p>\n" : "";
    return out + "</body>\n</html>\n";
}

std::string json_page(const options& o) {
    std::string list;
    for (const auto& p : paths(o))
        list += std::string{list.empty() ? "" : ","} + "\"" + p.method_and_path + "\"";
    return "{\"service\":\"bento\",\"paths\":[\"GET /\"" + (list.empty() ? "" : "," + list) + "],\"calls\":\"" +
           (o.literal_calls ? "literal" : "any") + "\",\"max_body\":" + std::to_string(o.max_body) + "}\n";
}

}  // namespace bento::gateway
