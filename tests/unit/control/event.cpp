#include <bento/control/event.hpp>
#include <map>

#include "transcript.hpp"

using namespace bento;
namespace c = bento::control;

namespace {

/// However the bytes are cut: reply_of() sees to it.
c::event event_of(std::string_view bytes) { return c::parse_event(test::reply_of(bytes)).value(); }

const std::string address = "aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead";
const std::string fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567";
const std::string descriptor = "P6TjgGZGmTKbBBpBgsVkMXMbsBhmCuLMCpLPgUFOcGU";
const std::string index_ = fingerprint + "0123456789ABCDEF01234567";

/// The line of an HS_DESC after its name.
c::hs_desc hs_desc_of(const std::string& rest) {
    return std::get<c::hs_desc>(event_of("650 HS_DESC " + rest + "\r\n"));
}

}  // namespace

TEST_CASE("HS_DESC, as tor 0.4.9 sends each action") {
    const auto created = hs_desc_of("CREATED " + address + " UNKNOWN UNKNOWN " + descriptor);
    CHECK(created.action == c::hs_desc_action::created);
    CHECK(created.address == address);
    CHECK(created.hs_dir == c::relay_name{});
    CHECK(created.descriptor_id == descriptor);

    const auto upload = hs_desc_of("UPLOAD " + address + " UNKNOWN $" + fingerprint + "~relay1 " + descriptor +
                                   " HSDIR_INDEX=" + index_);
    CHECK(upload.action == c::hs_desc_action::upload);
    CHECK(upload.action_text == "UPLOAD");
    CHECK(upload.auth_type == "UNKNOWN");
    CHECK(upload.hs_dir == c::relay_name{fingerprint, "relay1"});
    CHECK(upload.descriptor_id == descriptor);
    CHECK(upload.hs_dir_index == index_);
    CHECK(upload.rest.empty());

    const auto uploaded = hs_desc_of("UPLOADED " + address + " UNKNOWN $" + fingerprint);
    CHECK(uploaded.action == c::hs_desc_action::uploaded);
    CHECK(uploaded.address == address);
    CHECK(uploaded.hs_dir == c::relay_name{fingerprint, ""});
    CHECK(uploaded.descriptor_id.empty());

    const auto requested =
        hs_desc_of("REQUESTED " + address + " NO_AUTH $" + fingerprint + "~r " + descriptor + " HSDIR_INDEX=" + index_);
    CHECK(requested.action == c::hs_desc_action::requested);
    CHECK(requested.auth_type == "NO_AUTH");

    CHECK(hs_desc_of("RECEIVED " + address + " NO_AUTH $" + fingerprint + "~r " + descriptor).action ==
          c::hs_desc_action::received);

    for (const auto* reason : {"UPLOAD_REJECTED", "UNEXPECTED", "BAD_DESC", "NOT_FOUND", "QUERY_REJECTED"}) {
        const auto failed =
            hs_desc_of("FAILED " + address + " NO_AUTH $" + fingerprint + "~r " + descriptor + " REASON=" + reason);
        CHECK(failed.action == c::hs_desc_action::failed);
        CHECK(failed.reason == reason);
        CHECK(failed.descriptor_id == descriptor);
    }
}

TEST_CASE("HS_DESC of another tor: what is unknown is carried along") {
    const auto old = hs_desc_of("CREATED " + address + " UNKNOWN UNKNOWN " + descriptor + " REPLICA=1");
    CHECK(old.replica == 1);
    const auto newer = hs_desc_of("UPLOADED " + address + " UNKNOWN $" + fingerprint +
                                  " NEW=1 word REASON=\"quoted reason\" X=\"a b\" HSDIR_INDEX=AA REPLICA=many");
    CHECK(newer.descriptor_id.empty());
    CHECK(newer.reason == "quoted reason");
    CHECK(newer.hs_dir_index == "AA");
    CHECK_FALSE(newer.replica);
    CHECK(newer.rest == std::vector<c::argument>{{"NEW", "1"}, {"", "word"}, {"X", "a b"}, {"REPLICA", "many"}});

    const auto other = hs_desc_of("PONDERED a b $" + fingerprint + "=nick d e");
    CHECK(other.action == c::hs_desc_action::unknown);
    CHECK(other.action_text == "PONDERED");
    CHECK(other.hs_dir.nickname == "nick");
    CHECK(other.rest == std::vector<c::argument>{{"", "e"}});
    CHECK(hs_desc_of("IGNORE").action == c::hs_desc_action::ignored);
    CHECK(hs_desc_of("").action == c::hs_desc_action::unknown);
    CHECK(hs_desc_of("UPLOADED a b c  ").rest.empty());
}

TEST_CASE("HS_DESC_CONTENT carries the descriptor, empty where a fetch failed") {
    const auto head = "650+HS_DESC_CONTENT " + address + " " + descriptor + " $" + fingerprint + "~r\r\n";
    const auto got = std::get<c::hs_desc_content>(event_of(head + "hs-descriptor 3\r\n..x\r\n.\r\n650 OK\r\n"));
    CHECK(got.address == address);
    CHECK(got.descriptor_id == descriptor);
    CHECK(got.hs_dir == c::relay_name{fingerprint, "r"});
    CHECK(got.descriptor == "hs-descriptor 3\n.x\n");
    CHECK(std::get<c::hs_desc_content>(event_of(head + "\r\n.\r\n650 OK\r\n")).descriptor == "\n");
    CHECK(std::get<c::hs_desc_content>(event_of(head + ".\r\n650 OK\r\n")).descriptor.empty());
}

TEST_CASE("bootstrap by event and by GETINFO") {
    const auto e = std::get<c::status_event>(event_of(
        "650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY=\"Connecting to a relay\" WARNING=\"Connection "
        "refused\" REASON=CONNECTREFUSED COUNT=1 RECOMMENDATION=ignore HOSTADDR=\"127.0.0.1:1\"\r\n"));
    CHECK(e.type == "STATUS_CLIENT");
    CHECK(e.severity == "WARN");
    const auto phase = c::bootstrap_phase_of(e);
    REQUIRE(phase);
    CHECK(phase->progress == 5);
    CHECK(phase->tag == "conn");
    CHECK(phase->summary == "Connecting to a relay");
    CHECK(phase->warning == "Connection refused");
    CHECK(c::find(e.arguments, "HOSTADDR") == "127.0.0.1:1");
    const auto done = c::parse_bootstrap_phase("NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"");
    REQUIRE(done);
    CHECK(done->progress == 100);
    CHECK(done->warning.empty());
    CHECK_FALSE(c::parse_bootstrap_phase(""));
    CHECK_FALSE(c::parse_bootstrap_phase("NOTICE BOOTSTRAP PROGRESS=some"));
    CHECK_FALSE(
        c::bootstrap_phase_of(std::get<c::status_event>(event_of("650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n"))));
}

TEST_CASE("STATUS_GENERAL and STATUS_SERVER") {
    const auto bug = std::get<c::status_event>(
        event_of("650 STATUS_GENERAL WARN BUG REASON=\"tor_bug_occurred_(): Bug: x.c:4137 \\n\"\r\n"));
    CHECK(bug.action == "BUG");
    CHECK(c::find(bug.arguments, "REASON") == "tor_bug_occurred_(): Bug: x.c:4137 \n");
    const auto server = event_of("650 STATUS_SERVER NOTICE GOOD_SERVER_DESCRIPTOR\r\n");
    CHECK(c::event_name(server) == "STATUS_SERVER");
    CHECK(std::get<c::status_event>(server).arguments.empty());
    CHECK(std::holds_alternative<c::other_event>(event_of("650 STATUS_NEW NOTICE x\r\n")));
}

TEST_CASE("CIRC: path, flags, and what it is for") {
    const auto built = std::get<c::circuit_event>(
        event_of("650 CIRC 7 BUILT $" + fingerprint + "~a,$" + fingerprint + "=b,$" + fingerprint +
                 " BUILD_FLAGS=IS_INTERNAL,NEED_UPTIME PURPOSE=HS_SERVICE_INTRO HS_STATE=HSSI_ESTABLISHED REND_QUERY=" +
                 address + " TIME_CREATED=2026-01-02T03:04:05.000006 SOCKS_USERNAME=\"a \\\"b\" CONFLUX_ID=1\r\n"));
    CHECK(built.id == "7");
    CHECK(built.status == c::circuit_status::built);
    CHECK(built.path == std::vector<c::relay_name>{{fingerprint, "a"}, {fingerprint, "b"}, {fingerprint, ""}});
    CHECK(built.build_flags == std::vector<std::string>{"IS_INTERNAL", "NEED_UPTIME"});
    CHECK(built.purpose == "HS_SERVICE_INTRO");
    CHECK(built.hs_state == "HSSI_ESTABLISHED");
    CHECK(built.rend_query == address);
    CHECK(built.time_created == "2026-01-02T03:04:05.000006");
    CHECK(built.socks_username == "a \"b");
    CHECK(built.rest == std::vector<c::argument>{{"CONFLUX_ID", "1"}});

    const auto launched =
        std::get<c::circuit_event>(event_of("650 CIRC 8 LAUNCHED BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL\r\n"));
    CHECK(launched.status == c::circuit_status::launched);
    CHECK(launched.path.empty());
    CHECK(launched.build_flags == std::vector<std::string>{"NEED_CAPACITY"});
    const auto closed = std::get<c::circuit_event>(
        event_of("650 CIRC 8 CLOSED $" + fingerprint + " REASON=DESTROYED REMOTE_REASON=FINISHED\r\n"));
    CHECK(closed.status == c::circuit_status::closed);
    CHECK(closed.path.size() == 1);
    CHECK(closed.reason == "DESTROYED");
    CHECK(closed.remote_reason == "FINISHED");
    const auto bare = std::get<c::circuit_event>(event_of("650 CIRC 9 DREAMING\r\n"));
    CHECK(bare.status == c::circuit_status::unknown);
    CHECK(bare.status_text == "DREAMING");
    CHECK(bare.path.empty());
}

TEST_CASE("STREAM: where from, where to, for whom") {
    const auto made = std::get<c::stream_event>(event_of(
        "650 STREAM 7 NEW 0 example.com:80 SOURCE_ADDR=127.0.0.1:35606 PURPOSE=USER SOCKS_USERNAME=\"us\\\"r\" "
        "SOCKS_PASSWORD=\"p w\" CLIENT_PROTOCOL=SOCKS5\r\n"));
    CHECK(made.id == "7");
    CHECK(made.status == c::stream_status::created);
    CHECK(made.circuit_id == "0");
    CHECK(made.target == "example.com:80");
    CHECK(made.source_addr == "127.0.0.1:35606");
    CHECK(made.purpose == "USER");
    CHECK(made.socks_username == "us\"r");
    CHECK(made.socks_password == "p w");
    CHECK(made.rest == std::vector<c::argument>{{"CLIENT_PROTOCOL", "SOCKS5"}});
    const auto remap = std::get<c::stream_event>(event_of("650 STREAM 7 REMAP 3 192.0.2.1:80 SOURCE=EXIT\r\n"));
    CHECK(remap.status == c::stream_status::remap);
    CHECK(remap.source == "EXIT");
    const auto closed =
        std::get<c::stream_event>(event_of("650 STREAM 7 CLOSED 3 example.com:80 REASON=END REMOTE_REASON=DONE\r\n"));
    CHECK(closed.status == c::stream_status::closed);
    CHECK(closed.reason == "END");
    CHECK(closed.remote_reason == "DONE");
    CHECK(std::get<c::stream_event>(event_of("650 STREAM 7 XON_RECV 3 a:1\r\n")).status ==
          c::stream_status::xon_received);
}

TEST_CASE("CONF_CHANGED: values as GETCONF writes them") {
    const auto conf =
        std::get<c::configuration_changed>(event_of("650-CONF_CHANGED\r\n650-ContactInfo=\"a \\\"b\\\" "
                                                    "c\\303\\251\"\r\n650-Log=a b\r\n650-Nickname\r\n650 OK\r\n"));
    using option = std::pair<std::string, std::optional<std::string>>;
    CHECK(conf.options ==
          std::vector<option>{{"ContactInfo", "a \"b\" c\xc3\xa9"}, {"Log", "a b"}, {"Nickname", std::nullopt}});
}

TEST_CASE("bandwidth, signals, logs, liveness") {
    const auto bw = std::get<c::bandwidth>(event_of("650 BW 4096 18446744073709551615\r\n"));
    CHECK(bw.read == 4096);
    CHECK(bw.written == 18446744073709551615U);
    CHECK(std::get<c::signal_received>(event_of("650 SIGNAL NEWNYM\r\n")).name == "NEWNYM");
    const auto log = event_of("650 WARN a \"b\" =c\r\n");
    CHECK(std::get<c::log_message>(log).text == "a \"b\" =c");
    CHECK(c::event_name(log) == "WARN");
    CHECK(std::get<c::log_message>(event_of("650+NOTICE\r\ntwo\r\nlines\r\n.\r\n650 OK\r\n")).text == "two\nlines\n");
    CHECK(std::get<c::network_liveness>(event_of("650 NETWORK_LIVENESS UP\r\n")).up);
    CHECK_FALSE(std::get<c::network_liveness>(event_of("650 NETWORK_LIVENESS DOWN\r\n")).up);
}

TEST_CASE("an event that is not known, or not of the known form, is told in tor's words") {
    for (const auto& [bytes, name] :
         std::map<std::string, std::string>{{"650 PONDERED $A LAUNCHED ID=14\r\n", "PONDERED"},
                                            {"650 ORCONN $A\r\n", "ORCONN"},
                                            {"650 BW many 2\r\n", "BW"},
                                            {"650 BW 1\r\n", "BW"},
                                            {"650 NETWORK_LIVENESS SIDEWAYS\r\n", "NETWORK_LIVENESS"},
                                            {"650 SIGNAL\r\n", "SIGNAL"},
                                            {"650 \r\n", ""},
                                            {"650-NS\r\n650 OK\r\n", "NS"}}) {
        const auto e = event_of(bytes);
        REQUIRE(std::holds_alternative<c::other_event>(e));
        CHECK(c::event_name(e) == name);
    }
    const auto e = std::get<c::other_event>(event_of("650+NEWERDESC $A K=1\r\nx\r\n.\r\n650 OK\r\n"));
    CHECK(e.arguments == std::vector<c::argument>{{"", "$A"}, {"K", "1"}});
    CHECK(e.whole.lines.front().data == "x\n");
}

TEST_CASE("a reply is no event") {
    const auto parsed = c::parse_event(test::reply_of("250 OK\r\n"));
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == c::errc::unexpected_reply);
}

TEST_CASE("a real tor's events: every kind that we know is typed") {
    std::map<std::string, int> seen;
    for (const auto* name : {"events", "configuration"})
        for (const auto& r : test::replies_of(test::captured(name))) {
            if (!r.is_event()) continue;
            const auto e = c::parse_event(r).value();
            ++seen[(std::holds_alternative<c::other_event>(e) ? "other " : "") + std::string{c::event_name(e)}];
            if (const auto* circuit = std::get_if<c::circuit_event>(&e)) {
                CHECK(circuit->status != c::circuit_status::unknown);
                CHECK(circuit->purpose == "GENERAL");
                CHECK(circuit->build_flags.size() == 3);
                CHECK(circuit->rest.empty());
            }
            if (const auto* stream = std::get_if<c::stream_event>(&e))
                CHECK(stream->status != c::stream_status::unknown);
        }
    std::string told;
    for (const auto& [name, count] : seen)
        told += name + " " + std::to_string(count) + ", ";
    CHECK(told ==
          "BW 5, CIRC 6, CONF_CHANGED 3, NOTICE 7, ORCONN 6, SIGNAL 2, STATUS_CLIENT 4, STREAM 11, STREAM_BW 4, ");
}
