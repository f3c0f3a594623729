#include <bento/control/onion_command.hpp>

#include "transcript.hpp"

using namespace bento;
using test::encoded;
using test::failure_of;
using test::reply_of;
namespace c = bento::control;

namespace {

const std::string service_id = "aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead";
const std::string key =
    "ED25519-V3:OJTupJxYCu+BaTV2K+BJVZ1tFEDe3hLmoSXxhB//jm+p1xhio+V0a1cb49GHsAQQRvUuvYUMfL1f3o7jhHO2SQ==";
const std::string client = "5bbcyaomdmbqsrhnkrfhvu2xwcmshuvrqshnu5wgdhhdhvehzq3a";
const std::string x25519 = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA=";

/// ADD_ONION NEW with one port and this target.
std::string with_target(const std::string& target) {
    c::add_onion a;
    a.ports = {{80, target}};
    return encoded(a);
}

}  // namespace

TEST_CASE("ADD_ONION: the least, and everything") {
    CHECK(with_target("") == "ADD_ONION NEW:ED25519-V3 Port=80\r\n");
    c::add_onion a;
    a.key = secret{key};
    a.ports = {{80, "unix:/run/x"}, {65535, ""}};
    a.flags.detach = true;
    a.flags.non_anonymous = true;
    a.flags.max_streams_close_circuit = true;
    a.max_streams = 7;
    a.defences = {.queue_rate = 10, .queue_burst = 4294967295};
    a.client_auth = {client, client};
    CHECK(encoded(a) == "ADD_ONION " + key +
                            " Flags=Detach,V3Auth,NonAnonymous,MaxStreamsCloseCircuit MaxStreams=7 "
                            "Port=80,unix:/run/x Port=65535 PoWDefensesEnabled=1 PoWQueueRate=10 "
                            "PoWQueueBurst=4294967295 ClientAuthV3=" +
                            client + " ClientAuthV3=" + client + "\r\n");
    c::add_onion b;
    b.ports = {{80, ""}};
    b.flags.discard_private_key = true;
    b.flags.v3_auth = true;
    b.client_auth = {client};
    b.defences.emplace();
    CHECK(encoded(b) == "ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,V3Auth Port=80 PoWDefensesEnabled=1 ClientAuthV3=" +
                            client + "\r\n");
}

TEST_CASE("ADD_ONION: targets that tor reads as they are meant") {
    for (const auto* target : {"8080", "1", "65535", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "localhost",
                               "localhost:9", "unix:/run/x", "unix:/a,b=c\\d;#~[]{}|$&*()<>?!@^%+:`"})
        CHECK(with_target(target) == "ADD_ONION NEW:ED25519-V3 Port=80," + std::string{target} + "\r\n");
}

TEST_CASE("ADD_ONION: targets that it would misread, ask a resolver for, or fail with later") {
    const std::string unreadable =
        "refused: the target holds a space, a quote or a character outside ASCII, which tor cannot read";
    for (const auto* target : {"unix:/a b", "unix:/a\"b", "unix:/a'b", "unix:/\xc3\xa9", "unix:\"/a\"", " ",
                               "80\r\nQUIT", "unix:/a\tb", "unix:/a\nb"})
        CHECK(with_target(target) == unreadable);
    CHECK(with_target("unix:x").find("absolute") != std::string::npos);
    CHECK(with_target("unix:").find("absolute") != std::string::npos);
    CHECK(with_target("unix:/" + std::string(107, 'x')).find("107 bytes") != std::string::npos);
    CHECK(with_target("127.0.0.1:0") == "refused: the target's port is 0");
    for (const auto* target : {"0", "65536", "99999", "::1", "example.com", "example.com:80", "127.0.0.1:65536",
                               "[127.0.0.1]:80", "127.0.0.1:", "[::1", "-1"})
        CHECK(with_target(target).starts_with("refused: the target"));
}

TEST_CASE("ADD_ONION: what contradicts itself is not sent") {
    c::add_onion a;
    CHECK(encoded(a) == "refused: an onion service has at least one port");
    a.ports = {{0, ""}};
    CHECK(encoded(a) == "refused: the port of an onion service is not 0");
    a.ports = {{80, ""}};
    a.flags.v3_auth = true;
    CHECK(encoded(a) == "refused: client authorisation without a client's key");
    a.flags = {};
    for (const auto& wrong : {client.substr(1), client + "a", std::string(52, '1'), std::string(52, ' ')}) {
        a.client_auth = {wrong};
        CHECK(encoded(a) == "refused: a client's key is 52 characters of base32");
    }
    a.client_auth = {};
    for (const auto& wrong : {std::string{"RSA1024:x"}, key.substr(11), key.substr(0, 90), key + "A",
                              key.substr(0, key.size() - 3) + "\r\n=", key.substr(0, key.size() - 2) + "AA",
                              "ED25519-V3:" + std::string(88, '=')}) {
        a.key = secret{wrong};
        const auto refused = encoded(a);
        CHECK(refused == "refused: the key is not ED25519-V3: and base64 of 64 bytes");
    }
    a.key = secret{key};
    a.flags.discard_private_key = true;
    CHECK(encoded(a) == "refused: a key that is given cannot be discarded");
    a.flags = {};
    a.key = secret{std::string_view{key}.substr(0, key.size() - 2)};
    CHECK(encoded(a) == "ADD_ONION " + key.substr(0, key.size() - 2) + " Port=80\r\n");
}

TEST_CASE("ADD_ONION: what a real tor answers") {
    auto all = test::replies_of(test::captured("onion"));
    const c::add_onion a;
    const auto made = a.parse(all.at(1));
    REQUIRE(made);
    CHECK(made->service_id == "hxp5mnnbkuvsqvbyixbebkadpjdlbvf4mnuu3bf33g2jpudqk7f75bad");
    CHECK(made->private_key.text() ==
          "ED25519-V3:eO508tut157p+YKAQYdqF+/kuw4/LLqgAgSV5jIeXUN4G+fvP3gRhcJ6Zwtz0KkgObwO/mXLXBp71EITFZFpTQ==");
    const auto discarded = a.parse(all.at(2));
    REQUIRE(discarded);
    CHECK(discarded->private_key.empty());
    CHECK(a.parse(all.at(3))->service_id == service_id);
    CHECK(c::get_info{{"onions/current"}}.parse(all.at(4))->at("onions/current") ==
          made->service_id + "\n" + discarded->service_id + "\n" + service_id + "\n");
    CHECK(c::get_info{{"onions/detached"}}.parse(all.at(5))->at("onions/detached").empty());
    CHECK(a.parse(all.at(6))->client_auth == std::vector<std::string>{client, client});
    CHECK(a.parse(all.at(7)).error().message() == "ADD_ONION: tor refused (Missing 'Port' argument)");
    CHECK(a.parse(all.at(8)).error().code == c::errc::unrecognized);
    CHECK(a.parse(all.at(9)).error().code == c::errc::rejected);
    CHECK(a.parse(all.at(10)).error().code == c::errc::onion_collision);
    CHECK(c::del_onion{}.parse(all.at(11)));
    CHECK(c::del_onion{}.parse(all.at(12)).error().code == c::errc::no_such_onion);
    CHECK(c::del_onion{}.parse(all.at(13)).error().code == c::errc::rejected);
    CHECK(c::get_info{}.parse(all.at(14)).error().code == c::errc::unavailable);
    CHECK(c::hs_fetch{}.parse(all.at(15)));
    CHECK(c::hs_fetch{}.parse(all.at(16)).error().code == c::errc::unrecognized);
    using outcome = c::onion_client_auth_add::reply_type;
    CHECK(c::onion_client_auth_add{}.parse(all.at(17)).value() == outcome::added);
    CHECK(c::onion_client_auth_add{}.parse(all.at(18)).value() == outcome::replaced);
    // A name of more than 16 characters, which encode() does not send: one command, two answers.
    CHECK(all.size() == 22);
    CHECK(c::onion_client_auth_add{}.parse(all.at(20)).error().peer == "ClientName longer than 16 chars");
}

TEST_CASE("ADD_ONION: an answer that is not its own") {
    CHECK(failure_of(c::add_onion{}, "250 OK\r\n") == "ADD_ONION: tor's answer is not the one to this command");
    CHECK(failure_of(c::add_onion{}, "250-ServiceID=short\r\n250 OK\r\n") ==
          "ADD_ONION: tor's answer is not the one to this command");
    CHECK(failure_of(c::add_onion{}, "551 Failed to generate onion address\r\n") ==
          "ADD_ONION: tor cannot do this now (Failed to generate onion address)");
}

TEST_CASE("a service is named as DEL_ONION and HSFETCH want it, or not at all") {
    CHECK(encoded(c::del_onion{service_id}) == "DEL_ONION " + service_id + "\r\n");
    CHECK(encoded(c::hs_fetch{service_id, {"$AAAA~relay", "BBBB"}}) ==
          "HSFETCH " + service_id + " SERVER=$AAAA~relay SERVER=BBBB\r\n");
    CHECK(encoded(c::hs_fetch{service_id, {"a b"}}).starts_with("refused: the HSDir holds a space"));
    CHECK(encoded(c::hs_fetch{service_id, {""}}) == "refused: the HSDir is empty");
    auto upper = service_id;
    upper[0] = 'A';
    for (const auto& wrong : {service_id + ".onion", service_id.substr(1), upper, service_id.substr(1) + "1",
                              service_id.substr(2) + "\r\n", std::string{}}) {
        CHECK(encoded(c::del_onion{wrong}).starts_with("refused: an onion service is named by"));
        CHECK(encoded(c::hs_fetch{wrong, {}}).starts_with("refused: an onion service is named by"));
    }
}

TEST_CASE("ONION_CLIENT_AUTH_ADD: a client's name that tor would answer twice is not sent") {
    c::onion_client_auth_add o;
    o.service_id = service_id;
    o.private_key = secret{x25519};
    CHECK(encoded(o) == "ONION_CLIENT_AUTH_ADD " + service_id + " x25519:" + x25519 + "\r\n");
    o.client_name = "1234567890123456";
    o.permanent = true;
    CHECK(encoded(o) == "ONION_CLIENT_AUTH_ADD " + service_id + " x25519:" + x25519 +
                            " ClientName=1234567890123456 Flags=Permanent\r\n");
    o.client_name += "7";
    CHECK(encoded(o) == "refused: a client's name has at most 16 characters");
    o.client_name = "a b";
    CHECK(encoded(o).starts_with("refused: the client's name holds a space"));
    o.client_name = "";
    o.private_key = secret{std::string_view{"AAAA"}};
    CHECK(encoded(o) == "refused: a client's private key is base64 of 32 bytes");

    using outcome = c::onion_client_auth_add::reply_type;
    CHECK(o.parse(reply_of("252 Registered client and decrypted desc\r\n")).value() == outcome::decrypted);
    CHECK(o.parse(reply_of("553 Unable to store creds for \"x\"\r\n")).error().code == c::errc::rejected);
    CHECK(o.parse(reply_of("552 Unrecognized key type \"rsa\"\r\n")).error().code == c::errc::unrecognized);
    CHECK(failure_of(o, "255 New\r\n") == "ONION_CLIENT_AUTH_ADD: tor's answer is not the one to this command");
}

TEST_CASE("ONION_CLIENT_AUTH_REMOVE and VIEW") {
    using outcome = c::onion_client_auth_remove::reply_type;
    c::onion_client_auth_remove gone{service_id};
    CHECK(encoded(gone) == "ONION_CLIENT_AUTH_REMOVE " + service_id + "\r\n");
    CHECK(encoded(c::onion_client_auth_remove{"x"}).starts_with("refused: an onion service is named by"));
    CHECK(gone.parse(reply_of("250 OK\r\n")).value() == outcome::removed);
    CHECK(gone.parse(reply_of("251 No credentials for \"" + service_id + "\"\r\n")).value() == outcome::absent);
    CHECK(gone.parse(reply_of("512 Invalid v3 address \"x\"\r\n")).error().code == c::errc::rejected);

    CHECK(encoded(c::onion_client_auth_view{}) == "ONION_CLIENT_AUTH_VIEW\r\n");
    CHECK(encoded(c::onion_client_auth_view{service_id}) == "ONION_CLIENT_AUTH_VIEW " + service_id + "\r\n");
    CHECK(encoded(c::onion_client_auth_view{"x"}).starts_with("refused: an onion service is named by"));
    const auto seen = c::onion_client_auth_view{}.parse(
        reply_of("250-ONION_CLIENT_AUTH_VIEW\r\n250-CLIENT " + service_id + " x25519:" + x25519 +
                 " ClientName=me\r\n250-CLIENT " + service_id + " x25519:" + x25519 +
                 " Flags=Permanent New=1\r\n250-CLIENT " + service_id + " x448:AAAA\r\n250-NEWER x\r\n250 OK\r\n"));
    REQUIRE(seen);
    REQUIRE(seen->size() == 2);
    CHECK(seen->at(0).service_id == service_id);
    CHECK(seen->at(0).private_key.text() == x25519);
    CHECK(seen->at(0).client_name == "me");
    CHECK_FALSE(seen->at(0).permanent);
    CHECK(seen->at(1).permanent);
    CHECK(c::onion_client_auth_view{}.parse(reply_of("250-ONION_CLIENT_AUTH_VIEW x\r\n250 OK\r\n"))->empty());
    CHECK(failure_of(c::onion_client_auth_view{}, "250-CLIENT x\r\n250 OK\r\n") ==
          "ONION_CLIENT_AUTH_VIEW: tor's answer is not the one to this command");
}

TEST_CASE("HSPOST always names the service, since tor would never answer without") {
    c::hs_post p{service_id, {"$AAAA"}, "hs-descriptor 3\n.x\n"};
    CHECK(encoded(p) == "+HSPOST SERVER=$AAAA HSADDRESS=" + service_id + "\r\nhs-descriptor 3\r\n..x\r\n.\r\n");
    p.servers = {"a b"};
    CHECK(encoded(p).starts_with("refused: the HSDir holds a space"));
    p.servers = {};
    p.service_id.clear();
    CHECK(encoded(p).starts_with("refused: an onion service is named by"));
    CHECK(p.parse(reply_of("250 OK\r\n")));
    CHECK(failure_of(p, "554 Invalid descriptor\r\n") == "HSPOST: tor refused (Invalid descriptor)");
}
