#include <sys/stat.h>

#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>

#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;

TEST_CASE("a written file is whole, private and leaves nothing beside it") {
    const test::temporary_directory folder;
    const auto path = folder.path() / "key";
    REQUIRE(write_file(path, "first"));
    REQUIRE(write_file(path, "second"));
    CHECK(read_file(path, 100).value() == "second");
    struct ::stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    CHECK(folder.names() == std::vector<std::string>{"key"});
}

TEST_CASE("reading says what went wrong") {
    const test::temporary_directory folder;
    const auto path = folder.path() / "file";
    CHECK(read_file(path, 10).error().code == base::errc::not_found);
    REQUIRE(write_file(path, "0123456789"));
    CHECK(read_file(path, 10).value() == "0123456789");
    CHECK(read_file(path, 9).error().code == base::errc::too_long);
    CHECK(read_secret_file(path, 10)->text() == "0123456789");
    CHECK(read_file(folder.path(), 10).error().code == base::errc::io);
    CHECK(write_file(folder.path() / "absent" / "file", "x").error().code == base::errc::not_found);
}
