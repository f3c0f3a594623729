// From the text of an event behind its name to the event. Nothing where the text has not its form: the event is then
// told in tor's words.
#pragma once

#include <bento/control/network_event.hpp>
#include <optional>

namespace bento::control {

std::optional<or_connection> parse_or_connection(std::string_view text);
std::optional<new_descriptors> parse_new_descriptors(std::string_view text);
std::optional<address_mapped> parse_address_mapped(std::string_view text);
std::optional<guard_changed> parse_guard_changed(std::string_view text);
std::optional<stream_bandwidth> parse_stream_bandwidth(std::string_view text);
std::optional<circuit_bandwidth> parse_circuit_bandwidth(std::string_view text);
std::optional<connection_bandwidth> parse_connection_bandwidth(std::string_view text);
std::optional<cell_statistics> parse_cell_statistics(std::string_view text);
std::optional<build_timeout> parse_build_timeout(std::string_view text);
std::optional<clients_seen> parse_clients_seen(std::string_view text);
std::optional<transport_launched> parse_transport_launched(std::string_view text);

}  // namespace bento::control
