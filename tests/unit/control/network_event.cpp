#include <bento/control/command.hpp>
#include <bento/control/event.hpp>
#include <map>

#include "transcript.hpp"

using namespace bento;
namespace c = bento::control;

namespace {

/// However the bytes are cut: reply_of() sees to it.
template <class Event>
Event event_of(std::string_view bytes) {
    return std::get<Event>(c::parse_event(test::reply_of(bytes)).value());
}

using counts = std::map<std::string, std::uint64_t>;

const std::string fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567";

}  // namespace

TEST_CASE("CIRC_MINOR: what a circuit was for, and is for now") {
    const auto e = event_of<c::circuit_changed>(
        "650 CIRC_MINOR 19 CANNIBALIZED $" + fingerprint + "~a,$" + fingerprint +
        "~b BUILD_FLAGS=IS_INTERNAL,NEED_UPTIME PURPOSE=HS_VANGUARDS HS_STATE=HSSI_CONNECTING "
        "TIME_CREATED=2026-11-25T04:40:02.485130 OLD_PURPOSE=HS_SERVICE_INTRO OLD_HS_STATE=HSSI_CONNECTING "
        "OLD_TIME_CREATED=2026-11-25T04:39:37.075928 CONFLUX_ID=1\r\n");
    CHECK(e.change == "CANNIBALIZED");
    CHECK(e.circuit.id == "19");
    CHECK(e.circuit.path.size() == 2);
    CHECK(e.circuit.build_flags == std::vector<std::string>{"IS_INTERNAL", "NEED_UPTIME"});
    CHECK(e.circuit.purpose == "HS_VANGUARDS");
    CHECK(e.old_purpose == "HS_SERVICE_INTRO");
    CHECK(e.old_hs_state == "HSSI_CONNECTING");
    CHECK(e.old_time_created == "2026-11-25T04:39:37.075928");
    CHECK(e.circuit.rest == std::vector<c::argument>{{"CONFLUX_ID", "1"}});
}

TEST_CASE("ORCONN") {
    const auto closed =
        event_of<c::or_connection>("650 ORCONN $" + fingerprint + "~auth2 CLOSED REASON=DONE NCIRCS=3 ID=12 X=y\r\n");
    CHECK(closed.target == "$" + fingerprint + "~auth2");
    CHECK(closed.status == c::or_connection_status::closed);
    CHECK(closed.reason == "DONE");
    CHECK(closed.circuits == 3u);
    CHECK(closed.id == "12");
    CHECK(closed.rest == std::vector<c::argument>{{"X", "y"}});
    const auto incoming = event_of<c::or_connection>("650 ORCONN 192.0.2.1:9001 NEW ID=1 NCIRCS=some\r\n");
    CHECK(incoming.status == c::or_connection_status::created);
    CHECK_FALSE(incoming.circuits);
    CHECK(incoming.rest == std::vector<c::argument>{{"NCIRCS", "some"}});
    CHECK(event_of<c::or_connection>("650 ORCONN a:1 PONDERING\r\n").status == c::or_connection_status::unknown);
}

TEST_CASE("NEWDESC and DESCCHANGED") {
    const auto e = event_of<c::new_descriptors>("650 NEWDESC $" + fingerprint + "~a $" + fingerprint + "\r\n");
    CHECK(e.relays == std::vector<c::relay_name>{{fingerprint, "a"}, {fingerprint, ""}});
    CHECK(c::event_name(c::parse_event(test::reply_of("650 DESCCHANGED\r\n")).value()) == "DESCCHANGED");
}

TEST_CASE("ADDRMAP: for ever, for a time, and in vain") {
    const auto kept = event_of<c::address_mapped>("650 ADDRMAP 10.1.1.1 example.com NEVER CACHED=\"YES\"\r\n");
    CHECK(kept.from == "10.1.1.1");
    CHECK(kept.to == "example.com");
    CHECK(kept.expires.empty());
    CHECK(kept.cached == true);
    const auto resolved = event_of<c::address_mapped>(
        "650 ADDRMAP example.com 192.0.2.1 \"2026-11-25 05:40:25\" EXPIRES=\"2026-11-25 04:40:25\" CACHED=\"NO\" "
        "STREAMID=60 NEW=1\r\n");
    CHECK(resolved.expires == "2026-11-25 04:40:25");
    CHECK(resolved.cached == false);
    CHECK(resolved.stream_id == "60");
    CHECK(resolved.rest == std::vector<c::argument>{{"NEW", "1"}});
    const auto failed = event_of<c::address_mapped>(
        "650 ADDRMAP localhost <error> \"2026-11-25 04:40:27\" error=yes EXPIRES=\"2026-11-25 04:40:27\" "
        "CACHED=\"PERHAPS\"\r\n");
    CHECK(failed.to.empty());
    CHECK(failed.error == "yes");
    CHECK_FALSE(failed.cached);
    CHECK(failed.rest.size() == 1);
}

TEST_CASE("NS and NEWCONSENSUS: the relays") {
    const std::string lines =
        "r relay2 De6DoVfa/oTN4QjcsysBN/JuMVo ++K7uGLei3X+mS53r/EuA9gSkec 2038-01-01 00:00:00 127.0.0.1 29842 0\r\n"
        "a [2001:db8::1]:9001\r\n"
        "s Exit Fast Guard\r\n"
        "w Bandwidth=4200 Unmeasured=1\r\n"
        "p accept 80,443\r\n"
        "r auth1 wT6Lh4u9kFqjxdjU5kt9fiijgio 2038-01-01 00:00:00 127.0.0.1 26548 25144\r\n"
        "m Gw7Psnn03mXyF9sAcQiT/JNvX8A\r\n";
    const auto e = event_of<c::new_consensus>("650+NEWCONSENSUS\r\n" + lines + ".\r\n650 OK\r\n");
    REQUIRE(e.relays.size() == 2);
    const auto& first = e.relays[0];
    CHECK(first.relay == c::relay_name{"0DEE83A157DAFE84CDE108DCB32B0137F26E315A", "relay2"});
    CHECK(first.digest == "FBE2BBB862DE8B75FE992E77AFF12E03D81291E7");
    CHECK(first.published == "2038-01-01 00:00:00");
    CHECK(first.address == "127.0.0.1");
    CHECK(first.or_port == 29842);
    CHECK(first.dir_port == 0);
    CHECK(first.more_addresses == std::vector<std::string>{"[2001:db8::1]:9001"});
    CHECK(first.flags == std::vector<std::string>{"Exit", "Fast", "Guard"});
    CHECK(first.bandwidth == 4200u);
    CHECK(first.rest == std::vector<std::string>{"p accept 80,443"});
    const auto& second = e.relays[1];  // of a microdescriptor consensus
    CHECK(second.digest.empty());
    CHECK(second.dir_port == 25144);
    CHECK(second.rest == std::vector<std::string>{"m Gw7Psnn03mXyF9sAcQiT/JNvX8A"});
    CHECK(event_of<c::relays_changed>("650+NS\r\n" + lines + ".\r\n650 OK\r\n").relays.size() == 2);
    // Of another form, they are told in tor's words.
    CHECK(event_of<c::other_event>("650+NS\r\ns Exit\r\n.\r\n650 OK\r\n").name == "NS");
    CHECK(event_of<c::other_event>("650+NS\r\nr relay\r\n.\r\n650 OK\r\n").whole.lines[0].data == "r relay\n");
    CHECK(c::parse_router_statuses("")->empty());
    CHECK(c::parse_router_statuses("r a b").error().code == c::errc::unexpected_reply);
}

TEST_CASE("GUARD") {
    const auto e = event_of<c::guard_changed>("650 GUARD ENTRY $" + fingerprint + "~auth2 DROPPED x\r\n");
    CHECK(e.type == "ENTRY");
    CHECK(e.relay == c::relay_name{fingerprint, "auth2"});
    CHECK(e.status == "DROPPED");
    CHECK(e.rest.size() == 1);
}

TEST_CASE("traffic of streams, circuits and connections") {
    const auto stream = event_of<c::stream_bandwidth>("650 STREAM_BW 23 14191 7 2026-11-25T04:40:03.650465\r\n");
    CHECK(stream.id == "23");
    CHECK(stream.written == 14191);
    CHECK(stream.read == 7);
    CHECK(stream.time == "2026-11-25T04:40:03.650465");
    CHECK(event_of<c::stream_bandwidth>("650 STREAM_BW 23 1 2\r\n").time.empty());
    const auto circuit = event_of<c::circuit_bandwidth>(
        "650 CIRC_BW ID=50 READ=1018 WRITTEN=1019 TIME=2026-11-25T04:40:35.219291 DELIVERED_READ=137 OVERHEAD_READ=859 "
        "DELIVERED_WRITTEN=334 OVERHEAD_WRITTEN=662 SS=1 CWND=124 RTT=5 MIN_RTT=4 NEW=1\r\n");
    CHECK(circuit.id == "50");
    CHECK(circuit.read == 1018);
    CHECK(circuit.written == 1019);
    CHECK(circuit.delivered_read == 137u);
    CHECK(circuit.overhead_read == 859u);
    CHECK(circuit.delivered_written == 334u);
    CHECK(circuit.overhead_written == 662u);
    CHECK(circuit.slow_start == true);
    CHECK(circuit.window == 124u);
    CHECK(circuit.rtt == 5u);
    CHECK(circuit.min_rtt == 4u);
    CHECK(circuit.rest == std::vector<c::argument>{{"NEW", "1"}});
    const auto connection = event_of<c::connection_bandwidth>("650 CONN_BW ID=14 TYPE=OR READ=536 WRITTEN=0\r\n");
    CHECK(connection.id == "14");
    CHECK(connection.type == "OR");
    CHECK(connection.read == 536);
    CHECK(connection.written == 0);
    for (const auto* other : {"650 STREAM_BW 23 x 7\r\n", "650 CIRC_BW ID=1 READ=1\r\n", "650 CONN_BW ID=1\r\n"})
        CHECK(event_of<c::other_event>(other).name.ends_with("_BW"));
}

TEST_CASE("CELL_STATS, both ways") {
    const auto e = event_of<c::cell_statistics>(
        "650 CELL_STATS ID=11 InboundQueue=1 InboundConn=2 InboundAdded=create_fast:1,relay_early:2 OutboundQueue=3 "
        "OutboundConn=4 OutboundRemoved=relay:26,relay_early:5 OutboundTime=relay:30,relay_early:0 "
        "OutboundAdded=relay\r\n");
    CHECK(e.id == "11");
    CHECK(e.inbound.queue == "1");
    CHECK(e.inbound.connection == "2");
    CHECK(e.inbound.added == counts{{"create_fast", 1}, {"relay_early", 2}});
    CHECK(e.outbound.queue == "3");
    CHECK(e.outbound.connection == "4");
    CHECK(e.outbound.removed == counts{{"relay", 26}, {"relay_early", 5}});
    CHECK(e.outbound.time == counts{{"relay", 30}, {"relay_early", 0}});
    CHECK(e.outbound.added.empty());
    CHECK(e.rest == std::vector<c::argument>{{"OutboundAdded", "relay"}});
}

TEST_CASE("BUILDTIMEOUT_SET, CLIENTS_SEEN and TRANSPORT_LAUNCHED") {
    const auto timeout = event_of<c::build_timeout>(
        "650 BUILDTIMEOUT_SET COMPUTED TOTAL_TIMES=124 TIMEOUT_MS=9019 XM=1375 ALPHA=0.855662 "
        "CUTOFF_QUANTILE=0.800000 TIMEOUT_RATE=0.25 CLOSE_MS=21850 CLOSE_RATE=0.5\r\n");
    CHECK(timeout.type == "COMPUTED");
    CHECK(timeout.total_times == 124u);
    CHECK(timeout.timeout_ms == 9019u);
    CHECK(timeout.xm == 1375u);
    CHECK(timeout.close_ms == 21850u);
    CHECK(timeout.alpha == 0.855662);
    CHECK(timeout.cutoff_quantile == 0.8);
    CHECK(timeout.timeout_rate == 0.25);
    CHECK(timeout.close_rate == 0.5);
    CHECK(timeout.rest.empty());
    const auto seen = event_of<c::clients_seen>(
        "650 CLIENTS_SEEN TimeStarted=\"2026-12-25 23:50:43\" CountrySummary=us=16,de=8 IPVersions=v4=16,v6=40\r\n");
    CHECK(seen.since == "2026-12-25 23:50:43");
    CHECK(seen.countries == counts{{"us", 16}, {"de", 8}});
    CHECK(seen.ip_versions == counts{{"v4", 16}, {"v6", 40}});
    const auto launched = event_of<c::transport_launched>("650 TRANSPORT_LAUNCHED server obfs4 127.0.0.1 9002\r\n");
    CHECK(launched.type == "server");
    CHECK(launched.name == "obfs4");
    CHECK(launched.address == "127.0.0.1");
    CHECK(launched.port == 9002);
    CHECK(event_of<c::other_event>("650 TRANSPORT_LAUNCHED server obfs4\r\n").arguments.size() == 2);
}

TEST_CASE("what a later tor adds is carried along") {
    const std::vector<c::argument> added{{"", "word"}, {"KEY", "a b"}};
    const std::string tail = " word KEY=\"a b\"\r\n";
    CHECK(event_of<c::bandwidth>("650 BW 1 2" + tail).rest == added);
    CHECK(event_of<c::stream_bandwidth>("650 STREAM_BW 1 2 3 2026-11-24T14:25:37.258517" + tail).rest == added);
    CHECK(event_of<c::transport_launched>("650 TRANSPORT_LAUNCHED client a 127.0.0.1 9" + tail).rest == added);
    CHECK(event_of<c::network_liveness>("650 NETWORK_LIVENESS UP" + tail).rest == added);
    CHECK(event_of<c::descriptor_changed>("650 DESCCHANGED" + tail).rest == added);
    CHECK(
        event_of<c::hs_desc_content>("650+HS_DESC_CONTENT a id $" + fingerprint + tail + "x\r\n.\r\n650 OK\r\n").rest ==
        added);
    const auto old = event_of<c::stream_bandwidth>("650 STREAM_BW 1 2 3 KEY=value\r\n");
    CHECK(old.time.empty());
    CHECK(old.rest == std::vector<c::argument>{{"KEY", "value"}});
    const auto signal = event_of<c::other_event>("650 SIGNAL NEWNYM KEY=value\r\n");
    CHECK(signal.arguments.size() == 2);
}

TEST_CASE("a relay's events: all of them are typed, however they are cut") {
    std::map<std::string, int> seen;
    std::vector<std::string> told;
    for (const auto& bytes : test::bytes_of_replies(test::captured("relay_events"))) {
        const auto e = c::parse_event(test::reply_of(bytes)).value();
        ++seen[std::string{c::event_name(e)}];
        if (const auto* s = std::get_if<c::status_event>(&e)) told.push_back(s->severity + " " + s->action);
        if (const auto* d = std::get_if<c::new_descriptors>(&e)) {
            REQUIRE(d->relays.size() == 1);
            CHECK(d->relays[0].fingerprint.size() == 40);
            CHECK_FALSE(d->relays[0].nickname.empty());
        }
        if (const auto* d = std::get_if<c::descriptor_changed>(&e)) CHECK(d->rest.empty());
        if (const auto* l = std::get_if<c::log_message>(&e))
            CHECK(bytes == "650 " + l->severity + " " + l->text + "\r\n");
        if (const auto* t = std::get_if<c::transport_launched>(&e)) {
            CHECK(t->type + " " + t->name + " " + t->address + " " + std::to_string(t->port) ==
                  "server dummy 127.0.0.1 9");
            CHECK(t->rest.empty());
        }
        if (const auto* s = std::get_if<c::status_event>(&e); s != nullptr && s->action == "EXTERNAL_ADDRESS")
            CHECK(s->arguments == std::vector<c::argument>{{"ADDRESS", "127.0.0.1"}, {"METHOD", "CONFIGURED"}});
        if (const auto* s = std::get_if<c::status_event>(&e); s != nullptr && s->action == "CLOCK_SKEW")
            CHECK(s->arguments == std::vector<c::argument>{{"SKEW", "10800"}, {"SOURCE", "DIRSERV:127.0.0.1:28898"}});
    }
    using counts_of = std::map<std::string, int>;
    CHECK(seen == counts_of{{"DEBUG", 3},
                            {"DESCCHANGED", 1},
                            {"INFO", 3},
                            {"NETWORK_LIVENESS", 1},
                            {"NEWDESC", 2},
                            {"STATUS_GENERAL", 1},
                            {"STATUS_SERVER", 5},
                            {"TRANSPORT_LAUNCHED", 1}});
    CHECK(told == std::vector<std::string>{"NOTICE EXTERNAL_ADDRESS", "NOTICE CHECKING_REACHABILITY",
                                           "NOTICE REACHABILITY_SUCCEEDED", "NOTICE ACCEPTED_SERVER_DESCRIPTOR",
                                           "NOTICE GOOD_SERVER_DESCRIPTOR", "WARN CLOCK_SKEW"});
}

TEST_CASE("a testing network's events: all of them are typed, however they are cut") {
    std::map<std::string, int> seen;
    for (const auto& bytes : test::bytes_of_replies(test::captured("network_events"))) {
        const auto e = c::parse_event(test::reply_of(bytes)).value();
        CHECK_FALSE(std::holds_alternative<c::other_event>(e));
        ++seen[std::string{c::event_name(e)}];
        if (const auto* circuit = std::get_if<c::circuit_event>(&e))
            for (const auto& a : circuit->rest)
                CHECK(a.keyword.starts_with("CONFLUX_"));
        if (const auto* descriptor = std::get_if<c::hs_desc>(&e)) CHECK(descriptor->rest.empty());
        if (const auto* content = std::get_if<c::hs_desc_content>(&e))
            CHECK(content->descriptor.starts_with("hs-descriptor 3\n"));
        if (const auto* bw = std::get_if<c::circuit_bandwidth>(&e)) CHECK(bw->rest.empty());
        if (const auto* cells = std::get_if<c::cell_statistics>(&e)) {
            CHECK(cells->rest.empty());
            CHECK_FALSE(cells->outbound.removed.empty());
        }
    }
    std::string told;
    for (const auto& [name, count] : seen)
        told += name + " " + std::to_string(count) + ", ";
    CHECK(
        told ==
        "ADDRMAP 3, BUILDTIMEOUT_SET 1, BW 1, CELL_STATS 1, CIRC 34, CIRC_BW 2, CIRC_MINOR 7, CONF_CHANGED 1, CONN_BW "
        "3, ERR 1, GUARD 1, HS_DESC 5, HS_DESC_CONTENT 1, NETWORK_LIVENESS 1, NEWCONSENSUS 1, NOTICE 1, NS 1, ORCONN "
        "3, SIGNAL 1, STATUS_CLIENT 1, STREAM 13, STREAM_BW 3, WARN 1, ");
}

TEST_CASE("GETINFO's listings have the form of their events") {
    const auto all = test::replies_of(test::captured("listings"));
    const auto values =
        c::get_info{{"circuit-status", "stream-status", "orconn-status", "entry-guards"}}.parse(all.at(0)).value();
    const auto circuits = c::parse_circuits(values.at("circuit-status"));
    REQUIRE(circuits.size() == 46);
    CHECK(circuits.front().id == "1");
    for (const auto& circuit : circuits)
        CHECK(circuit.status == c::circuit_status::built);
    const auto connections = c::parse_or_connections(values.at("orconn-status"));
    REQUIRE_FALSE(connections.empty());
    CHECK(connections.front().status == c::or_connection_status::connected);
    CHECK(c::parse_streams("56 SUCCEEDED 42 a.onion:80\n\n57 NEW 0 b:1\n").at(1).status == c::stream_status::created);
    CHECK(c::parse_streams(values.at("stream-status")).empty());
    const auto relays = c::parse_router_statuses(c::get_info{{"ns/all"}}.parse(all.at(1))->at("ns/all"));
    REQUIRE(relays);
    CHECK(relays->size() == 8);
    CHECK(relays->front().flags.size() > 3);
}
