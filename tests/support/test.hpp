// Catch2, version 2 (Debian 12) or 3 (Debian 13), by one include.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <bento/base/error.hpp>

// A failed check of a result says the error; without this, Catch would try to print values that cannot be printed.
template <class T>
struct Catch::StringMaker<bento::result<T>> {
    static std::string convert(const bento::result<T>& r) { return r ? "(a value)" : "error: " + r.error().message(); }
};
