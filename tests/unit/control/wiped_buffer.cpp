#include <bento/control/wiped_buffer.hpp>

#include "test.hpp"

using bento::control::wiped_buffer;

TEST_CASE("appended behind, taken in front") {
    wiped_buffer b;
    CHECK(b.empty());
    b.append("abc").append("").append("def");
    CHECK(b.text() == "abcdef");
    b.consume(2);
    CHECK(b.text() == "cdef");
    b.append(std::string(1000, 'x'));
    CHECK(b.size() == 1004);
    b.consume(4);
    CHECK(b.text() == std::string(1000, 'x'));
    b.consume(5000);
    CHECK(b.empty());
    b.append("again");
    CHECK(b.text() == "again");
    b.clear();
    CHECK(b.text().empty());
}

TEST_CASE("what was taken is wiped where it lay") {
    wiped_buffer b;
    b.append("secret!").append("rest");
    const char* const lay = b.text().data();
    b.consume(7);
    CHECK(std::string(lay, 11) == std::string(7, '\0') + "rest");
    b.consume(4);
    CHECK(std::string(lay, 11) == std::string(11, '\0'));
}
