#include <bento/wire/frame.hpp>

#include "segments.hpp"
#include "test.hpp"

using namespace bento;
using namespace bento::test;
using namespace std::string_literals;

namespace {

const auto id = uuid4::parse("0b88a643-5ab1-443c-a5fb-fb115ec2b4eb").value();

/// What the reader says, a line an event; neighbouring pieces of data joined.
std::string read(wire::frame_reader::from peer, const std::vector<std::string>& pieces,
                 std::size_t most = std::string_view::npos) {
    wire::frame_reader reader{peer};
    std::string out;
    bool in_data = false;
    for (const auto& piece : pieces) {
        reader.feed(piece);
        for (;;) {
            const auto event = reader.next(most);
            if (std::holds_alternative<wire::frame_reader::need_data>(event)) break;
            if (const auto* data = std::get_if<wire::frame_reader::data>(&event)) {
                CHECK_FALSE(data->bytes.empty());
                CHECK(data->bytes.size() <= most);
                out += (in_data ? "" : "data ") + std::string{data->bytes};
                in_data = true;
                continue;
            }
            if (in_data) out += '\n';
            in_data = false;
            if (const auto* begin = std::get_if<wire::frame_reader::begin>(&event))
                out += "begin " + std::to_string(begin->type) + ' ' + std::to_string(begin->status) + ' ' +
                       std::to_string(begin->length) + '\n';
            else
                out += "end\n";
        }
    }
    return out + (reader.between_frames() ? "." : "...");
}

}  // namespace

TEST_CASE("the three layouts on the wire") {
    CHECK(wire::encode_request(wire::type::store, "{}") == "\x00\x00\x00\x00\x02{}"s);
    CHECK(wire::encode_response(1, true, "invalid token") == "\x01\x01\x00\x00\x00\x0dinvalid token"s);
    CHECK(wire::encode_response(0, false, id.text()) == "\x00\x00\x00\x00\x00\x24"s + id.str());
    CHECK(wire::encode_message(wire::type::notice, id, "function dead") ==
          "\x04\x00\x00\x00\x31"s + id.str() + "function dead");
    CHECK(wire::encode_message(wire::type::input, id, "") == "\x07\x00\x00\x00\x24"s + id.str());
}

TEST_CASE("the header of a 100 MB message counts the id") {
    CHECK(wire::encode_message_header(wire::type::output, id, 100'000'000) == "\x06\x05\xf5\xe1\x24"s + id.str());
}

TEST_CASE("a length of 32 bits is the end") {
    CHECK(wire::encode_message_header(wire::type::output, id, 0xffffffff - 36).substr(0, 5) == "\x06\xff\xff\xff\xff");
    CHECK_THROWS_AS(wire::encode_message_header(wire::type::output, id, 0xffffffff - 35), std::length_error);
}

TEST_CASE("a server reads headers of five bytes, a client five or six by their type") {
    const auto from_client = frame(0x00, "{}") + frame(0x03, "") + frame(0x07, "abc") + frame(0x99, "x");
    for_each_segmentation(from_client, [](const auto& pieces) {
        CHECK(read(wire::frame_reader::from::client, pieces) ==
              "begin 0 0 2\ndata {}\nend\nbegin 3 0 0\nend\nbegin 7 0 3\ndata abc\nend\nbegin 153 0 1\ndata x\nend\n.");
    });
    const auto from_server = response(0x00, 0, "token") + frame(0x04, "dead") + frame(0x05, "") + frame(0x06, "out") +
                             response(0x07, 1, "no") + response(0x03, 1, "");
    for_each_segmentation(from_server, [](const auto& pieces) {
        CHECK(
            read(wire::frame_reader::from::server, pieces) ==
            "begin 0 0 5\ndata token\nend\nbegin 4 0 4\ndata dead\nend\nbegin 5 0 0\nend\nbegin 6 0 3\ndata out\nend\n"
            "begin 7 1 2\ndata no\nend\nbegin 3 1 0\nend\n.");
    });
}

TEST_CASE("inside a frame a stream may not end") {
    const auto all = frame(0x02, "id");
    for (std::size_t n = 1; n < all.size(); ++n)
        CHECK(read(wire::frame_reader::from::client, {all.substr(0, n)}).ends_with("..."));
}

TEST_CASE("pieces are no longer than asked for") {
    CHECK(read(wire::frame_reader::from::client, {frame(0x02, "abcdefg")}, 2) == "begin 2 0 7\ndata abcdefg\nend\n.");
}

TEST_CASE("a frame of 4 GiB is read in pieces, without memory for it") {
    wire::frame_reader reader{wire::frame_reader::from::server};
    reader.feed("\x06\xff\xff\xff\xff");
    REQUIRE(std::get<wire::frame_reader::begin>(reader.next()).length == 0xffffffff);
    const std::string piece(std::size_t{1} << 20, 'x');
    std::uint64_t total = 0;
    for (;;) {
        auto event = reader.next();
        if (std::holds_alternative<wire::frame_reader::need_data>(event)) {
            reader.feed(piece);
            continue;
        }
        if (std::holds_alternative<wire::frame_reader::end>(event)) break;
        total += std::get<wire::frame_reader::data>(event).bytes.size();
    }
    CHECK(total == 0xffffffff);
    CHECK_FALSE(reader.between_frames());  // one byte of the last piece is the next frame's
}

TEST_CASE("feeding before all is consumed is a mistake of the caller") {
    wire::frame_reader reader{wire::frame_reader::from::client};
    const auto whole = frame(0x00, "{}");
    reader.feed(whole);
    (void)reader.next();
    CHECK_THROWS_AS(reader.feed("x"), std::logic_error);
}
