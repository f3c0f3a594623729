// bentoctl tor prompt: a conversation with tor. Commands, GETINFO keys, options, events and signals are completed from
// what this tor says it knows; events are shown as they come.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bento/base/errc.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "input.hpp"
#include "line_editor.hpp"
#include "tor_verbs.hpp"

namespace bento::cli {
namespace {

using namespace asio::experimental::awaitable_operators;

/// A command of the control port: the GETINFO key whose names complete its arguments, and what there is to know of it.
struct command {
    std::string_view name, names, form, what;
};
constexpr command commands[] = {
    {"ADD_ONION", "", "NEW:ED25519-V3|ED25519-V3:KEY [Flags=...] Port=PORT[,TARGET] ...",
     "publishes an onion service until this connection ends (Flags=Detach: until tor ends)"},
    {"ATTACHSTREAM", "", "STREAM CIRCUIT [HOP=N]", "sends a stream over a circuit; 0 lets tor choose"},
    {"CLOSECIRCUIT", "", "CIRCUIT [IfUnused]", "closes a circuit"},
    {"CLOSESTREAM", "", "STREAM REASON", "closes a stream; 1 is MISC"},
    {"DEL_ONION", "", "ADDRESS", "ends an onion service of this connection, or a detached one"},
    {"DROPGUARDS", "", "", "forgets all guards; rarely wise"},
    {"DROPOWNERSHIP", "", "", "takes TAKEOWNERSHIP back"},
    {"DROPTIMEOUTS", "", "", "forgets how long circuits take to build"},
    {"EXTENDCIRCUIT", "", "CIRCUIT [RELAY,...] [purpose=general|controller]",
     "builds a circuit (0), or makes one longer"},
    {"GETCONF", "config/names", "OPTION ...", "values of options"},
    {"GETINFO", "info/names", "KEY ...", "values of what tor knows"},
    {"HSFETCH", "", "ADDRESS [SERVER=FINGERPRINT ...]", "fetches a descriptor; HS_DESC events tell of it"},
    {"+HSPOST", "", "[SERVER=FINGERPRINT ...] HSADDRESS=ADDRESS", "uploads the descriptor in the lines that follow"},
    {"+LOADCONF", "", "", "takes the lines that follow in place of the configuration"},
    {"MAPADDRESS", "", "FROM=TO ...", "asks for one address in place of another"},
    {"ONION_CLIENT_AUTH_ADD", "", "ADDRESS x25519:KEY [Flags=Permanent]", "a client's key for an onion service"},
    {"ONION_CLIENT_AUTH_REMOVE", "", "ADDRESS", "forgets it"},
    {"ONION_CLIENT_AUTH_VIEW", "", "[ADDRESS]", "shows them"},
    {"+POSTDESCRIPTOR", "", "[purpose=general|controller] [cache=no|yes]",
     "a relay's descriptor, in the lines that follow"},
    {"PROTOCOLINFO", "", "1", "tor's version, and how to authenticate"},
    {"QUIT", "", "", "ends the connection"},
    {"REDIRECTSTREAM", "", "STREAM ADDRESS [PORT]", "sends a stream elsewhere"},
    {"RESETCONF", "config/names", "OPTION[=VALUE] ...", "options back to their defaults, or to what is given"},
    {"RESOLVE", "", "[mode=reverse] ADDRESS ...", "asks for addresses; ADDRMAP events have the answers"},
    {"SAVECONF", "", "[FORCE]", "writes the configuration to torrc"},
    {"SETCIRCUITPURPOSE", "", "CIRCUIT purpose=general|controller", "what a circuit is for"},
    {"SETCONF", "config/names", "OPTION[=VALUE] ...", "sets options, all or none"},
    {"SETEVENTS", "events/names", "[EVENT ...]", "which events are shown"},
    {"SIGNAL", "signal/names", "NAME", "as if tor had received it"},
    {"TAKEOWNERSHIP", "", "", "tor ends when this connection does"},
    {"USEFEATURE", "features/names", "NAME ...", "turns a protocol feature on"},
};

/// tor matches its names so.
bool starts_alike(std::string_view whole, std::string_view start) {
    return whole.size() >= start.size() && std::equal(start.begin(), start.end(), whole.begin(), [](char a, char b) {
               return std::toupper(static_cast<unsigned char>(a)) == std::toupper(static_cast<unsigned char>(b));
           });
}
bool contains_alike(std::string_view text, std::string_view part) {
    for (; text.size() >= part.size(); text.remove_prefix(1))
        if (starts_alike(text, part)) return true;
    return false;
}
bool is_alike(std::string_view a, std::string_view b) { return a.size() == b.size() && starts_alike(a, b); }

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> out;
    while (!line.empty()) {
        const auto word = line.substr(0, line.find(' '));
        if (!word.empty()) out.emplace_back(word);
        line.remove_prefix(std::min(word.size() + 1, line.size()));
    }
    return out;
}

const command* find_command(std::string_view name) {
    const auto found = std::find_if(std::begin(commands), std::end(commands),
                                    [&](const command& c) { return is_alike(c.name, name); });
    return found == std::end(commands) ? nullptr : found;
}

/// What this tor says it knows.
class vocabulary {
  public:
    /// A tor that cannot tell something completes less.
    asio::awaitable<void> learn(control_session& s) {
        std::vector<std::string> keys;
        for (const auto& c : commands)
            if (!c.names.empty() && std::find(keys.begin(), keys.end(), c.names) == keys.end())
                keys.emplace_back(c.names);
        const auto got = co_await s.control.info(keys, s.deadline);
        for (const auto& [key, value] : got)
            if (value) names_[key] = read(key, *value);
    }

    std::vector<std::string> complete(std::string_view line, std::string_view word) const {
        std::vector<std::string> out;
        const auto offer = [&](std::string_view name) {
            if (starts_alike(name, word)) out.emplace_back(name);
        };
        if (line.empty() || is_alike(line, "help ")) {
            for (const auto& c : commands)
                offer(c.name);
            if (line.empty()) offer("help");
            if (line.empty()) offer("quit");
        } else if (const auto* verb = find_command(line.substr(0, line.find(' '))); verb != nullptr) {
            if (const auto found = names_.find(verb->names); found != names_.end())
                for (const auto& name : found->second)
                    offer(name);
        }
        return out;
    }

    void help(const terminal& out, std::string_view about) const {
        if (const auto* c = find_command(about); c != nullptr) {
            out.line(c->form.empty() ? std::string{c->name} : fmt::format("{} {}", c->name, c->form));
            out.line(fmt::format("    {}", c->what));
            if (!c->names.empty())
                out.line(fmt::format("    GETINFO {} lists the names, and TAB completes them", c->names));
            if (c->name.starts_with('+')) out.line("    a line that is a dot ends the data");
        } else if (const auto found = told_.find(about); found != told_.end()) {
            out.line(fmt::format("GETINFO {}\n    {}", found->first, found->second));
        } else if (!about.empty()) {
            out.line(fmt::format("no command and no key is called {}; help lists the commands", about));
        } else {
            out.line("A line is sent to tor as it is. TAB completes commands and what this tor knows; events that you");
            out.line("subscribe to with SETEVENTS are shown as they come; quit, or the end of input, ends.");
            out.line("help COMMAND and help KEY tell more. The commands:");
            std::string row;
            for (const auto& one : commands) {
                row += row.empty() ? "  " : std::string(26 - (row.size() - 2) % 26, ' ');
                row += one.name;
                if (row.size() > 54) out.line(std::exchange(row, {}));
            }
            if (!row.empty()) out.line(row);
        }
    }

  private:
    /// info/names and config/names describe a name a line; the others list words.
    std::vector<std::string> read(std::string_view key, std::string_view value) {
        if (key != "info/names" && key != "config/names") return words_of(value);
        std::vector<std::string> out;
        while (!value.empty()) {
            const auto line = value.substr(0, value.find('\n'));
            value.remove_prefix(std::min(line.size() + 1, value.size()));
            auto name = std::string{line.substr(0, line.find(' '))};
            if (const auto text = line.find(" -- "); text != std::string_view::npos)
                told_[name] = line.substr(text + 4);
            if (name.ends_with('*')) name.pop_back();  // the rest is a word of its own, such as a fingerprint
            if (!name.empty()) out.push_back(std::move(name));
        }
        return out;
    }

    std::map<std::string, std::vector<std::string>, std::less<>> names_;  // by GETINFO key
    std::map<std::string, std::string, std::less<>> told_;                // what a key's value is, in tor's words
};

/// A private key, a password, or what else authenticates: not for a file.
bool holds_secret(const std::vector<std::string>& words) {
    if (is_alike(words[0], "ADD_ONION")) return words.size() > 1 && !words[1].starts_with("NEW:");
    if (is_alike(words[0], "SETCONF") || is_alike(words[0], "RESETCONF"))
        // Socks5ProxyPassword, HashedControlPassword, HTTPSProxyAuthenticator, ...
        return std::any_of(words.begin() + 1, words.end(), [](std::string_view word) {
            return contains_alike(word, "Password") || contains_alike(word, "Authenticator");
        });
    return is_alike(words[0], "ONION_CLIENT_AUTH_ADD") || is_alike(words[0], "AUTHENTICATE");
}

class conversation {
  public:
    conversation(control_session& s, const asio::any_io_executor& executor) : s_{s}, piped_{executor} {
        if (::isatty(STDIN_FILENO) != 1) return;
        editor_.emplace(executor, s.g.state_directory / "tor-prompt.history",
                        [this](std::string_view line, std::string_view word) { return known_.complete(line, word); });
    }

    /// Until the end of input, or of tor.
    task<int> run() {
        co_await known_.learn(s_);
        if (editor_) s_.out.say("speaking with tor; help tells what there is");
        for (;;) {
            auto line = co_await read("tor> ");
            if (!line && line.error().code == base::errc::not_found) break;
            if (!line) co_return line.error();
            const auto words = words_of(*line);
            if (words.empty()) continue;
            if (editor_ && !holds_secret(words)) editor_->remember(*line);
            if (words[0] == "quit") break;
            auto done = co_await carry_out(words, std::move(*line));
            if (!done && !s_.control.connected()) co_return done.error();
            if (!done) s_.out.fail(done.error());
            if (is_last_) break;
        }
        co_await show_what_waits();
        co_return 0;
    }

  private:
    /// A line of a command, or with no prompt of its data; until it comes, events are shown.
    /// control::errc::disconnected where tor ends before.
    task<std::string> read(std::string prompt) {
        auto first = co_await (type(std::move(prompt)) || show_events() || s_.control.closed());
        if (first.index() == 2) co_return std::get<2>(std::move(first));
        co_return std::get<0>(std::move(first));
    }
    task<std::string> type(std::string prompt) {
        if (editor_) return editor_->next(std::move(prompt));
        return piped_.next();
    }

    task<void> carry_out(const std::vector<std::string>& words, std::string line) {
        if (words[0] == "help") {
            known_.help(s_.out, words.size() > 1 ? words[1] : std::string{});
            co_return result<void>{};
        }
        if (is_alike(words[0], "SETEVENTS")) {
            std::vector<std::string> names{words.begin() + 1, words.end()};
            co_return co_await subscribe(std::move(names));
        }
        for (const auto* last : {"QUIT", "SIGNAL HALT", "SIGNAL SHUTDOWN", "SIGNAL TERM", "SIGNAL INT"})
            is_last_ |= is_alike(fmt::format("{}", fmt::join(words, " ")), last);
        co_return co_await ask(std::move(line));
    }

    task<void> ask(std::string line) {
        control::raw command{std::move(line)};
        while (command.line.starts_with('+')) {
            auto one = co_await read("");
            if (!one) co_return one.error();
            if (one->ends_with('\r')) one->pop_back();
            if (*one == ".") break;
            command.data += *one + '\n';
        }
        const auto answer = co_await s_.control.execute(std::move(command), clock::now() + s_.g.timeout);
        if (!answer) co_return answer.error();
        print_reply(s_.out, *answer, s_.g.json);
        co_return result<void>{};
    }

    /// Asked through the library, which hands the events out.
    task<void> subscribe(std::vector<std::string> names) {
        events_ = {};
        auto events = co_await s_.control.subscribe(std::move(names), clock::now() + s_.g.timeout);
        if (!events) co_return events.error();
        events_ = std::move(*events);
        s_.out.line("250 OK");
        co_return result<void>{};
    }

    void show(const tor::notice& n) {
        const auto print = [&] {
            if (const auto* event = std::get_if<control::event>(&n))
                s_.out.line(s_.g.json ? boost::json::serialize(to_json(*event)) : to_line(to_json(*event)));
            else
                s_.out.warn(fmt::format("{} events were lost: they came faster than they were shown",
                                        std::get<tor::gap>(n).dropped));
        };
        if (editor_)
            editor_->above(print);
        else
            print();
    }

    /// Until cancelled, or the connection ends.
    asio::awaitable<void> show_events() {
        while (events_) {
            const auto next = co_await events_.next();
            if (!next) break;
            show(*next);
        }
        net::condition never{co_await asio::this_coro::executor};
        co_await never.wait();
    }
    asio::awaitable<void> show_what_waits() {
        while (events_) {
            const auto next = co_await events_.next(clock::now() + std::chrono::milliseconds{10});
            if (!next) break;
            show(*next);
        }
    }

    control_session& s_;
    vocabulary known_;
    line_input piped_;
    std::optional<line_editor> editor_;
    tor::subscription events_;
    bool is_last_ = false;
};

task<int> converse(control_session& s) {
    conversation c{s, co_await asio::this_coro::executor};
    auto ended = co_await c.run();
    co_return ended;
}

}  // namespace

runner declare_tor_prompt(CLI::App&) {
    return [](const globals& g) { return with_control(g, converse); };
}

}  // namespace bento::cli
