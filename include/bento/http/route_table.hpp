// From method and path to what is to be done, or to 404, or to 405 with its `Allow`.
#pragma once

#include <bento/http/message.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bento::http {

/// Paths are compared as they were sent: they are ASCII constants, and nothing is decoded. One that ends with `/*`
/// takes everything below it. GET implies HEAD.
class route_table {
  public:
    struct route {
        http::method method;
        std::string path;
        int id;
    };
    struct match {
        enum class outcome { found, not_found, method_not_allowed, options } is = outcome::not_found;
        int id = 0;
        std::string allow;      ///< of method_not_allowed and options
        std::string_view rest;  ///< what stood in the place of `*`, a view into the path
    };

    void add(http::method method, std::string path, int id) { routes_.push_back({method, std::move(path), id}); }
    match find(http::method method, std::string_view path) const;
    const std::vector<route>& routes() const { return routes_; }

  private:
    std::vector<route> routes_;
};

}  // namespace bento::http
