// Events as JSON: the members of control/event.hpp by their names, those that say nothing left out.
#include <fmt/format.h>

#include <algorithm>

#include "control.hpp"

namespace bento::cli {
namespace {

namespace c = bento::control;
namespace json = boost::json;

/// `record{"CIRC"}("id", id)("path", relays)`: strings, numbers, optional ones, lists.
class record {
  public:
    explicit record(std::string_view name) { out_["event"] = name; }

    record& operator()(std::string_view key, const std::string& value) {
        if (!value.empty()) out_[key] = value;
        return *this;
    }
    template <class Number>
    requires std::is_arithmetic_v<Number> record& operator()(std::string_view key, Number value) {
        out_[key] = value;
        return *this;
    }
    template <class Value>
    record& operator()(std::string_view key, const std::optional<Value>& value) {
        if (value) out_[key] = *value;
        return *this;
    }
    record& operator()(std::string_view key, const c::relay_name& relay) { return (*this)(key, name_of(relay)); }
    record& operator()(std::string_view key, const std::vector<std::string>& list) {
        if (!list.empty()) out_[key] = json::array(list.begin(), list.end());
        return *this;
    }
    record& operator()(std::string_view key, const std::vector<c::relay_name>& relays) {
        std::vector<std::string> names;
        std::transform(relays.begin(), relays.end(), std::back_inserter(names), name_of);
        return (*this)(key, names);
    }
    record& operator()(std::string_view key, const std::map<std::string, std::uint64_t>& counts) {
        if (counts.empty()) return *this;
        json::object o;
        for (const auto& [name, count] : counts)
            o[name] = count;
        out_[key] = std::move(o);
        return *this;
    }
    record& operator()(std::string_view key, const c::cell_statistics::direction& d) {
        auto o = record{""}("queue", d.queue)("connection", d.connection)("added", d.added)("removed", d.removed)(
                     "time", d.time)
                     .take();
        o.erase("event");
        if (!o.empty()) out_[key] = std::move(o);
        return *this;
    }
    record& operator()(std::string_view key, const std::vector<c::router_status>& relays) {
        json::array list;
        for (const auto& r : relays) {
            auto o = record{""}("relay", r.relay)("address", r.address)("or_port", r.or_port)("flags", r.flags)(
                         "bandwidth", r.bandwidth)
                         .take();
            o.erase("event");
            list.push_back(std::move(o));
        }
        out_[key] = std::move(list);
        return *this;
    }
    /// What tor said beside what we know: keywords by their names, words in a list.
    record& rest(const std::vector<c::argument>& arguments) {
        std::vector<std::string> words;
        for (const auto& a : arguments) {
            if (a.keyword.empty())
                words.push_back(a.value);
            else
                out_[a.keyword] = a.value;
        }
        return (*this)("words", words);
    }
    json::object take() { return std::move(out_); }

  private:
    static std::string name_of(const c::relay_name& r) {
        if (r.fingerprint.empty()) return r.nickname;
        return "$" + r.fingerprint + (r.nickname.empty() ? "" : "~" + r.nickname);
    }
    json::object out_;
};

record circuit(std::string_view name, const c::circuit_event& e) {
    record out{name};
    out("id", e.id)("status", e.status_text)("path", e.path)("build_flags", e.build_flags)("purpose", e.purpose)(
        "hs_state", e.hs_state)("rend_query", e.rend_query)("time_created", e.time_created)("reason", e.reason)(
        "remote_reason", e.remote_reason)("socks_username", e.socks_username)("socks_password", e.socks_password)
        .rest(e.rest);
    return out;
}

struct writer {
    json::object operator()(const c::hs_desc& e) const {
        return record{"HS_DESC"}("action", e.action_text)("address", e.address)("auth_type", e.auth_type)(
                   "hs_dir", e.hs_dir)("descriptor_id", e.descriptor_id)("reason", e.reason)(
                   "hs_dir_index", e.hs_dir_index)("replica", e.replica)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::hs_desc_content& e) const {
        return record{"HS_DESC_CONTENT"}("address", e.address)("descriptor_id", e.descriptor_id)("hs_dir", e.hs_dir)(
                   "descriptor", e.descriptor)
            .take();
    }
    json::object operator()(const c::status_event& e) const {
        return record{e.type}("severity", e.severity)("action", e.action).rest(e.arguments).take();
    }
    json::object operator()(const c::circuit_event& e) const { return circuit("CIRC", e).take(); }
    json::object operator()(const c::circuit_changed& e) const {
        return circuit("CIRC_MINOR", e.circuit)("change", e.change)("old_purpose", e.old_purpose)(
                   "old_hs_state", e.old_hs_state)("old_time_created", e.old_time_created)
            .take();
    }
    json::object operator()(const c::stream_event& e) const {
        return record{"STREAM"}("id", e.id)("status", e.status_text)("circuit_id", e.circuit_id)("target", e.target)(
                   "reason", e.reason)("remote_reason", e.remote_reason)("source", e.source)(
                   "source_addr", e.source_addr)("purpose", e.purpose)("socks_username", e.socks_username)(
                   "socks_password", e.socks_password)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::or_connection& e) const {
        return record{"ORCONN"}("id", e.id)("target", e.target)("status", e.status_text)("reason", e.reason)("circuits",
                                                                                                             e.circuits)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::bandwidth& e) const {
        return record{"BW"}("read", e.read)("written", e.written).rest(e.rest).take();
    }
    json::object operator()(const c::stream_bandwidth& e) const {
        return record{"STREAM_BW"}("id", e.id)("read", e.read)("written", e.written)("time", e.time)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::circuit_bandwidth& e) const {
        return record{"CIRC_BW"}("id", e.id)("read", e.read)("written", e.written)("time", e.time)(
                   "delivered_read", e.delivered_read)("overhead_read", e.overhead_read)(
                   "delivered_written", e.delivered_written)("overhead_written", e.overhead_written)(
                   "slow_start", e.slow_start)("window", e.window)("rtt", e.rtt)("min_rtt", e.min_rtt)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::connection_bandwidth& e) const {
        return record{"CONN_BW"}("id", e.id)("type", e.type)("read", e.read)("written", e.written).rest(e.rest).take();
    }
    json::object operator()(const c::cell_statistics& e) const {
        return record{"CELL_STATS"}("id", e.id)("inbound", e.inbound)("outbound", e.outbound).rest(e.rest).take();
    }
    json::object operator()(const c::build_timeout& e) const {
        return record{"BUILDTIMEOUT_SET"}("type", e.type)("total_times", e.total_times)("timeout_ms", e.timeout_ms)(
                   "xm", e.xm)("alpha", e.alpha)("cutoff_quantile", e.cutoff_quantile)("timeout_rate", e.timeout_rate)(
                   "close_ms", e.close_ms)("close_rate", e.close_rate)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::guard_changed& e) const {
        return record{"GUARD"}("type", e.type)("relay", e.relay)("status", e.status).rest(e.rest).take();
    }
    json::object operator()(const c::new_descriptors& e) const { return record{"NEWDESC"}("relays", e.relays).take(); }
    json::object operator()(const c::descriptor_changed& e) const { return record{"DESCCHANGED"}.rest(e.rest).take(); }
    json::object operator()(const c::relays_changed& e) const { return record{"NS"}("relays", e.relays).take(); }
    json::object operator()(const c::new_consensus& e) const {
        return record{"NEWCONSENSUS"}("relays", e.relays).take();
    }
    json::object operator()(const c::address_mapped& e) const {
        return record{"ADDRMAP"}("from", e.from)("to", e.to)("expires", e.expires)("error", e.error)(
                   "cached", e.cached)("stream_id", e.stream_id)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::clients_seen& e) const {
        return record{"CLIENTS_SEEN"}("since", e.since)("countries", e.countries)("ip_versions", e.ip_versions)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::transport_launched& e) const {
        return record{"TRANSPORT_LAUNCHED"}("type", e.type)("name", e.name)("address", e.address)("port", e.port)
            .rest(e.rest)
            .take();
    }
    json::object operator()(const c::signal_received& e) const { return record{"SIGNAL"}("name", e.name).take(); }
    json::object operator()(const c::configuration_changed& e) const {
        json::object options;
        for (const auto& [key, value] : e.options)
            options[key] = value ? json::value(*value) : json::value(nullptr);
        auto out = record{"CONF_CHANGED"}.take();
        out["options"] = std::move(options);
        return out;
    }
    json::object operator()(const c::log_message& e) const { return record{e.severity}("text", e.text).take(); }
    json::object operator()(const c::network_liveness& e) const {
        return record{"NETWORK_LIVENESS"}("up", e.up).rest(e.rest).take();
    }
    json::object operator()(const c::other_event& e) const {
        auto out = record{e.name}.rest(e.arguments).take();
        if (const auto& data = e.whole.lines.front().data) out["data"] = *data;
        return out;
    }
};

std::string plain(const json::value& v) {
    if (v.is_string()) return std::string{v.get_string()};
    if (!v.is_array()) return json::serialize(v);
    if (!v.get_array().empty() && v.get_array().front().is_object())
        return std::to_string(v.get_array().size());  // whole relays are for --json
    std::string out;
    for (const auto& one : v.get_array())
        out += (out.empty() ? "" : ",") + plain(one);
    return out;
}

}  // namespace

json::object to_json(const c::event& e) { return std::visit(writer{}, e); }
json::object to_json(const c::circuit_event& e) {
    auto out = writer{}(e);
    out.erase("event");
    return out;
}
json::object to_json(const c::stream_event& e) {
    auto out = writer{}(e);
    out.erase("event");
    return out;
}

std::string to_line(const json::object& event) {
    std::string out;
    for (const auto& [key, value] : event) {
        auto text = plain(value);
        if (key == "event") {
            out = std::move(text);
            continue;
        }
        // What tor passes on from others must not steer a terminal.
        std::replace_if(
            text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; },
            ' ');
        out += fmt::format(" {}={}", std::string_view{key}, text);
    }
    return out;
}

}  // namespace bento::cli
