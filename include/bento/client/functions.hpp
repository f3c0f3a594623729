// Storing and calling functions, wherever the server is: behind an onion's gateway, or at the end of the Bento
// protocol.
#pragma once

#include <bento/client/bento_connection.hpp>
#include <bento/web/http_client.hpp>
#include <functional>
#include <memory>

namespace bento::client {

/// What a function sends, as it comes; and what it is sent.
struct output_sink {
    /// A part of an output; `last` ends one.
    std::function<void(std::string_view part, bool last)> data;
    /// What the function failed with.
    std::function<void(std::string_view text)> failed;
    /// It runs: somebody can go on with it by this id. May be unset.
    std::function<void(const uuid4& id)> started;
    /// The next message for `api.recv`; an error where there are no more. Unset: it is sent none.
    std::function<task<std::string>()> input;
};

struct stored_function {
    uuid4 token;
    /// What its owner shows to delete or publish it; nothing where the server gives none.
    std::optional<uuid4> owner_token;
};

/// One server. A deadline covers a whole call; of one that takes input, until the function runs.
class functions {
  public:
    virtual ~functions() = default;
    /// Shown by store() where the operator asks for one; empty: none.
    std::string credential;
    virtual task<stored_function> store(std::string name, std::string code, time_point deadline) = 0;
    /// Returns when it has ended. errc::function_failed with its words.
    virtual task<void> exec(uuid4 token, std::string call, time_point deadline) = 0;
    /// Returns when it has ended; a failure of its own is told to the sink, and is errc::function_failed.
    virtual task<void> open(uuid4 token, std::string call, output_sink sink, time_point deadline) = 0;
    /// The same with a function that runs: what nobody has read yet, and what comes. errc::unknown_function.
    virtual task<void> attach(uuid4 id, output_sink sink, time_point deadline) = 0;
    /// Ends a function for good. errc::unknown_function; refused where the server cannot.
    virtual task<void> close(uuid4 id, time_point deadline) = 0;
    /// Starts it and returns its id.
    virtual task<uuid4> detach(uuid4 token, std::string call, time_point deadline) = 0;
    /// Has its server register it in the directories; the entry as JSON. errc::refused where the server cannot.
    virtual task<std::string> publish(uuid4 token, uuid4 owner_token, time_point deadline) = 0;
    /// Deletes it and ends its runs. errc::refused where the server cannot.
    virtual task<void> remove(uuid4 token, uuid4 owner_token, time_point deadline) = 0;
};

struct gateway_options {
    /// Asked where the server is now when it cannot be reached where it was. Unset: it stays where it is.
    std::function<task<web::road>(time_point deadline)> moved = {};
    /// SHA-256 that the code stored under a token must have for a call to run, lower-case hexadecimal.
    std::optional<std::string> code_sha256 = {};
};

/// Behind an onion.
std::unique_ptr<functions> through_gateway(web::road road, gateway_options o = {});
/// At a Bento server that is connected to directly.
std::unique_ptr<functions> at_server(endpoint server);

}  // namespace bento::client
