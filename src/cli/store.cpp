// bentoctl store: gives a function to a server and prints its token.
#include <unistd.h>

#include <array>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <boost/json.hpp>
#include <cstring>

#include "caller.hpp"
#include "options.hpp"
#include "run.hpp"
#include "stored.hpp"

namespace bento::cli {
namespace {

/// A gateway takes 1 MiB unless its operator changed that; a Bento server 16.
constexpr std::size_t code_limit = std::size_t{16} << 20;
constexpr std::size_t credential_limit = 4096;

struct store_options {
    where at;
    std::string file;
    std::string name;
    std::string credential_file;
};

result<std::string> read_code(const std::string& file) {
    if (file != "-") return read_file(file, code_limit);
    std::string out;
    std::array<char, 64 * 1024> part;
    for (;;) {
        const auto n = ::read(STDIN_FILENO, part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error{base::errc::io, "standard input", std::strerror(errno)};
        if (n == 0) return out;
        out.append(part.data(), static_cast<std::size_t>(n));
        if (out.size() > code_limit) return error{base::errc::too_long, "standard input"};
    }
}

task<int> store(const globals& g, const store_options& o) {
    terminal out{g};
    const auto code = read_code(o.file);
    if (!code) co_return code.error();
    const auto deadline = clock::now() + g.timeout;
    auto name = !o.name.empty() ? o.name : o.file == "-" ? "function" : std::filesystem::path{o.file}.stem().string();
    auto r = co_await reach(g, out, o.at, deadline);
    if (!r) co_return r.error();
    if (!o.credential_file.empty()) {
        auto line = read_file(o.credential_file, credential_limit);
        if (!line) co_return line.error();
        r->functions->credential = line->substr(0, line->find_first_of("\r\n"));
    }
    const auto stored = co_await r->functions->store(name, *code, deadline);
    if (!stored) co_return stored.error();
    const stored_here record{stored->token, std::move(name), stored->owner_token, o.at,
                             std::chrono::system_clock::now()};
    const auto kept = keep_stored(g, record);
    // The function is stored: without the record its token is all that is left of it.
    if (!kept) out.warn(kept.error().message() + "; only --json tells the owner token now");
    if (g.json) {
        boost::json::object answer{{"token", stored->token.text()}, {"owner_token", nullptr}};
        if (stored->owner_token) answer["owner_token"] = stored->owner_token->text();
        out.line(boost::json::serialize(answer));
    } else {
        out.line(stored->token.text());
    }
    co_return 0;
}

}  // namespace

runner declare_store(CLI::App& options) {
    auto o = std::make_shared<store_options>();
    options.add_option("FILE", o->file, "the function's Python code; - is standard input")->required();
    options.add_option("--name", o->name, "its name (default: the file's)")->type_name("NAME");
    options.add_option("--credential-file", o->credential_file, "what the operator gave to those who may store")
        ->type_name("FILE");
    declare_where(options, o->at);
    return [o](const globals& g) { return run([&] { return store(g, *o); }); };
}

}  // namespace bento::cli
