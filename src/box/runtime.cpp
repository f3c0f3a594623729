#include <bento/box/runtime.hpp>
#include <bento/net/child.hpp>
#include <boost/json.hpp>

#include "scripts.hpp"

namespace bento::box {

namespace json = boost::json;

task<sandbox::runtime> find_runtime(std::string python) {
    net::child::options ask;
    ask.program = python;
    ask.arguments = {"-I", "-S", "-c", std::string{describe_script}};
    ask.environment.emplace();
    auto told = co_await net::run_program(std::move(ask), {}, clock::now() + std::chrono::seconds{30});
    if (!told) co_return error{sandbox::errc::no_python, python, told.error().peer};
    if (!told->status.ok()) co_return error{sandbox::errc::no_python, python, told->err};
    try {
        const auto v = json::parse(told->out);
        sandbox::runtime out;
        out.interpreter = json::value_to<std::string>(v.at("interpreter"));
        out.loader = json::value_to<std::string>(v.at("loader"));
        out.standard_library = json::value_to<std::string>(v.at("library"));
        out.libraries = json::value_to<std::vector<std::string>>(v.at("objects"));
        for (const auto& link : v.at("links").as_array())
            out.links.emplace_back(json::value_to<std::string>(link.at(0)), json::value_to<std::string>(link.at(1)));
        co_return out;
    } catch (const std::exception& e) {
        co_return error{sandbox::errc::no_python, python + " described itself unreadably", e.what()};
    }
}

}  // namespace bento::box
