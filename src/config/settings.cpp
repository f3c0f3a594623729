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

reader duration(std::chrono::milliseconds& into) { return text(into, parse_duration, "a duration such as \"90s\""); }
reader size(std::uint64_t& into) { return text(into, parse_size, "a size such as \"64KiB\""); }
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
          {"pow", choice<pow>(s.onion.pow, {{"off", pow::off}, {"prefer", pow::prefer}, {"require", pow::require}})},
          {"pow_queue_rate", number(s.onion.pow_queue_rate, 1, many)},
          {"pow_queue_burst", number(s.onion.pow_queue_burst, 1, many)},
          {"client_auth", client_keys(s.onion.client_auth)}}},
        {"gateway",
         {{"listen", an_endpoint(s.gateway.listen)},
          {"server", an_endpoint(s.gateway.server)},
          {"store", boolean(s.gateway.store)},
          {"exec", boolean(s.gateway.exec)},
          {"open", boolean(s.gateway.open)},
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
          {"ttl", duration(s.box.ttl)}}},
    };
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
    const auto known = tables(out);
    for (const auto& [table_name, table] : document) {
        const auto found = known.find(std::string{table_name.str()});
        if (found == known.end() || !table.is_table()) {
            mistake(table_name.source(),
                    fmt::format("no table is named \"{}\"; known are {}", table_name.str(), names(known)));
            continue;
        }
        for (const auto& [key, value] : *table.as_table()) {
            const auto reads = found->second.find(std::string{key.str()});
            if (reads == found->second.end())
                mistake(key.source(), fmt::format("[{}] has no key \"{}\"; known are {}", table_name.str(), key.str(),
                                                  names(found->second)));
            else if (const auto expected = reads->second(value))
                mistake(value.source(), fmt::format("{}.{}: expected {}", table_name.str(), key.str(), *expected));
        }
    }
    if (!mistakes.empty()) return told();
    return out;
}

result<settings> load(const std::filesystem::path& file) {
    const auto text = read_file(file, file_limit);
    if (!text) return error{errc::unreadable, text.error().message()};
    return parse(*text, file.string());
}

}  // namespace bento::config
