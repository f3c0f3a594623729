// Every command of the control library against a real tor: one that is not on the network, and where a command needs
// one, the private network that BENTO_TESTNET names the file of.
#include <stdlib.h>

#include <bento/base/encoding.hpp>
#include <bento/base/file.hpp>
#include <bento/control/circuit_command.hpp>
#include <bento/net/condition.hpp>
#include <bento/net/listener.hpp>
#include <bento/net/socks5.hpp>
#include <bento/onion/address.hpp>
#include <bento/onion/client_key.hpp>
#include <bento/testnet/keeper.hpp>
#include <bento/tor/descriptor.hpp>
#include <bento/tor/onion_services.hpp>
#include <bento/tor/process.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

time_point soon() { return clock::now() + 30s; }

/// A tor of the test's own, off the network, and the connection that owns it.
struct offline_tor {
    test::temporary_directory folder;
    tor::process process;
    tor::controller control;
    endpoint socket;

    explicit offline_tor(const asio::any_io_executor& executor) {
        const auto path = folder.path().string();
        socket = endpoint::unix_socket(path + "/control");
        tor::process::options o;
        o.torrc = "DataDirectory " + path + "/data\nDisableNetwork 1\nSocksPort 0\nCookieAuthentication 1\n" +
                  "ControlPort " + socket.str() + "\nClientOnionAuthDir " + path + "/clients\nLog notice stdout\n";
        std::filesystem::create_directory(folder.path() / "clients");
        std::filesystem::permissions(folder.path() / "clients", std::filesystem::perms::owner_all);
        process = tor::process::launch(executor, o).value();
        control = tor::controller::attach(process.take_control());
    }
};

template <class Body>
void offline(Body body) {
    test::run(
        [&](asio::any_io_executor executor) -> asio::awaitable<void> {
            offline_tor tor{executor};
            control::get_info ready;
            ready.keys.emplace_back("version");
            const auto up = co_await tor.control.execute(std::move(ready), soon());
            up.value();
            co_await body(tor);
        },
        60s);
}

// Outside of the coroutines, where Catch's macros may name their argument as often as they like.
template <class T>
void done(const result<T>& r, int line = __builtin_LINE()) {
    INFO("line " << line);
    CHECK(r);
}
template <class T>
void fails(const result<T>& r, control::errc with, int line = __builtin_LINE()) {
    INFO("line " << line);
    REQUIRE_FALSE(r);
    CHECK(r.error().code == with);
}
template <class T>
void gives(const result<T>& r, const T& expected, int line = __builtin_LINE()) {
    INFO("line " << line);
    REQUIRE(r);
    CHECK((*r == expected));
}

/// As it was told to. Once in some hundred times tor 0.4.9 aborts on its way out: a thread of its pool locks what its
/// main thread has freed ("Raw assertion failed", compat_mutex_pthreads.c).
void went(const net::exit_status& status, int line = __builtin_LINE()) {
    INFO("line " << line);
    CHECK_THAT(status.str(), Catch::Equals("exit status 0") || Catch::Equals("signal 6 (Aborted)"));
}

template <class Command>
task<typename Command::reply_type> ask(const tor::controller& control, Command command) {
    co_return co_await control.execute(std::move(command), soon());
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        out.emplace_back(text.substr(0, text.find(' ')));
        text.remove_prefix(std::min(out.back().size() + 1, text.size()));
    }
    return out;
}

task<std::string> info(const tor::controller& control, std::string key) {
    std::vector<std::string> keys{key};
    auto got = co_await control.info(std::move(keys), soon());
    co_return std::move(got.begin()->second);
}

/// The next event that `wanted` says yes to.
template <class Event, class Wanted>
task<Event> next_event(tor::subscription& events, const Wanted& wanted) {
    for (;;) {
        auto next = co_await events.next(soon());
        if (!next) co_return next.error();
        if (auto* event = std::get_if<control::event>(&*next))
            if (auto* right = std::get_if<Event>(event); right != nullptr && wanted(*right))
                co_return std::move(*right);
    }
}

}  // namespace

TEST_CASE("the configuration: GETINFO, GETCONF, SETCONF, RESETCONF, LOADCONF, SAVECONF") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        control::get_info unknown;
        unknown.keys = {"version", "nonsense", "other"};
        const auto refused = co_await ask(tor.control, unknown);
        CHECK(refused.error().code == control::errc::unrecognized);
        CHECK(refused.error().peer.find("\"other\"") != std::string::npos);
        control::get_info lines;
        lines.keys = {"config/names", "version"};
        const auto got = co_await ask(tor.control, lines);
        REQUIRE(got);
        CHECK(got->at("config/names").find("\nNickname ") != std::string::npos);
        CHECK(got->at("version").starts_with("0.4."));

        control::set_conf set;
        set.values = {{"Nickname", "Somebody"}, {"ContactInfo", "a \"b\" \\c \xc3\xa9"}};
        done(co_await ask(tor.control, set));
        control::get_conf get;
        get.keys = {"nickname", "ContactInfo", "Address"};
        auto values = co_await ask(tor.control, get);
        REQUIRE(values);
        using option = std::pair<std::string, std::optional<std::string>>;
        CHECK(*values == std::vector<option>{{"Nickname", "Somebody"},
                                             {"ContactInfo", "a \"b\" \\c \xc3\xa9"},
                                             {"Address", std::nullopt}});
        control::reset_conf reset;
        reset.values = {{"ContactInfo", std::nullopt}};
        done(co_await ask(tor.control, reset));
        values = co_await ask(tor.control, get);
        CHECK_FALSE(values.value().at(1).second);

        control::set_conf wrong;
        wrong.values = {{"Nickname", "fine"}, {"SocksPort", "nonsense"}};
        const auto rejected = co_await ask(tor.control, wrong);
        CHECK(rejected.error().code == control::errc::rejected);
        wrong.values = {{"Nonsense", "1"}};
        const auto unrecognized = co_await ask(tor.control, wrong);
        CHECK(unrecognized.error().code == control::errc::unrecognized);

        auto text = (co_await info(tor.control, "config-text")).value();
        control::load_conf load{text + "Nickname Loaded\n"};
        const auto twice = co_await ask(tor.control, load);
        control::load_conf nothing{"Nonsense 1\n"};
        const auto not_loaded = co_await ask(tor.control, nothing);
        CHECK(not_loaded.error().code == control::errc::rejected);
        CHECK(twice);
        values = co_await ask(tor.control, get);
        CHECK(values.value().at(0).second == "Loaded");
    });
}

// Never of a tor whose torrc came over a pipe: as root that one writes the system's.
TEST_CASE("SAVECONF writes the torrc that tor was started with, and a reload reads it again") {
    const auto body = [](asio::any_io_executor executor) -> asio::awaitable<void> {
        test::temporary_directory folder;
        const auto path = folder.path().string();
        const auto torrc = folder.path() / "torrc";
        write_file(torrc, "DataDirectory " + path + "/data\nDisableNetwork 1\nSocksPort 0\nCookieAuthentication 1\n" +
                              "ControlPort unix:" + path + "/control\nLog notice file " + path + "/log\n%include " +
                              path + "/more\n")
            .value();
        write_file(folder.path() / "more", "ContactInfo of another file\n").value();
        net::child::options o;
        o.program = "tor";
        o.arguments = {"-f", torrc.string(), "--defaults-torrc", "/dev/null"};
        auto tor = net::child::start(executor, o).value();
        const auto at = endpoint::unix_socket(path + "/control");
        result<tor::controller> control = error{net::errc::refused};
        net::condition pause{executor};
        for (const auto until = soon(); !control && clock::now() < until;) {
            control = co_await tor::controller::connect(at, {}, soon());
            if (!control) co_await pause.wait(clock::now() + 20ms);
        }
        control.value();
        control::save_conf save;
        fails(co_await ask(*control, save), control::errc::unavailable);  // it includes another file
        save.force = true;
        done(co_await ask(*control, save));
        CHECK(read_file(torrc, 1 << 16).value().find("%include") == std::string::npos);
        control::set_conf set;
        set.values = {{"Nickname", "Saved"}};
        done(co_await ask(*control, set));
        save.force = false;
        done(co_await ask(*control, save));
        CHECK(read_file(torrc, 1 << 16).value().find("Nickname Saved") != std::string::npos);
        control::reset_conf reset;
        reset.values = {{"Nickname", std::nullopt}};
        done(co_await ask(*control, reset));
        control::signal hup{"HUP"};
        done(co_await ask(*control, hup));
        control::get_conf get;
        get.keys = {"Nickname"};
        std::string nickname;
        for (const auto until = soon(); nickname != "Saved" && clock::now() < until;) {
            const auto values = co_await ask(*control, get);
            nickname = values.value().at(0).second.value_or("");
            co_await pause.wait(clock::now() + 20ms);
        }
        CHECK(nickname == "Saved");
        tor.signal(SIGTERM);
        const auto ended = co_await tor.wait(soon());
        CHECK(ended);
    };
    test::run(body, 60s);
}

TEST_CASE("every event that this tor has can be subscribed to, every signal that ends nothing is taken") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        const auto names = words_of((co_await info(tor.control, "events/names")).value());
        CHECK(names.size() >= 31);
        auto events = co_await tor.control.subscribe(names, soon());
        REQUIRE(events);
        std::vector<std::string> unknown{"NONSENSE"};
        const auto refused = co_await tor.control.subscribe(std::move(unknown), soon());
        CHECK(refused.error().code == control::errc::unrecognized);

        for (const auto& name : words_of((co_await info(tor.control, "signal/names")).value())) {
            if (name == "SHUTDOWN" || name == "HALT" || name == "TERM" || name == "INT") continue;
            // A tor whose torrc came over a pipe would read the system's in its place.
            if (name == "RELOAD" || name == "HUP") continue;
            INFO(name);
            control::signal s{name};
            const auto sent = co_await ask(tor.control, s);
            CHECK(sent);
        }
        control::signal heartbeat{"HEARTBEAT"};
        (co_await ask(tor.control, heartbeat)).value();
        const auto is_heartbeat = [](const auto& s) { return s.name == "HEARTBEAT"; };
        const auto acted = co_await next_event<control::signal_received>(*events, is_heartbeat);
        CHECK(acted);
        control::signal nonsense{"NONSENSE"};
        const auto sent = co_await ask(tor.control, nonsense);
        CHECK(sent.error().code == control::errc::unrecognized);
        control::use_feature features;
        features.names = {"VERBOSE_NAMES", "EXTENDED_EVENTS"};
        done(co_await ask(tor.control, features));

        control::signal halt{"HALT"};
        done(co_await ask(tor.control, halt));
        const auto why = co_await tor.control.closed();
        CHECK(why.code == control::errc::disconnected);
        const auto status = co_await tor.process.wait(soon());
        went(status.value());
    });
}

TEST_CASE(
    "authentication and ownership: PROTOCOLINFO, AUTHCHALLENGE, AUTHENTICATE, TAKEOWNERSHIP, DROPOWNERSHIP, QUIT") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        auto stream = (co_await net::stream::connect(tor.socket, soon())).value();
        const auto stranger = tor::controller::attach(std::move(stream));
        const auto info = co_await ask(stranger, control::protocol_info{});
        REQUIRE(info);
        CHECK(info->safe_cookie);
        CHECK(info->tor_version.starts_with("0.4."));
        CHECK(info->cookie_file == (tor.folder.path() / "data/control_auth_cookie").string());
        control::auth_challenge challenge;
        challenge.client_nonce.assign(32, 7);
        const auto answer = co_await ask(stranger, challenge);
        REQUIRE(answer);
        CHECK(answer->server_nonce.size() == 32);
        control::authenticate wrong{secret{std::string_view{"a wrong proof of the right size!"}}};
        const auto refused = co_await stranger.execute(std::move(wrong), soon());
        CHECK(refused.error().code == control::errc::authentication_failed);
        const auto ended = co_await stranger.closed();
        CHECK(ended.code == control::errc::disconnected);

        const tor::credentials by_cookie;
        auto second = (co_await tor::controller::connect(tor.socket, by_cookie, soon())).value();
        done(co_await ask(second, control::take_ownership{}));
        done(co_await ask(second, control::drop_ownership{}));
        done(co_await ask(second, control::quit{}));
        const auto left = co_await second.closed();
        CHECK(left.code == control::errc::disconnected);
        CHECK(tor.control.connected());
        second = (co_await tor::controller::connect(tor.socket, by_cookie, soon())).value();
        done(co_await ask(second, control::take_ownership{}));
        second.close();
        const auto status = co_await tor.process.wait(soon());
        went(status.value());
    });
}

TEST_CASE("onion services: ADD_ONION with everything it takes, DEL_ONION, HSFETCH, HSPOST") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        const auto key = onion::secret_key::generate();
        const auto address = onion::address::of(key.public_key());
        control::add_onion all;
        all.key = key.add_onion_argument();
        all.ports = {{80, "127.0.0.1:8080"}, {81, "unix:/tmp/some.sock"}, {82, ""}, {83, "[::1]:9"}};
        all.flags.detach = true;
        all.flags.max_streams_close_circuit = true;
        all.max_streams = 5;
        all.defences = control::add_onion::proof_of_work{9, 99};
        all.client_auth = {onion::client_key::generate().public_base32(),
                           onion::client_key::generate().public_base32()};
        const auto added = co_await tor.control.execute(std::move(all), soon());
        REQUIRE(added);
        CHECK(added->service_id == address.service_id());
        CHECK(added->private_key.empty());
        CHECK(added->client_auth.size() == 2);
        gives(co_await info(tor.control, "onions/detached"), address.service_id());

        control::add_onion again;
        again.key = key.add_onion_argument();
        again.ports = {{80, ""}};
        const auto twice = co_await tor.control.execute(std::move(again), soon());
        CHECK(twice.error().code == control::errc::onion_collision);
        control::add_onion made;
        made.ports = {{80, ""}};
        const auto fresh = co_await tor.control.execute(std::move(made), soon());
        REQUIRE(fresh);
        CHECK(fresh->private_key.text().starts_with("ED25519-V3:"));
        gives(co_await info(tor.control, "onions/current"), fresh->service_id);
        control::add_onion discarded;
        discarded.ports = {{80, ""}};
        discarded.flags.discard_private_key = true;
        const auto without = co_await tor.control.execute(std::move(discarded), soon());
        CHECK(without.value().private_key.empty());
        control::add_onion open;
        open.ports = {{80, ""}};
        open.flags.non_anonymous = true;
        fails(co_await tor.control.execute(std::move(open), soon()), control::errc::rejected);

        control::hs_fetch fetch{address.service_id()};
        done(co_await ask(tor.control, fetch));
        fetch.servers = {std::string(40, 'A')};
        fails(co_await ask(tor.control, fetch), control::errc::unrecognized);
        control::hs_post post{address.service_id()};
        post.descriptor = "hs-descriptor 3\n.\n";
        fails(co_await ask(tor.control, post), control::errc::rejected);

        control::del_onion gone{address.service_id()};
        done(co_await ask(tor.control, gone));
        fails(co_await ask(tor.control, gone), control::errc::no_such_onion);
    });
}

TEST_CASE("keys of clients: ONION_CLIENT_AUTH_ADD, VIEW, REMOVE") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        const auto id = onion::address::of(onion::secret_key::generate().public_key()).service_id();
        const auto key = onion::client_key::generate();
        using add_result = control::onion_client_auth_add::reply_type;
        const std::array additions{add_result::added, add_result::replaced};
        for (const auto expected : additions) {
            control::onion_client_auth_add add;
            add.service_id = id;
            add.private_key = key.private_base64();
            add.client_name = "friend";
            add.permanent = expected == add_result::replaced;
            gives(co_await tor.control.execute(std::move(add), soon()), expected);
        }
        control::onion_client_auth_view view;
        view.service_id = id;
        const auto known = co_await ask(tor.control, view);
        REQUIRE(known);
        REQUIRE(known->size() == 1);
        CHECK(known->front().service_id == id);
        CHECK(known->front().private_key == key.private_base64());
        CHECK(known->front().permanent);
        CHECK_FALSE(std::filesystem::is_empty(tor.folder.path() / "clients"));
        using remove_result = control::onion_client_auth_remove::reply_type;
        const std::array removals{remove_result::removed, remove_result::absent};
        for (const auto expected : removals) {
            control::onion_client_auth_remove remove{id};
            gives(co_await ask(tor.control, remove), expected);
        }
        const auto none = co_await ask(tor.control, view);
        CHECK(none.value().empty());
        control::onion_client_auth_add long_name;
        long_name.service_id = id;
        long_name.private_key = key.private_base64();
        long_name.client_name = std::string(17, 'n');
        fails(co_await tor.control.execute(std::move(long_name), soon()), control::errc::invalid_argument);
        done(co_await info(tor.control, "version"));  // the answers are still in step
    });
}

TEST_CASE("what needs no network of circuits, streams and addresses") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        control::map_address map;
        map.mappings = {{"0.0.0.0", "torproject.org"}, {"not an address", "x"}, {"1.2.3.4", "5.6.7.8"}};
        const auto refused = co_await ask(tor.control, map);
        CHECK(refused.error().code == control::errc::invalid_argument);
        map.mappings = {{"0.0.0.0", "torproject.org"}, {"1.2.3.4", "5.6.7.8"}};
        const auto mapped = co_await ask(tor.control, map);
        REQUIRE(mapped);
        CHECK(mapped->mappings.size() == 2);
        CHECK(mapped->mappings.front().second == "torproject.org");
        CHECK(mapped->mappings.front().first.starts_with("127."));

        control::extend_circuit extend;
        fails(co_await ask(tor.control, extend), control::errc::unavailable);
        control::set_circuit_purpose purpose{"1"};
        fails(co_await ask(tor.control, purpose), control::errc::unrecognized);
        control::close_circuit close{"1"};
        fails(co_await ask(tor.control, close), control::errc::unrecognized);
        control::attach_stream attach{"1", "1"};
        fails(co_await ask(tor.control, attach), control::errc::unrecognized);
        control::redirect_stream redirect{"1", "127.0.0.1"};
        fails(co_await ask(tor.control, redirect), control::errc::unrecognized);
        control::close_stream end{"1"};
        fails(co_await ask(tor.control, end), control::errc::unrecognized);
        done(co_await ask(tor.control, control::drop_guards{}));
        done(co_await ask(tor.control, control::drop_timeouts{}));
        control::post_descriptor post{"nonsense\n"};
        fails(co_await ask(tor.control, post), control::errc::rejected);
    });
}

namespace {

/// The client tor of the private network.
task<testnet::description> the_network() {
    const char* file = ::getenv("BENTO_TESTNET");
    if (file == nullptr) throw std::runtime_error{"BENTO_TESTNET must name the file that testnet_up.sh writes"};
    auto directory = read_file(file, 4096).value();
    while (directory.ends_with('\n'))
        directory.pop_back();
    co_return co_await testnet::ask(directory, soon());
}

/// Answers each connection with one word.
net::listener answer(const asio::any_io_executor& executor, std::string_view word) {
    auto out = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
    out.start([word](net::stream peer) -> asio::awaitable<void> {
        co_await peer.write(word);
        peer.shutdown_send();
        char rest[64];
        while (co_await peer.read_some(rest))
            ;
    });
    return out;
}

asio::awaitable<void> connect_and_read(endpoint socks, net::socks_target to, std::string& into, net::condition& ended) {
    net::isolation own{"test", "streams"};
    auto stream = co_await net::connect_through(socks, std::move(own), std::move(to), {}, soon());
    char buffer[64];
    while (stream) {
        const auto n = co_await stream->read_some(buffer);
        if (!n) break;
        into.append(buffer, *n);
    }
    if (!stream) into = stream.error().message();
    ended.notify_all();
}

}  // namespace

TEST_CASE(
    "circuits and streams: EXTENDCIRCUIT, SETCIRCUITPURPOSE, ATTACHSTREAM, REDIRECTSTREAM, CLOSESTREAM, CLOSECIRCUIT") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            const auto network = (co_await the_network()).value();
            const tor::credentials by_cookie;
            auto control = (co_await tor::controller::connect(network.client.control, by_cookie, soon())).value();
            std::vector<std::string> names{"CIRC", "STREAM", "ADDRMAP"};
            auto events = (co_await control.subscribe(std::move(names), soon())).value();

            control::extend_circuit extend;
            extend.purpose = control::circuit_purpose::general;
            const auto id = (co_await ask(control, extend)).value();
            const auto is_built = [&](const auto& c) {
                return c.id == id && c.status == control::circuit_status::built;
            };
            const auto built = co_await next_event<control::circuit_event>(events, is_built);
            REQUIRE(built);
            CHECK(built->path.size() == 3);
            control::extend_circuit by_name;
            for (const auto& hop : built->path)
                by_name.path.push_back("$" + hop.fingerprint);
            const auto other = (co_await ask(control, by_name)).value();
            const auto other_is_built = [&](const auto& c) {
                return c.id == other && c.status == control::circuit_status::built;
            };
            const auto same = co_await next_event<control::circuit_event>(events, other_is_built);
            REQUIRE(same);
            CHECK(same->path == built->path);
            // At once: a circuit for general use is tor's, which closes it when it likes.
            control::close_circuit if_unused{id, true};
            done(co_await ask(control, if_unused));
            control::set_circuit_purpose purpose{other, control::circuit_purpose::controller};
            done(co_await ask(control, purpose));
            control::extend_circuit longer{other, {"$" + built->path.front().fingerprint}};
            gives(co_await ask(control, longer), other);
            const auto is_longer = [&](const auto& c) { return other_is_built(c) && c.path.size() == 4; };
            const auto grown = co_await next_event<control::circuit_event>(events, is_longer);
            CHECK(grown);
            control::extend_circuit nobody;
            nobody.path = {"$" + std::string(40, 'A')};
            fails(co_await ask(control, nobody), control::errc::unrecognized);

            // A stream waits for us, is taken elsewhere and put on our circuit.
            control::set_conf wait;
            wait.values = {{"__LeaveStreamsUnattached", "1"}};
            (co_await ask(control, wait)).value();
            const auto target = answer(executor, "redirected");
            std::string got;
            net::condition ended{executor};
            const net::socks_target second{"127.0.0.2", 1}, third{"127.0.0.3", 1};
            asio::co_spawn(executor, connect_and_read(network.client.socks, second, got, ended), asio::detached);
            const auto is_second = [](const auto& s) { return s.target == "127.0.0.2:1"; };
            const auto waits = co_await next_event<control::stream_event>(events, is_second);
            REQUIRE(waits);
            control::redirect_stream redirect{waits->id, "127.0.0.1", target.where().port};
            done(co_await ask(control, redirect));
            // It leaves the circuit in the middle.
            control::attach_stream attach{waits->id, other, 2};
            done(co_await ask(control, attach));
            while (got.empty())
                if (!co_await ended.wait(soon())) break;
            CHECK(got == "redirected");

            got.clear();
            asio::co_spawn(executor, connect_and_read(network.client.socks, third, got, ended), asio::detached);
            const auto is_third = [](const auto& s) { return s.target == "127.0.0.3:1"; };
            const auto unwanted = co_await next_event<control::stream_event>(events, is_third);
            REQUIRE(unwanted);
            control::close_stream close{unwanted->id, control::stream_end::exit_policy};
            done(co_await ask(control, close));
            while (got.empty())
                if (!co_await ended.wait(soon())) break;
            CHECK_FALSE(got.empty());
            control::reset_conf reset;
            reset.values = {{"__LeaveStreamsUnattached", std::nullopt}};
            (co_await ask(control, reset)).value();

            control::close_circuit end{other, false};
            done(co_await ask(control, end));
            const auto is_closed = [&](const auto& c) {
                return c.id == other && c.status == control::circuit_status::closed;
            };
            const auto closed = co_await next_event<control::circuit_event>(events, is_closed);
            CHECK(closed);

            control::resolve name{"127.0.0.1", true};
            done(co_await ask(control, name));
            const auto any = [](const auto&) { return true; };
            const auto answered = co_await next_event<control::address_mapped>(events, any);
            CHECK(answered);
        },
        120s);
}

TEST_CASE("descriptors: HSFETCH brings what was published, HSPOST uploads it again") {
    test::run(
        [](asio::any_io_executor executor) -> asio::awaitable<void> {
            const auto network = (co_await the_network()).value();
            const tor::credentials by_cookie;
            auto host = (co_await tor::controller::connect(network.host.control, by_cookie, soon())).value();
            auto client = (co_await tor::controller::connect(network.client.control, by_cookie, soon())).value();
            tor::onion_services onions{executor};
            (co_await onions.prepare(host)).value();
            tor::onion_service service{onion::secret_key::generate()};
            service.target = endpoint::tcp("127.0.0.1", 1);
            const auto address = (co_await onions.add(std::move(service), soon())).value();
            (co_await onions.wait_published(address, tor::publication::wait::all, clock::now() + 60s)).value();
            std::vector<std::string> any;
            const auto fetched = co_await tor::fetch_descriptor(client, address, std::move(any), soon());
            REQUIRE(fetched);
            CHECK(fetched->text.starts_with("hs-descriptor 3\n"));

            std::vector<std::string> names{"HS_DESC"};
            auto events = (co_await client.subscribe(std::move(names), soon())).value();
            control::hs_post post;
            post.service_id = address.service_id();
            post.servers = {fetched->hs_dir.fingerprint};
            post.descriptor = fetched->text;
            done(co_await client.execute(std::move(post), soon()));
            // The HSDir has this revision already.
            const auto is_outcome = [&](const auto& e) {
                return e.address == address.service_id() && e.action != control::hs_desc_action::upload;
            };
            const auto outcome = co_await next_event<control::hs_desc>(events, is_outcome);
            REQUIRE(outcome);
            CHECK(outcome->hs_dir.fingerprint == fetched->hs_dir.fingerprint);
            const auto can_be_fetched = onions.fetch_prober();
            done(co_await can_be_fetched(address, clock::now() + 60s));
            const auto never = onion::address::of(onion::secret_key::generate().public_key());
            const auto absent = co_await can_be_fetched(never, clock::now() + 60s);
            CHECK(absent.error().code == tor::errc::no_descriptor);
            const auto probe = tor::connect_prober(network.client.socks, 80);
            const auto reached = co_await probe(address, clock::now() + 60s);
            // Nothing listens there: tor tells that as either, by which of the service's answers came first.
            const auto why = reached.error().code;
            CHECK((why == net::errc::onion_unreachable || why == net::errc::no_route));

            const auto target = answer(executor, "here");
            tor::onion_service listens{onion::secret_key::generate()};
            listens.target = target.where();
            const auto reachable = (co_await onions.add(std::move(listens), soon())).value();
            (co_await onions.wait_published(reachable, tor::publication::wait::all, clock::now() + 60s)).value();
            done(co_await probe(reachable, clock::now() + 60s));
        },
        180s);
}

TEST_CASE("POSTDESCRIPTOR: a relay's own descriptor is taken") {
    test::run(
        [](asio::any_io_executor) -> asio::awaitable<void> {
            const auto network = (co_await the_network()).value();
            const tor::credentials by_cookie;
            auto control = (co_await tor::controller::connect(network.client.control, by_cookie, soon())).value();
            const auto known = read_file(network.directory / "relay1" / "cached-descriptors.new", 1 << 20).value();
            const auto begin = known.find("router ");
            constexpr std::string_view last = "-----END SIGNATURE-----\n";
            control::post_descriptor post;
            post.descriptor = known.substr(begin, known.find(last, begin) + last.size() - begin);
            const auto posted = co_await ask(control, post);
            REQUIRE(posted);
            // Once it has it, tor has no use for it, and says so.
            const auto again = co_await ask(control, post);
            REQUIRE(again);
            CHECK_FALSE(again->accepted);
        },
        60s);
}

TEST_CASE("over TCP, large answers do not wait for delayed acknowledgements") {
    offline([](offline_tor& tor) -> asio::awaitable<void> {
        control::set_conf listen;
        listen.values = {{"ControlPort", "127.0.0.1:auto"}};
        done(co_await ask(tor.control, listen));
        const auto told = co_await info(tor.control, "net/listeners/control");
        const auto at = endpoint::parse(control::parse_listeners(told.value()).value().at(0)).value();
        auto control = (co_await tor::controller::connect(at, {}, soon())).value();
        const auto start = clock::now();
        for (int i = 0; i < 50; ++i) {
            const auto names = co_await info(control, "config/names");
            CHECK(names.value().size() > 10'000);
        }
        // With the kernel's 40 ms at each it would be two seconds and more.
        CHECK(clock::now() - start < 1s);
    });
}
