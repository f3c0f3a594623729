// A control connection to a hostile tor: replies and events from any bytes, and every typed reader of them.
#include <bento/control/authentication.hpp>
#include <bento/control/circuit_command.hpp>
#include <bento/control/event.hpp>
#include <bento/control/onion_command.hpp>
#include <bento/control/session.hpp>
#include <cstdint>

#include "segments.hpp"

using namespace bento;

namespace {

/// Commands that wait for the answers.
constexpr int asked = 3;

std::string told(const control::reply& r) {
    std::string out;
    for (const auto& l : r.lines)
        out += std::to_string(l.status) + '|' + l.text + '|' + l.data.value_or("-") + '\n';
    return out;
}

/// Any reply may be taken for the answer of any command.
void read_as_everything(const control::reply& r) {
    (void)control::get_info{{"version"}}.parse(r);
    (void)control::get_conf{}.parse(r);
    (void)control::protocol_info{}.parse(r);
    (void)control::auth_challenge{}.parse(r);
    (void)control::add_onion{}.parse(r);
    (void)control::onion_client_auth_view{}.parse(r);
    (void)control::map_address{}.parse(r);
    (void)control::extend_circuit{}.parse(r);
    (void)control::refusal(r);
    for (const auto& l : r.lines) {
        (void)control::parse_circuits(l.text);
        (void)control::parse_streams(l.text);
        (void)control::parse_or_connections(l.text);
        (void)control::parse_listeners(l.text);
        (void)control::parse_bootstrap_phase(l.text);
        (void)control::parse_router_statuses(l.data.value_or(l.text));
        (void)control::config_value(l.text);
    }
}

std::string told(const std::vector<std::string>& pieces) {
    control::session s;
    for (int i = 0; i < asked; ++i)
        s.submit(secret{std::string_view{"GETINFO version\r\n"}}, control::session::time_point::max());
    std::string out;
    for (const auto& piece : pieces) {
        const auto fed = s.feed(piece);
        while (const auto item = s.next()) {
            if (const auto* ready = std::get_if<control::session::reply_ready>(&*item)) {
                out += std::to_string(ready->ticket) + ' ' + told(ready->reply);
                read_as_everything(ready->reply);
            } else if (const auto* failed = std::get_if<control::session::failed>(&*item)) {
                out += std::to_string(failed->ticket) + ' ' + failed->error.message() + '\n';
            } else {
                const auto& reply = std::get<control::session::event_ready>(*item).reply;
                const auto event = control::parse_event(reply);
                if (!event) std::abort();  // whatever has a status of events is one
                out += std::string{control::event_name(*event)} + ' ' + told(reply);
            }
        }
        if (!fed) return out + fed.error().message();
    }
    return out + std::to_string(s.pending());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::check_segmentations({reinterpret_cast<const char*>(data), size},
                              [](const std::vector<std::string>& pieces) { return told(pieces); });
    return 0;
}
