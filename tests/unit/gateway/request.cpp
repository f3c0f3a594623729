#include "gateway/request.hpp"

#include <algorithm>

#include "gateway/page.hpp"
#include "test.hpp"

using namespace bento;
using gateway::call_request;

namespace {

const std::string token = "7e620807-59fd-498d-94f9-1722672411ab";

/// Written with ' for ", and T for a token.
std::string json(std::string text) {
    std::replace(text.begin(), text.end(), '\'', '"');
    if (const auto at = text.find("\"T\""); at != std::string::npos) text.replace(at + 1, 1, token);
    return text;
}

/// `call mode`, or the status and detail it is refused with.
std::string call(const std::string& body, bool literal = true) {
    const auto r = gateway::parse_call_request(json(body), {literal, false});
    if (!r) return std::to_string(r.error().status) + " " + r.error().detail;
    CHECK(r->token->str() == token);
    const auto mode = r->mode == call_request::collect::first ? "first"
                      : r->mode == call_request::collect::all ? "all"
                                                              : "stream";
    return r->call + " " + mode + (r->detach ? " detached" : "");
}
std::string with(const std::string& rest) { return "{'token':'T','call':'f()'" + rest + "}"; }

std::string store(const std::string& body) {
    const auto r = gateway::parse_store(json(body));
    return r ? r->name + " " + r->code : std::to_string(r.error().status) + " " + r.error().detail;
}

}  // namespace

TEST_CASE("named members and the thesis' own") {
    CHECK(call(with("")) == "f() first");
    CHECK(call("{'0':'T','1':'f(1)'}") == "f(1) first");
    CHECK(call(with(",'mode':'stream','detach':true")) == "f() stream detached");
    CHECK(call(with(",'mode':'all','unknown':[]")) == "f() all");
    CHECK(store("{'name':'n','code':'c'}") == "n c");
    CHECK(store("{'0':'n','1':'c'}") == "n c");
}

TEST_CASE("what is no JSON object is 400") {
    std::string deep = "1";
    for (int i = 0; i < 20; ++i)
        deep = "{'a':" + deep + "}";
    for (const auto& body : {std::string{}, std::string{"x"}, std::string{"[]"}, std::string{"{"}, std::string{"{}x"},
                             std::string{"'a'"}, std::string{"{'a':\xff}"}, deep}) {
        INFO(body);
        CHECK(call(body) == "400 the body is no JSON object in UTF-8");
    }
}

TEST_CASE("a wrong member is 422 and named") {
    CHECK(call("{}") == "422 the member \"token\" is missing");
    CHECK(call("{'token':1,'call':'f()'}") == "422 the member \"token\" is no string");
    CHECK(call("{'token':'x','call':'f()'}").starts_with("422 the member \"token\": "));
    CHECK(call("{'token':'T'}") == "422 the member \"call\" is missing");
    for (const auto& [name, value] : {std::pair{"mode", "'some'"},
                                      {"mode", "1"},
                                      {"detach", "1"},
                                      {"seconds", "0"},
                                      {"seconds", "'1'"},
                                      {"seconds", "90000"},
                                      {"messages", "1.5"},
                                      {"messages", "-1"},
                                      {"messages", "0"},
                                      {"messages", "'1'"}}) {
        INFO(name << " " << value);
        CHECK(call(with(",'" + std::string{name} + "':" + value))
                  .starts_with("422 the member \"" + std::string{name} + "\""));
    }
    CHECK(store("{'name':'n'}") == "422 the member \"code\" is missing");
}

TEST_CASE("T14, W9: a call is a name and literals, unless the operator allows more") {
    const std::string expression = "{'token':'T','call':'f() + g()'}";
    CHECK(call(expression).starts_with("422 the member \"call\" is not name(literals...): byte "));
    CHECK(call(expression, false) == "f() + g() first");
}

TEST_CASE("T6: the page lists what is enabled, the same for everybody") {
    gateway::options o;
    CHECK(gateway::html_page(o) == gateway::html_page(o));
    CHECK(gateway::html_page(o).find("POST /store") != std::string::npos);
    CHECK(gateway::html_page(o).find("<script") == std::string::npos);
    CHECK(gateway::html_page(o).find(R"(content="default-src 'none';style-src 'unsafe-inline'">)") !=
          std::string::npos);
    o.store = false;
    o.end = [](const uuid4&) { return true; };
    CHECK(gateway::html_page(o).find("/store") == std::string::npos);
    CHECK(gateway::json_page(o) ==
          json("{'service':'bento','paths':['GET /','POST /exec','POST /open','POST /input','POST /close',"
               "'GET /session','GET /policy'],'calls':'literal','max_body':1048576}\n"));
}

TEST_CASE("T13: a custom path's arguments are taken by name and by type") {
    using type = gateway::custom_route::type;
    gateway::custom_route r{"/p", uuid4::generate(), "track", {}, {}, {}};
    r.arguments = {
        {"site", {type::text, true}}, {"every", {type::whole_number, false}}, {"deep", {type::boolean, false}}};
    const auto made = [&](const std::string& body) {
        const auto c = gateway::custom_call(r, json(body));
        return c ? c->call : std::to_string(c.error().status) + " " + c.error().detail;
    };
    CHECK(made("{'site':'a\\\\'b'}") == "400 the body is no JSON object in UTF-8");
    CHECK(made("{'site':'x'}") == "track(site='x')");
    CHECK(made("{'every':3,'site':'x','deep':true}") == "track(deep=True, every=3, site='x')");
    CHECK(made("{}") == "422 the member \"site\" is missing");
    CHECK(made("") == "422 the member \"site\" is missing");
    CHECK(made("{'site':1}") == "422 the member \"site\" is no string");
    CHECK(made("{'site':'x','every':1.5}") == "422 the member \"every\" is no whole number");
    CHECK(made("{'site':'x','other':1}") == "422 the member \"other\" is no argument of this path");
    r.call = "track('fixed')";
    r.arguments.clear();
    CHECK(made("") == "track('fixed')");
}
