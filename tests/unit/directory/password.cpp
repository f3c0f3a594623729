#include <bento/directory/password.hpp>

#include "test.hpp"

using namespace bento;
using directory::hash_password;
using directory::hash_scheme;
using directory::verify_password;

TEST_CASE("T24: bcrypt as published, and as the configuration says") {
    // Openwall's published vectors.
    CHECK(verify_password("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    CHECK(verify_password("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
    CHECK_FALSE(verify_password("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
    const auto hash = hash_password("right", {hash_scheme::bcrypt, 5});
    CHECK(hash.starts_with("$2b$05$"));
    CHECK(hash.size() == 60);
    CHECK(hash != hash_password("right", {hash_scheme::bcrypt, 5}));
    CHECK(verify_password("right", hash));
    CHECK_FALSE(verify_password("wrong", hash));
    CHECK(directory::hash_policy{}.bcrypt_cost == 12);
    CHECK_THROWS(hash_password("right", {hash_scheme::bcrypt, 3}));
}

TEST_CASE("argon2id by choice; a hash says by itself what it is") {
    const auto hash = hash_password("right", {hash_scheme::argon2id});
    CHECK(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    CHECK(verify_password("right", hash));
    CHECK_FALSE(verify_password("wrong", hash));
    for (const auto* nothing : {"", "*0", "$1$abc$", "right", "$2b$05$", "$argon2id$"})
        CHECK_FALSE(verify_password("right", nothing));
}

TEST_CASE("T24: what bcrypt would cut off is refused") {
    CHECK(directory::password_mistake(std::string(72, 'a')).empty());
    CHECK_FALSE(directory::password_mistake(std::string(73, 'a')).empty());
    CHECK_FALSE(directory::password_mistake(std::string_view{"a\0b", 3}).empty());
    CHECK_FALSE(directory::password_mistake("").empty());
}
