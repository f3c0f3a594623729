#include <fmt/format.h>

#include <toml++/toml.h>
#include <bento/base/encoding.hpp>
#include <bento/base/file.hpp>
#include <bento/base/units.hpp>
#include <bento/config/settings.hpp>
#include <functional>
#include <limits>
#include <map>
#include <sstream>

namespace bento::config {
namespace {

/// Reads one value into its place; says what was expected if it cannot.
using reader = std::function<std::optional<std::string>(const toml::node&)>;
using keys = std::map<std::string, reader, std::less<>>;

reader boolean(bool& into) {
    return [&into](const toml::node& n) -> std::optional<std::string> {
        if (!n.is_boolean()) return "true or false";
        into = n.as_boolean()->get();
        return {};
    };
}

template <class Integer>
reader number(Integer& into, std::int64_t least, std::int64_t most) {
    return [&into, least, most](const toml::node& n) -> std::optional<std::string> {
        const auto* value = n.as_integer();
        if (value == nullptr || value->get() < least || value->get() > most)
            return fmt::format("a number from {} to {}", least, most);
        into = static_cast<Integer>(value->get());
        return {};
    };
}

template <class Into, class Parse>
reader text(Into& into, Parse parse, std::string expected) {
    return [&into, parse, expected = std::move(expected)](const toml::node& n) -> std::optional<std::string> {
        const auto* value = n.as_string();
        if (value == nullptr) return expected;
        auto parsed = parse(value->get());
        if (!parsed) return expected;
        into = std::move(*parsed);
        return {};
    };
}

template <class Integer>
reader number(std::optional<Integer>& into, std::int64_t least, std::int64_t most) {
    return [&into, least, most](const toml::node& n) { return number(into.emplace(), least, most)(n); };
}

/// A client's key as `bentoctl key client-auth` and tor's authorized_clients write it, or its base32 alone.
std::optional<std::string> client_key(std::string_view text) {
    constexpr std::string_view prefix = "descriptor:x25519:";
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    const auto key = base32_decode(text);
    if (!key || key->size() != 32) return {};
    return base32_encode(*key);
}

reader client_keys(std::vector<std::string>& into) {
    return [&into](const toml::node& n) -> std::optional<std::string> {
        constexpr auto expected = "a list of keys such as \"descriptor:x25519:\" and 52 characters of base32";
        const auto* list = n.as_array();
        if (list == nullptr) return expected;
        for (const auto& item : *list) {
            const auto* text = item.as_string();
            const auto key = text != nullptr ? client_key(text->get()) : std::nullopt;
            if (!key) return expected;
            into.push_back(*key);
        }
        return {};
    };
}

/// More directories than this are more circuits than one look-up should cost.
constexpr std::size_t most_directories = 16;

/// Whether it is the address of one is for its room to say.
reader directories(std::vector<std::string>& into) {
    return [&into](const toml::node& n) -> std::optional<std::string> {
        constexpr auto expected = "a list of up to 16 onion addresses of directories";
        const auto* list = n.as_array();
        if (list == nullptr || list->size() > most_directories) return expected;
        for (const auto& item : *list) {
            const auto* text = item.as_string();
            if (text == nullptr || text->get().empty()) return expected;
            into.push_back(text->get());
        }
        return {};
    };
}

reader duration(std::chrono::milliseconds& into) { return text(into, parse_duration, "a duration such as \"90s\""); }
reader duration(std::optional<std::chrono::milliseconds>& into) {
    return text(into, parse_duration, "a duration such as \"7d\"");
}
reader size(std::uint64_t& into) { return text(into, parse_size, "a size such as \"64KiB\""); }
reader size(std::uint64_t& into, std::uint64_t most, std::string expected) {
    return text(
        into,
        [most](const std::string& s) -> std::optional<std::uint64_t> {
            const auto bytes = parse_size(s);
            return bytes && *bytes <= most ? std::optional{*bytes} : std::nullopt;
        },
        std::move(expected));
}
reader an_endpoint(std::optional<endpoint>& into) {
    return text(into, endpoint::parse, "\"unix:/absolute/path\" or \"HOST:PORT\"");
}
reader absolute_path(std::optional<std::filesystem::path>& into) {
    return text(
        into,
        [](const std::string& s) -> std::optional<std::filesystem::path> {
            if (s.empty() || s.front() != '/') return {};
            return s;
        },
        "an absolute path");
}

reader sqlite(std::optional<std::filesystem::path>& into) {
    return text(
        into,
        [](const std::string& s) -> std::optional<std::filesystem::path> {
            constexpr std::string_view prefix = "sqlite:/";
            if (!s.starts_with(prefix) || s.size() == prefix.size()) return {};
            return s.substr(prefix.size() - 1);
        },
        "\"sqlite:/absolute/path\"");
}

template <class Value>
reader choice(Value& into, std::vector<std::pair<std::string, Value>> of) {
    std::string expected;
    for (const auto& [word, value] : of)
        expected += fmt::format("{}\"{}\"", expected.empty() ? "" : " or ", word);
    return text(
        into,
        [of](const std::string& s) -> std::optional<Value> {
            for (const auto& [word, value] : of)
                if (word == s) return value;
            return {};
        },
        expected);
}

std::map<std::string, keys, std::less<>> tables(settings& s) {
    using launch = settings::tor_settings::launch_policy;
    using pow = settings::onion_settings::pow_policy;
    using hash = settings::directory_settings::hash_scheme;
    const auto defences = [](pow& into) {
        return choice<pow>(into, {{"off", pow::off}, {"prefer", pow::prefer}, {"require", pow::require}});
    };
    using uploads = settings::rotation_settings::uploads;
    using storers = settings::box_settings::storers;
    constexpr std::int64_t many = 1'000'000'000;
    return {
        {"tor",
         {{"control", an_endpoint(s.tor.control)},
          {"socks", an_endpoint(s.tor.socks)},
          {"password_file", absolute_path(s.tor.password_file)},
          {"launch",
           choice<launch>(s.tor.launch,
                          {{"auto", launch::automatic}, {"always", launch::always}, {"never", launch::never}})},
          {"torrc", absolute_path(s.tor.torrc)}}},
        {"onion",
         {{"port", number(s.onion.port, 1, 65535)},
          {"max_streams", number(s.onion.max_streams, 0, 65535)},
          {"pow", defences(s.onion.pow)},
          {"pow_queue_rate", number(s.onion.pow_queue_rate, 1, many)},
          {"pow_queue_burst", number(s.onion.pow_queue_burst, 1, many)},
          {"client_auth", client_keys(s.onion.client_auth)}}},
        {"gateway",
         {{"listen", an_endpoint(s.gateway.listen)},
          {"server", an_endpoint(s.gateway.server)},
          {"store", boolean(s.gateway.store)},
          {"exec", boolean(s.gateway.exec)},
          {"open", boolean(s.gateway.open)},
          {"input", boolean(s.gateway.input)},
          {"close", boolean(s.gateway.close)},
          {"delete", boolean(s.gateway.delete_)},
          {"register", boolean(s.gateway.register_)},
          {"session", boolean(s.gateway.session)},
          {"calls", choice<bool>(s.gateway.literal_calls, {{"literal", true}, {"any", false}})},
          {"max_body", size(s.gateway.max_body)},
          {"deadline", duration(s.gateway.deadline)}}},
        {"box",
         {{"memory", size(s.box.memory)},
          {"cpu", duration(s.box.cpu)},
          {"wall", duration(s.box.wall)},
          {"processes", number(s.box.processes, 1, 4096)},
          {"disk", size(s.box.disk)},
          {"output", size(s.box.output)},
          {"instances", number(s.box.instances, 1, 4096)},
          {"warm", number(s.box.warm, 0, 256)},
          {"functions", number(s.box.functions, 1, many)},
          {"store_bytes", size(s.box.store_bytes)},
          {"ttl", duration(s.box.ttl)},
          {"store_who", choice<storers>(s.box.store_who, {{"anyone", storers::anyone},
                                                          {"credential", storers::credential},
                                                          {"operator", storers::operator_}})},
          {"store_credential_file", absolute_path(s.box.store_credential_file)}}},
        {"bfd",
         {{"onions", directories(s.bfd.onions)},
          {"owner_file", absolute_path(s.bfd.owner_file)},
          {"max_stale", duration(s.bfd.max_stale)}}},
        {"directory",
         {{"listen", an_endpoint(s.directory.listen)},
          {"store", sqlite(s.directory.sqlite)},
          {"hash", choice<hash>(s.directory.hash, {{"bcrypt", hash::bcrypt}, {"argon2id", hash::argon2id}})},
          {"bcrypt_cost", number(s.directory.bcrypt_cost, 4, 20)},
          {"max_code", size(s.directory.max_code, most_code, "a size up to \"1MiB\"")},
          {"entries_per_account", number(s.directory.entries_per_account, 1, many)},
          {"pow", defences(s.directory.pow)}}},
        {"rotation",
         {{"max_age", duration(s.rotation.max_age)},
          {"jitter", duration(s.rotation.jitter)},
          {"grace", duration(s.rotation.grace)},
          {"min_uploads",
           choice<uploads>(s.rotation.min_uploads,
                           {{"first", uploads::first}, {"quorum", uploads::quorum}, {"all", uploads::all}})},
          {"verify", boolean(s.rotation.verify)}}},
    };
}

bool is_route_path(const std::string& s) {
    // `GET /` and the gateway's own paths cannot be taken.
    for (const auto* own :
         {"/", "/policy", "/store", "/exec", "/open", "/input", "/close", "/delete", "/register", "/session"})
        if (s == own) return false;
    return s.starts_with('/') && s.find_first_not_of(
                                     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                     "-._~/") == std::string::npos;
}

reader arguments(std::map<std::string, settings::route::argument>& into) {
    using type = settings::route::type;
    return [&into](const toml::node& n) -> std::optional<std::string> {
        constexpr auto expected =
            "a table of names and types, \"string\", \"integer\", \"number\", \"boolean\" or \"any\", with a \"?\" "
            "behind one that may be missing";
        static const std::map<std::string, type, std::less<>> types{{"string", type::text},
                                                                    {"integer", type::whole_number},
                                                                    {"number", type::number},
                                                                    {"boolean", type::boolean},
                                                                    {"any", type::any}};
        const auto* table = n.as_table();
        if (table == nullptr) return expected;
        for (const auto& [name, value] : *table) {
            auto word = value.value<std::string>().value_or("");
            const bool needed = !word.ends_with('?');
            if (!needed) word.pop_back();
            const auto found = types.find(word);
            if (found == types.end()) return expected;
            into[std::string{name.str()}] = {found->second, needed};
        }
        return {};
    };
}

keys keys_of(settings::route& r) {
    constexpr std::int64_t day = 86'400, many = 1'000'000;
    return {
        {"path", text(
                     r.path, [](const std::string& s) { return is_route_path(s) ? std::optional{s} : std::nullopt; },
                     "a path such as \"/tracker\", none of the gateway's own")},
        {"token", text(r.token, uuid4::parse, "a token, a lower-case uuid4")},
        {"call", text(
                     r.call, [](const std::string& s) { return s.empty() ? std::nullopt : std::optional{s}; },
                     "the name of a function, or a call")},
        {"arguments", arguments(r.arguments)},
        {"collect_seconds",
         [&r](const toml::node& n) -> std::optional<std::string> {
             r.collect_seconds = n.value<double>();
             if (r.collect_seconds && *r.collect_seconds > 0 && *r.collect_seconds <= day) return {};
             return "a number of seconds up to 86400";
         }},
        {"collect_messages", number(r.collect_messages, 1, many)}};
}

/// What the keys of one route must be together.
std::optional<std::string> mistake_in(const settings::route& r) {
    if (r.path.empty() || !r.token || r.call.empty()) return "a route needs a path, a token and a call";
    if (r.call.find('(') != std::string::npos && !r.arguments.empty())
        return "a route with arguments calls by name alone";
    return {};
}

/// What two keys must be together, told at the line of the one that is there.
struct contradiction {
    std::string_view table, key, expected;
};
std::vector<contradiction> contradictions(const settings& s) {
    std::vector<contradiction> out;
    if (s.rotation.grace < s.bfd.max_stale) {
        constexpr auto expected = "no more than rotation.grace, which the old onion answers for";
        out.push_back({"rotation", "grace", "no less than bfd.max_stale, for which callers may use what they know"});
        out.push_back({"bfd", "max_stale", expected});
    }
    if (s.rotation.max_age && s.rotation.jitter && *s.rotation.jitter >= *s.rotation.max_age)
        out.push_back({"rotation", "jitter", "less than rotation.max_age"});
    if (s.rotation.max_age && *s.rotation.max_age < s.rotation.grace)
        out.push_back({"rotation", "max_age", "no less than rotation.grace"});
    if (!s.rotation.max_age && s.rotation.jitter) out.push_back({"rotation", "jitter", "rotation.max_age beside it"});
    return out;
}

template <class Map>
std::string names(const Map& of) {
    std::string out;
    for (const auto& [name, value] : of)
        out += (out.empty() ? "" : ", ") + name;
    return out;
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::malformed:
            return "the configuration is not valid";
        case errc::unreadable:
            return "the configuration cannot be read";
    }
    return "unknown error";
}

result<settings> parse(std::string_view source, std::string_view name) {
    settings out;
    std::multimap<toml::source_index, std::string> mistakes;  // by line
    const auto mistake = [&](const toml::source_region& at, const std::string& what) {
        mistakes.emplace(at.begin.line, fmt::format("{}:{}: {}", name, at.begin.line, what));
    };
    const auto told = [&] {
        std::string lines;
        for (const auto& [line, what] : mistakes)
            lines += (lines.empty() ? "" : "\n") + what;
        return error{errc::malformed, lines};
    };
    toml::table document;
    try {
        document = toml::parse(source);
    } catch (const toml::parse_error& e) {
        mistake(e.source(), std::string{e.description()});
        return told();
    }
    const auto read_table = [&](std::string_view table_name, const toml::table& table, const keys& known) {
        for (const auto& [key, value] : table) {
            const auto reads = known.find(std::string{key.str()});
            if (reads == known.end())
                mistake(key.source(),
                        fmt::format("[{}] has no key \"{}\"; known are {}", table_name, key.str(), names(known)));
            else if (const auto expected = reads->second(value))
                mistake(value.source(), fmt::format("{}.{}: expected {}", table_name, key.str(), *expected));
        }
    };
    const auto known = tables(out);
    for (const auto& [table_name, table] : document) {
        if (table_name.str() == "route" && table.is_array_of_tables()) {
            for (const auto& one : *table.as_array()) {
                auto& r = out.routes.emplace_back();
                const auto before = mistakes.size();
                read_table("route", *one.as_table(), keys_of(r));
                const auto wrong = mistakes.size() == before ? mistake_in(r) : std::nullopt;
                if (wrong) mistake(one.source(), "[[route]]: " + *wrong);
            }
            continue;
        }
        const auto found = known.find(std::string{table_name.str()});
        if (found == known.end() || !table.is_table()) {
            mistake(table_name.source(),
                    fmt::format("no table is named \"{}\"; known are {}, route", table_name.str(), names(known)));
            continue;
        }
        read_table(table_name.str(), *table.as_table(), found->second);
    }
    if (mistakes.empty())
        for (const auto& c : contradictions(out))
            if (const auto value = document[c.table][c.key])
                mistake(value.node()->source(), fmt::format("{}.{}: expected {}", c.table, c.key, c.expected));
    if (out.box.store_who == settings::box_settings::storers::credential && !out.box.store_credential_file)
        mistake(document["box"]["store_who"].node()->source(),
                "box.store_who: \"credential\" needs a store_credential_file");
    if (!mistakes.empty()) return told();
    return out;
}

result<settings> load(const std::filesystem::path& file) {
    const auto text = read_file(file, file_limit);
    if (!text) return error{errc::unreadable, text.error().message()};
    return parse(*text, file.string());
}

}  // namespace bento::config
