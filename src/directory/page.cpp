#include "page.hpp"

#include <fmt/format.h>

#include <bento/base/encoding.hpp>
#include <bento/base/utf8.hpp>
#include <bento/entry/owner.hpp>
#include <boost/json.hpp>

namespace bento::directory {

namespace json = boost::json;

namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

std::string page(std::string_view title, std::string_view body) {
    return fmt::format(R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.2; }}
h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
dt {{ margin-top: 1.2rem; font-weight: 600; }}
dd {{ margin: .2rem 0 0; overflow-wrap: anywhere; }}
code, pre, input {{ font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }}
pre, .warning {{ padding: .7rem; border: 1px solid #8886; border-radius: .3rem; }}
pre {{ white-space: pre-wrap; }}
.warning {{ border: 2px solid #d33; font-weight: 600; }}
form {{ margin: 2rem 0; }}
input {{ box-sizing: border-box; width: 100%; padding: .5rem; }}
button {{ margin-top: .5rem; padding: .5rem 1rem; font: inherit; }}
</style>
</head>
<body>
{}</body>
</html>
)html",
                       title, body);
}

std::string form(std::string_view asked = {}) {
    return fmt::format(R"html(<form action="/lookup" method="get">
<label for="token">Token, or token#fingerprint</label>
<input id="token" name="token" value="{}" maxlength="80" autocomplete="off" spellcheck="false" required
 placeholder="7e620807-59fd-498d-94f9-1722672411ab">
<button>Look up</button>
</form>
)html",
                       escaped(asked));
}

void add(std::string& out, std::string_view name, std::string_view html) {
    out += fmt::format("<dt>{}</dt>\n<dd>{}</dd>\n", name, html);
}

}  // namespace

std::string information_page(const options& o) {
    return page("A Bento Function Directory", fmt::format(R"html(<h1>A Bento Function Directory</h1>
<p>A Bento function is named by its token, a random UUID. This directory knows the onion service that runs it now. What
it says is signed by the function's owner, and your program checks that: the directory cannot point a token elsewhere.</p>
{}<h2>To run a function</h2>
<pre>bentoctl open --directory ADDRESS.onion TOKEN 'hello()'</pre>
<h2>For programs</h2>
<dl>
<dt><code>GET /lookup/TOKEN</code></dt>
<dd>the entry as JSON; 404 where there is none, 410 where its owner has ended it</dd>
<dt><code>POST /register</code></dt>
<dd>new entries, with a password that guards them from then on: <code>{{"entries": [...], "account": "...",
"password": "..."}}</code></dd>
<dt><code>POST /reregister</code></dt>
<dd>the same entries with a new onion, a higher number and the same password</dd>
<dt><code>POST /unregister</code></dt>
<dd>their end, signed by their owner; the token is never given away again</dd>
</dl>
<p>Tokens are random UUIDs of version 4. The first registration of a token binds for ever. Code has at most {} KiB, an
account at most {} entries. There is no list of tokens.</p>
)html",
                                                          form(), o.max_code / 1024, o.entries_per_account));
}

std::string information_json(const options& o) {
    return json::serialize(json::object{
               {"service", "bento-function-directory"},
               {"paths", {"GET /", "GET /lookup/TOKEN", "POST /register", "POST /reregister", "POST /unregister"}},
               {"max_code", o.max_code},
               {"entries_per_account", o.entries_per_account}}) +
           "\n";
}

std::string entry_page(std::string_view document, std::string_view fingerprint, entry::day today) {
    boost::system::error_code failed;
    const auto v = json::parse(document, failed);
    const auto* o = v.if_object();
    if (failed || o == nullptr) return failure_page("No answer", "The directory cannot read its entry.");
    if (const auto dead = entry::tombstone_from_json(*o))
        return failure_page("Ended", "The owner of this function has ended its registration.", dead->token.text());
    const auto e = entry::entry_from_json(*o);
    if (!e) return failure_page("No answer", "The directory cannot read its entry.");
    std::string above, below, list;
    add(list, "Token", fmt::format("<code>{}</code>", e->token.text()));
    add(list, "Name", e->name.empty() ? "none" : fmt::format("<bdi>{}</bdi>", escaped(e->name)));
    add(list, "Onion service", fmt::format("<a href=\"http://{0}/\"><code>{0}</code></a>", e->onion.host()));
    if (e->signed_by) {
        const auto print = entry::fingerprint(e->signed_by->owner);
        std::string owner = fmt::format("fingerprint <code>{}</code>", print);
        if (fingerprint == print)
            owner += ", as the share string says";
        else if (!fingerprint.empty())
            above =
                "<p class=\"warning\">This is not the owner that the share string names. Do not use this entry.</p>\n";
        if (!entry::check_day(*e, today))
            above += "<p class=\"warning\">This entry is no longer valid: its owner has not renewed it.</p>\n";
        add(list, "Owner", owner);
        add(list, "Valid",
            fmt::format("until {} (UTC), sequence number {}", entry::to_text(e->signed_by->not_after),
                        e->signed_by->seq));
        below = "<p>A page cannot check signatures: <code>bentoctl lookup</code> does, and remembers the owner.</p>\n";
    } else {
        above = "<p class=\"warning\">This entry is unsigned: only this directory vouches for it.</p>\n";
    }
    add(list, "SHA-256 of the code", fmt::format("<code>{}</code>", hex_encode(e->code_sha256)));
    std::string body = "<h1>Look-up</h1>\n" + above + "<dl>\n" + list + "</dl>\n";
    if (e->code) body += fmt::format("<h2>Code</h2>\n<pre>{}</pre>\n", escaped(*e->code));
    return page("Look-up", body + below + "<p><a href=\"/\">Another look-up</a></p>\n");
}

std::string failure_page(std::string_view title, std::string_view what, std::string_view asked) {
    return page(title, fmt::format("<h1>{}</h1>\n<p>{}</p>\n{}", title, what, form(asked)));
}

std::optional<std::string> form_value(std::string_view query, std::string_view name, std::size_t limit) {
    while (!query.empty()) {
        const auto field = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), field.size() + 1));
        const auto equals = field.find('=');
        if (field.substr(0, equals) != name || equals == std::string_view::npos) continue;
        auto value = field.substr(equals + 1);
        std::string out;
        while (!value.empty() && out.size() < limit) {
            if (value.front() == '%') {
                const auto raw = hex_decode(value.substr(1, 2));
                if (value.size() < 3 || !raw) return {};
                out += static_cast<char>(raw->front());
                value.remove_prefix(3);
                continue;
            }
            out += value.front() == '+' ? ' ' : value.front();
            value.remove_prefix(1);
        }
        if (!value.empty()) return {};
        return out;
    }
    return {};
}

}  // namespace bento::directory
