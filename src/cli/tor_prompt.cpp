// bentoctl tor prompt: a conversation with tor. Commands, GETINFO keys, options, events and signals are completed from
// what this tor says it knows.
#include <editline/readline.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "tor_verbs.hpp"

namespace bento::cli {
namespace {

/// Lines of the conversation that are kept.
constexpr int history_length = 1000;

/// The commands of the control port that are one line, and what completes their arguments.
constexpr std::pair<const char*, const char*> commands[] = {
    {"ADD_ONION", ""},
    {"ATTACHSTREAM", ""},
    {"CLOSECIRCUIT", ""},
    {"CLOSESTREAM", ""},
    {"DEL_ONION", ""},
    {"DROPGUARDS", ""},
    {"DROPOWNERSHIP", ""},
    {"DROPTIMEOUTS", ""},
    {"EXTENDCIRCUIT", ""},
    {"GETCONF", "config/names"},
    {"GETINFO", "info/names"},
    {"HSFETCH", ""},
    {"MAPADDRESS", ""},
    {"ONION_CLIENT_AUTH_ADD", ""},
    {"ONION_CLIENT_AUTH_REMOVE", ""},
    {"ONION_CLIENT_AUTH_VIEW", ""},
    {"PROTOCOLINFO", ""},
    {"QUIT", ""},
    {"REDIRECTSTREAM", ""},
    {"RESETCONF", "config/names"},
    {"RESOLVE", ""},
    {"SAVECONF", ""},
    {"SETCIRCUITPURPOSE", ""},
    {"SETCONF", "config/names"},
    {"SETEVENTS", "events/names"},
    {"SIGNAL", "signal/names"},
    {"TAKEOWNERSHIP", ""},
    {"USEFEATURE", "features/names"},
};

/// What readline's callbacks, which carry no context, complete from.
struct completions {
    std::map<std::string, std::vector<std::string>, std::less<>> names;  // by GETINFO key
    const std::vector<std::string>* of = nullptr;                        // for the word of this moment
    std::vector<std::string> verbs;
};
completions& known() {
    static completions all;
    return all;
}

/// info/names and config/names describe a name a line; the others list words.
std::vector<std::string> names_of(std::string_view key, std::string_view value) {
    const bool lines = key == "info/names" || key == "config/names";
    std::vector<std::string> out;
    while (!value.empty()) {
        const auto line = value.substr(0, value.find(lines ? '\n' : ' '));
        auto name = std::string{line.substr(0, line.find(' '))};
        if (name.ends_with('*')) name.pop_back();
        if (!name.empty()) out.push_back(std::move(name));
        value.remove_prefix(std::min(line.size() + 1, value.size()));
    }
    return out;
}

bool starts_alike(std::string_view whole, std::string_view start) {
    return whole.size() >= start.size() && std::equal(start.begin(), start.end(), whole.begin(), [](char a, char b) {
               return std::toupper(static_cast<unsigned char>(a)) == std::toupper(static_cast<unsigned char>(b));
           });
}

char* next_match(const char* word, int again) {
    static std::size_t at;
    if (again == 0) at = 0;
    while (known().of != nullptr && at < known().of->size()) {
        const auto& candidate = (*known().of)[at++];
        if (starts_alike(candidate, word)) return ::strdup(candidate.c_str());
    }
    return nullptr;
}

char** complete(const char* word, int start, int) {
    rl_attempted_completion_over = 1;  // never a file's name
    auto& k = known();
    k.of = nullptr;
    std::string_view line{rl_line_buffer};
    if (start == 0) {
        k.of = &k.verbs;
    } else {
        const auto verb = line.substr(0, line.find(' '));
        for (const auto& [name, key] : commands)
            if (starts_alike(name, verb) && verb.size() == std::string_view{name}.size())
                if (const auto found = k.names.find(std::string_view{key}); found != k.names.end())
                    k.of = &found->second;
    }
    return rl_completion_matches(word, next_match);
}

task<void> learn(control_session& s) {
    std::vector<std::string> keys{"info/names", "config/names", "events/names", "signal/names", "features/names"};
    const auto got = co_await s.control.info(keys, s.deadline);
    auto& k = known();
    for (const auto& [key, value] : got)
        if (value) k.names[key] = names_of(key, *value);  // a tor that cannot tell completes less
    for (const auto& [name, key] : commands)
        k.verbs.emplace_back(name);
    k.verbs.insert(k.verbs.end(), {"help", "quit"});
    co_return result<void>{};
}

void help(const terminal& out) {
    out.line(
        "A line is sent to tor as it is; events that you subscribe to with SETEVENTS are shown with the next answer.");
    out.line("TAB completes commands and what this tor knows; quit, or the end of input, ends. The commands:");
    std::string line;
    for (const auto& [name, key] : commands) {
        line += fmt::format("  {:<25}", name);
        if (line.size() > 60) out.line(std::exchange(line, {}));
    }
    if (!line.empty()) out.line(line);
}

/// A line of the user; nothing at the end.
std::optional<std::string> read_line(bool at_terminal) {
    if (!at_terminal) {
        std::string line;
        if (!std::getline(std::cin, line)) return {};
        return line;
    }
    char* line = ::readline("tor> ");
    if (line == nullptr) return {};
    std::string out{line};
    ::free(line);
    if (!out.empty()) ::add_history(out.c_str());
    return out;
}

/// What tor has said unasked since the last answer.
asio::awaitable<void> show_events(control_session& s, std::optional<tor::subscription>& events) {
    while (events) {
        const auto next = co_await events->next(clock::now() + std::chrono::milliseconds{10});
        if (!next) co_return;
        if (const auto* event = std::get_if<control::event>(&*next)) s.out.line(to_line(to_json(*event)));
    }
}

std::vector<std::string> words_after(std::string_view line) {
    std::vector<std::string> out;
    for (auto at = line.find(' '); at != std::string_view::npos; at = line.find(' ', at + 1)) {
        const auto word = line.substr(at + 1, line.find(' ', at + 1) - at - 1);
        if (!word.empty()) out.emplace_back(word);
    }
    return out;
}

task<int> converse(control_session& s) {
    const bool at_terminal = ::isatty(STDIN_FILENO) == 1;
    const auto history = s.g.state_directory / "tor-prompt.history";
    if (at_terminal) {
        (co_await learn(s)).value();
        ::using_history();
        ::stifle_history(history_length);
        ::read_history(history.c_str());  // the first time there is none
        rl_readline_name = "bentoctl";
        rl_attempted_completion_function = complete;
        s.out.say("speaking with tor; help tells what there is");
    }
    std::optional<tor::subscription> events;
    while (auto line = read_line(at_terminal)) {
        while (line->ends_with(' ') || line->ends_with('\r'))
            line->pop_back();
        if (line->empty()) continue;
        if (*line == "help") {
            help(s.out);
            continue;
        }
        if (*line == "quit") break;
        const auto limit = clock::now() + s.g.timeout;
        if (starts_alike(*line, "SETEVENTS")) {
            // Asked through the library, which hands the events out.
            events.reset();
            auto subscribed = co_await s.control.subscribe(words_after(*line), limit);
            if (!subscribed) {
                s.out.fail(subscribed.error());
                continue;
            }
            events = std::move(*subscribed);
            s.out.line("250 OK");
            continue;
        }
        const auto answer = co_await s.control.raw(*line, limit);
        if (answer)
            print_reply(s.out, *answer, s.g.json);
        else if (!s.control.connected())
            co_return answer.error();
        else
            s.out.fail(answer.error());
        co_await show_events(s, events);
        if (!s.control.connected()) break;
    }
    if (at_terminal) {
        std::error_code ignored;  // a history that cannot be kept costs nobody anything
        std::filesystem::create_directories(s.g.state_directory, ignored);
        ::write_history(history.c_str());
    }
    co_return 0;
}

}  // namespace

runner declare_tor_prompt(CLI::App&) {
    return [](const globals& g) { return with_control(g, converse); };
}

}  // namespace bento::cli
