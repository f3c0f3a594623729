// The directory with a million entries beside itself with ten, and beside the thesis' own design: Flask and one JSON
// file a token (directory_flask.py). wrk asks; all of it runs on the same processors.
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bento/base/encoding.hpp>
#include <bento/entry/owner.hpp>
#include <bento/net/listener.hpp>
#include <bento/store/directory_store.hpp>
#include <bento/web/http_client.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <iostream>
#include <thread>

#include "bench.hpp"
#include "run.hpp"
#include "temporary_directory.hpp"

namespace bento {
namespace {

namespace json = boost::json;
using bench::report;

constexpr std::uint64_t many = 1'000'000, few = 10;
/// A million files would be a benchmark of the file system.
constexpr std::uint64_t files = 10'000;
constexpr std::size_t batch = 10'000;
constexpr std::size_t tokens_of_a_server = 434;
/// The peer checks a password for each token: a tenth of them are measured, and multiplied.
constexpr std::size_t peer_tokens = 43;
constexpr unsigned rounds = 5;
/// Short and many, turn by turn: what stops the machine for some milliseconds falls into few of them.
constexpr unsigned look_up_rounds = 31, flood_rounds = 15;
constexpr int flooding_connections = 128;
/// Sooner than Retry-After says.
constexpr std::chrono::milliseconds comes_again{100};
constexpr auto password = "a password that every token has";

[[noreturn]] void die(const std::string& why) { throw std::runtime_error{why}; }

/// The same tokens as directory_lookup.lua's.
uuid4 token(std::uint64_t i) {
    char text[uuid4::text_size + 1];
    std::snprintf(text, sizeof text, "%08llx-0000-4000-8000-%012llx",
                  static_cast<unsigned long long>(i * 2654435761 % 4294967296), static_cast<unsigned long long>(i));
    return uuid4::parse(text).value();
}

onion::secret_key onion_key(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return onion::secret_key::from_seed(seed);
}
onion::address onion_address(std::uint8_t number) { return onion::address::of(onion_key(number).public_key()); }

entry::entry hello(const uuid4& token) {
    const std::string code = "def hello():\n    api.send('hello')\n";
    return {token, "hello", code, entry::sha256(code), onion_address(1), {}};
}

/// A database with that many entries, as large as signed ones.
void fill(const std::filesystem::path& database, std::uint64_t count) {
    auto store = store::open_sqlite(database.string());
    if (!store) die(store.error().message());
    auto e = hello(token(0));
    e.signed_by = entry::authority{.seq = 1, .not_after = entry::today()};
    sign(e, onion_key(2), onion_key(1));
    auto document = json::serialize(entry::to_json(e));
    const auto at = document.find(e.token.text());
    for (std::uint64_t i = 0; i < count;) {
        std::vector<store::record> records;
        for (; i < count && records.size() < batch; ++i) {
            document.replace(at, uuid4::text_size, token(i).text());
            records.push_back({token(i), 0, onion_key(2).public_key(), 1, false, document});
        }
        const auto taken = test::run([&](auto) { return (*store)->import(std::move(records)); });
        if (!taken) die(taken.error().message());
    }
    if (const auto size = test::run([&](auto) { return (*store)->size(); }); !size || *size != count)
        die("the database is not filled");
}

/// A program that ends with this.
class program {
  public:
    explicit program(const std::string& command) {
        from_ = ::popen(("echo $$; exec " + command).c_str(), "r");
        if (from_ == nullptr || std::fscanf(from_, "%d\n", &pid_) != 1) die("cannot start " + command);
    }
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    ~program() {
        ::kill(pid_, SIGTERM);
        ::pclose(from_);
    }
    std::string line() {
        char text[4096];
        if (std::fgets(text, sizeof text, from_) == nullptr) die("a program ended");
        return text;
    }
    double resident() const {
        std::ifstream in{"/proc/" + std::to_string(pid_) + "/statm"};
        double all = 0, here = 0;
        in >> all >> here;
        return here * static_cast<double>(::sysconf(_SC_PAGESIZE));
    }

  private:
    FILE* from_ = nullptr;
    int pid_ = 0;
};

struct served {
    explicit served(const std::filesystem::path& state)
        : runs{std::string{std::getenv("BENTOCTL")} + " directory --json --no-onion --state-dir " + state.string()} {
        at = endpoint::parse(json::value_to<std::string>(json::parse(runs.line()).at("listen"))).value();
    }
    program runs;
    endpoint at;
};

/// One request after another on one connection.
asio::awaitable<std::string> ask_all(endpoint at, std::string path, std::vector<std::string> bodies, int wanted) {
    web::road road;
    road.host = at.str();
    road.direct = at;
    web::http_client client{std::move(road)};
    std::string last;
    for (auto& body : bodies) {
        const auto answer = co_await client.post_json(path, std::move(body), clock::now() + std::chrono::minutes{1});
        if (!answer || answer->head.status != wanted)
            die(path + ": " + (answer ? std::to_string(answer->head.status) + answer->body : answer.error().message()));
        last = answer->body;
    }
    co_return last;
}
void post(const endpoint& at, const std::string& path, std::vector<std::string> bodies, int wanted) {
    test::run([&](auto) { return ask_all(at, path, bodies, wanted); }, std::chrono::minutes{2});
}

struct looked_up {
    double rate = 0, percentile_99 = 0;
};
looked_up look_up(const endpoint& at, std::uint64_t count, int seconds = 1) {
    const auto command = "wrk -t1 -c32 -d" + std::to_string(seconds) +
                         "s -s " BENTO_BENCH_SOURCE "/directory_lookup.lua http://" + at.str() + " -- " +
                         std::to_string(count) + " | tail -n 1";
    // wrk takes so many descriptors, and what floods the directory has its own.
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) die("close_range");
    FILE* from = ::popen(command.c_str(), "r");
    looked_up out;
    int failures = -1;
    if (from == nullptr || std::fscanf(from, "%lf %lf %d", &out.rate, &out.percentile_99, &failures) != 3)
        die("no wrk");
    ::pclose(from);
    if (failures != 0) die(std::to_string(failures) + " look-ups failed");
    return out;
}

/// What a server sends to move all its tokens: one account, one password.
std::string request_for_all(const endpoint& at, std::uint64_t seq, std::uint8_t onion) {
    const auto secret = entry::owner_secret::from_text("the owner secret of a server with 434 tokens").value();
    const auto directory = at.str();
    const auto account = secret.account(directory);
    json::array entries;
    for (std::size_t i = 0; i < tokens_of_a_server; ++i) {
        auto e = hello(token(many + i));
        if (seq > 1) e.code.reset();
        e.onion = onion_address(onion);
        e.signed_by = entry::authority{.seq = seq, .not_after = entry::today() + entry::life};
        const auto owner = secret.key(e.token);
        sign(e, owner, onion_key(onion));
        auto one = entry::to_json(e);
        one["claim"] = base64_encode(entry::sign_claim(owner, directory, account, entry::signed_bytes(e)));
        entries.push_back(std::move(one));
    }
    return json::serialize(json::object{
        {"entries", std::move(entries)}, {"account", account}, {"password", secret.password(directory).text()}});
}

double move_all(const endpoint& at) {
    post(at, "/register", {request_for_all(at, 1, 1)}, 201);
    std::vector<double> took;
    for (std::uint64_t seq = 2; seq < 2 + rounds; ++seq) {
        std::vector<std::string> body{request_for_all(at, seq, static_cast<std::uint8_t>(seq))};
        took.push_back(bench::seconds([&] { post(at, "/reregister", std::move(body), 200); }));
    }
    return bench::median(took);
}

/// Registers new tokens without end; who is sent away comes again.
asio::awaitable<void> register_for_ever(endpoint at, std::size_t& made, std::size_t& refused) {
    web::road road;
    road.host = at.str();
    road.direct = at;
    web::http_client client{std::move(road)};
    asio::steady_timer pause{co_await asio::this_coro::executor};
    for (;;) {
        auto one = entry::to_json(hello(uuid4::generate()));
        one["password"] = password;
        const auto answer =
            co_await client.post_json("/register", json::serialize(one), clock::now() + std::chrono::minutes{5});
        if (!answer) die("the flood: " + answer.error().message());
        ++(answer->head.status == 201 ? made : refused);
        pause.expires_after(comes_again);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

/// Does `work` while registrations flood the directory. On two processors two fifths of the rate are lost without the
/// hashing taking time of the loop: it runs where wrk sleeps, and a quarter of the loop's time goes into waking wrk
/// there.
template <class Work>
void flood(const endpoint& at, Work work) {
    asio::io_context context;
    std::size_t made = 0, refused = 0;
    std::exception_ptr failed;
    for (int i = 0; i < flooding_connections; ++i)
        asio::co_spawn(context, register_for_ever(at, made, refused), [&](std::exception_ptr e) {
            failed = e;
            context.stop();
        });
    std::jthread floods{[&] {
        // Who floods has a machine of their own: what it costs them is not to be taken from the directory.
        ::setpriority(PRIO_PROCESS, 0, 10);
        context.run();
    }};
    std::shared_ptr<void> stop{nullptr, [&](void*) { context.stop(); }};  // before the thread is waited for
    work();
    stop.reset();
    floods.join();
    if (failed) std::rethrow_exception(failed);
    std::cerr << "bench directory: meanwhile " << made << " registrations were made, and " << refused << " sent away\n";
    if (made == 0 || refused == 0) die("that was no flood");
}

struct peer {
    peer(const std::filesystem::path& folder, std::uint16_t port)
        : runs{BENTO_BENCH_PYTHON " " BENTO_BENCH_SOURCE "/directory_flask.py " + prepared(folder) + ' ' +
               std::to_string(port) + ' ' + (folder / "tokens").string() + " '" + password + "' 2>/dev/null"},
          at{endpoint::tcp("127.0.0.1", port)} {
        const auto give_up = clock::now() + std::chrono::minutes{1};
        while (!test::run([&](auto) { return net::stream::connect(at, give_up); })) {
            if (clock::now() > give_up) die("Flask does not start: is python3-flask installed (.ci/deps bench)?");
            ::usleep(100'000);
        }
    }
    static std::string prepared(const std::filesystem::path& folder) {
        std::filesystem::create_directories(folder / "files");
        std::ofstream tokens{folder / "tokens"};
        for (std::uint64_t i = 0; i < files; ++i)
            tokens << token(i).text() << '\n';
        return (folder / "files").string();
    }
    double move_all() const {
        std::vector<std::string> bodies;
        for (std::size_t i = 0; i < peer_tokens; ++i)
            bodies.push_back(json::serialize(
                json::object{{"token", token(i).text()}, {"onion", onion_address(2).host()}, {"password", password}}));
        const auto took = bench::seconds([&] { post(at, "/reregister", bodies, 200); });
        return took * static_cast<double>(tokens_of_a_server) / static_cast<double>(peer_tokens);
    }
    program runs;
    endpoint at;
};

void measure(const std::filesystem::path& folder) {
    for (const auto& [name, count] : {std::pair{"many", many}, std::pair{"few", few}}) {
        std::filesystem::create_directories(folder / name);
        fill(folder / name / "directory.db", count);
    }
    served large{folder / "many"}, small{folder / "few"};
    const peer thesis{folder / "thesis", net::free_loopback_port().value()};
    const auto memory = large.runs.resident();

    // The first run is not counted: it brings the database's file into memory.
    look_up(large.at, many, 5);
    std::vector<double> rates, rates_with_ten;
    std::vector<bench::pair> percentiles;
    for (unsigned i = 0; i < look_up_rounds; ++i) {
        const auto of_many = look_up(large.at, many), of_few = look_up(small.at, few);
        rates.push_back(of_many.rate);
        rates_with_ten.push_back(of_few.rate);
        percentiles.push_back({of_many.percentile_99, of_few.percentile_99});
    }
    const auto rate = bench::median(rates);
    const auto percentile_99 = bench::median_round(percentiles);
    const auto flask = look_up(thesis.at, files, 3);
    report({"look-ups of 1,000,000 entries", rate, "/s", flask.rate, "Flask, 10,000 files", bench::limit{50'000}});
    report({"look-ups of 10 entries", bench::median(rates_with_ten), "/s", flask.rate, "Flask, 10,000 files"});
    report({"99th percentile of 1,000,000 entries", percentile_99.ours, "s", percentile_99.peer, "ours, 10",
            bench::ratio{1 / 1.3}});

    std::vector<double> rates_meanwhile, percentiles_meanwhile;
    flood(large.at, [&] {
        for (unsigned i = 0; i < flood_rounds; ++i) {
            const auto during = look_up(large.at, many);
            rates_meanwhile.push_back(during.rate);
            percentiles_meanwhile.push_back(during.percentile_99);
        }
    });
    report({"look-ups while registrations flood", bench::median(rates_meanwhile), "/s", rate, "without",
            bench::ratio{0.5}});
    report({"99th percentile meanwhile", bench::median(percentiles_meanwhile), "s", {}, {}, bench::limit{0.020}});
    served quiet{folder / "quiet"};
    report({"434 re-registrations, bcrypt cost 12", move_all(quiet.at), "s", thesis.move_all(), "Flask, from 43",
            bench::limit{1}});
    report({"memory of the idle process", memory, "B", thesis.runs.resident(), "Flask", bench::limit{20 << 20}});
}

}  // namespace
}  // namespace bento

int main() {
    try {
        if (std::getenv("BENTOCTL") == nullptr) bento::die("BENTOCTL must name the program");
        const bento::test::temporary_directory folder;
        bento::measure(folder.path());
    } catch (const std::exception& e) {
        std::cerr << "bench directory: " << e.what() << '\n';
        return 1;
    }
}
