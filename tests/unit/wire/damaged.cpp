// Streams damaged at random (seeds fixed): both machines survive them, and no segmentation changes what they say.
#include <bento/wire/client_state.hpp>
#include <bento/wire/server_state.hpp>
#include <random>

#include "segments.hpp"
#include "test.hpp"

using namespace bento;
using namespace bento::test;
using namespace std::string_literals;

namespace {

const auto id = uuid4::parse("0b88a643-5ab1-443c-a5fb-fb115ec2b4eb").value();

std::string damaged(std::string stream, std::mt19937& random) {
    const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random); };
    for (auto changes = 1 + below(4); changes > 0 && !stream.empty(); --changes) {
        const auto at = below(stream.size());
        switch (below(4)) {
            case 0:
                stream[at] = static_cast<char>(below(256));
                break;
            case 1:
                stream.erase(at, 1 + below(8));
                break;
            case 2:
                stream.insert(at, 1 + below(3), static_cast<char>(below(9)));
                break;
            default:
                stream.insert(at, stream.substr(below(stream.size()), 1 + below(45)));
        }
    }
    return stream;
}

std::string server_says(const std::vector<std::string>& pieces) {
    wire::server server{{.request = 100, .open = 60, .input = 20}};
    std::string out;
    for (const auto& piece : pieces) {
        server.feed(piece);
        for (;;) {
            const auto event = server.next();
            if (std::holds_alternative<wire::server::need_data>(event)) break;
            out += std::to_string(event.index()) + ' ';
            if (const auto* store = std::get_if<wire::server::store>(&event)) {
                out += store->name + '|' + store->code;
                out += server.reply_stored(id);
            }
            if (const auto* execute = std::get_if<wire::server::execute>(&event)) {
                out += execute->call + '|' + execute->token.str();
                out += server.reply_executed(id);
            }
            if (std::holds_alternative<wire::server::open>(event)) {
                if (out.size() % 3 == 0)
                    out += server.open_failed();
                else
                    server.open_ok();
            }
            if (const auto* input = std::get_if<wire::server::input>(&event)) {
                out += input->data;
                if (input->data == "stop") out += server.function_dead();
            }
            if (const auto* violation = std::get_if<wire::server::violation>(&event)) out += violation->reply;
            out += '\n';
        }
    }
    return out + (server.session() ? "open" : "") + (server.between_frames() ? "." : "...");
}

std::string client_says(const std::vector<std::string>& pieces) {
    wire::client client;
    (void)client.encode_store("n", "c").value();
    (void)client.encode_execute("f()", id).value();
    (void)client.encode_open(id).value();
    (void)client.encode_input(id, "x").value();
    (void)client.encode_close(id).value();
    (void)client.encode_open(id).value();
    std::string out;
    for (const auto& piece : pieces) {
        client.feed(piece);
        for (;;) {
            const auto event = client.next();
            if (!event) return out + event.error().message();
            if (std::holds_alternative<wire::client::need_data>(*event)) break;
            // Data comes in as many pieces as it was fed in; everything else is one event.
            if (const auto* data = std::get_if<wire::client::output_data>(&*event)) {
                out += data->data;
                continue;
            }
            out += std::to_string(event->index()) + ' ';
            if (const auto* refused = std::get_if<wire::client::refused>(&*event)) out += refused->words;
            if (const auto* failed = std::get_if<wire::client::open_failed>(&*event)) out += failed->words;
            if (const auto* failed = std::get_if<wire::client::function_error>(&*event)) out += failed->text;
            if (const auto* invalid = std::get_if<wire::client::invalid_message>(&*event)) out += invalid->words;
        }
    }
    return out + (client.session() ? "open" : "") + (client.finish() ? "." : "...");
}

}  // namespace

TEST_CASE("a server on damaged streams") {
    const auto good = frame(0x00, R"({"name":"n","code":"c"})") +
                      frame(0x01, R"j({"call":"f()","token":")j" + id.str() + "\"}") + frame(0x02, id.text()) +
                      frame(0x07, id.str() + "data") + frame(0x03, id.text()) + frame(0x02, id.text()) +
                      frame(0x07, id.str() + "stop") + frame(0x07, id.str() + "late");
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 random{seed};
        const auto stream = damaged(good, random);
        const auto whole = server_says({stream});
        INFO("seed " << seed);
        for_each_segmentation(stream, [&](const auto& pieces) { REQUIRE(server_says(pieces) == whole); });
    }
}

TEST_CASE("a client on damaged streams") {
    const auto good = response(0, 0, id.text()) + response(1, 0, id.text()) + frame(0x06, id.str() + "output") +
                      frame(0x05, id.str() + "error") + frame(0x04, id.str() + "function dead") +
                      response(7, 1, "invalid request") + response(3, 1, "invalid request") +
                      frame(0x04, id.str() + "function dead");
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 random{seed};
        const auto stream = damaged(good, random);
        const auto whole = client_says({stream});
        INFO("seed " << seed);
        for_each_segmentation(stream, [&](const auto& pieces) { REQUIRE(client_says(pieces) == whole); });
    }
}
