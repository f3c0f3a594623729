// A world that a rotation machine acts on, without tor, disk or time.
#pragma once

#include <bento/base/errc.hpp>

#include "keys.hpp"

namespace bento::test {

using namespace std::chrono_literals;
using rotation::act;
using rotation::action;
using rotation::journal;

inline const error no_luck{base::errc::io, "no luck"};

/// What a machine acts on: key files, tor, directories, a journal on disk, two clocks. It does what it is told and
/// keeps a transcript.
struct world {
    journal saved{.current = onion_number(1), .since = at(100'000)};
    std::set<onion::address> keys{onion_number(1)};
    std::set<onion::address> tor;
    std::map<std::string, onion::address> directories;  // what each shows
    std::set<std::string> down;
    std::set<act> broken;
    bool disk_is_full = false;
    rotation::policy policy;
    rotation::moment now{rotation::time_point{1h}, at(100'000)};
    std::uint8_t next_key = 2;
    std::uint8_t random_byte = 0;

    std::optional<rotation::machine> machine;
    std::vector<std::string> transcript;
    std::optional<action> todo;

    explicit world(std::vector<std::string> names = {}) {
        for (auto& n : names)
            directories.emplace(n, onion_number(1));
    }

    void pass(std::chrono::milliseconds d) {
        now.steady += d;
        now.wall += std::chrono::floor<std::chrono::seconds>(d);
    }
    /// A process begins with what is on disk.
    action begin() {
        tor.clear();
        std::vector<std::string> names;
        for (const auto& [name, shows] : directories)
            names.push_back(name);
        machine.emplace(saved, policy, names,
                        [this](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), random_byte); });
        todo = machine->resume(rotation::began{keys}, now);
        return *todo;
    }
    static std::uint8_t number(const onion::address& a) {
        for (std::uint8_t n = 1; n < 60; ++n)
            if (onion_number(n) == a) return n;
        return 0;
    }
    static std::string told(const action& a) {
        auto out = std::string{rotation::to_text(a.what)};
        if (a.onion) out += " " + std::to_string(number(*a.onion));
        for (const auto& d : a.directories)
            out += " " + d;
        if (a.ask_first) out += " ask_first";
        if (a.close_circuits) out += " close_circuits";
        return out;
    }
    bool save() {
        if (!todo->save) return true;
        if (disk_is_full) return false;
        saved = machine->state();
        machine->saved();
        return true;
    }
    /// Does what is to be done; nothing after it is decided yet.
    rotation::event perform() {
        const auto& a = *todo;
        if (a.what != act::wait) transcript.push_back(told(a));
        if (broken.contains(a.what)) return rotation::failed{no_luck};
        switch (a.what) {
            case act::wait:
                pass(std::chrono::ceil<std::chrono::milliseconds>(a.until - now.steady));
                return rotation::passed{};
            case act::mint:
                return rotation::minted{onion_number(next_key++)};
            case act::write_key:
                keys.insert(*a.onion);
                break;
            case act::add:
                tor.insert(*a.onion);
                break;
            case act::drop:
                tor.erase(*a.onion);
                break;
            case act::unlink:
                keys.erase(*a.onion);
                break;
            case act::reregister:
            case act::verify: {
                rotation::told out;
                for (const auto& d : a.directories) {
                    if (down.contains(d))
                        out.failures.emplace(d, no_luck);
                    else if (a.what == act::reregister)
                        directories.find(d)->second = *a.onion;
                    else if (directories.find(d)->second != *a.onion)
                        out.failures.emplace(d, no_luck);
                }
                return out;
            }
            default:
                break;
        }
        return rotation::done{};
    }
    void step() {
        const auto outcome = save() ? perform() : rotation::event{rotation::failed{no_luck}};
        todo = machine->resume(outcome, now);
    }
    /// Until there is nothing to do at this moment.
    world& run() {
        if (!machine) begin();
        for (int i = 0; todo->what != act::wait; ++i) {
            REQUIRE(i < 100);
            step();
        }
        REQUIRE(save());
        return *this;
    }
    void wait_once() {
        REQUIRE(todo->what == act::wait);
        step();
    }
    void ask(const rotation::request& r = {}) {
        REQUIRE(machine->ask(r));
        todo = machine->resume(rotation::passed{}, now);
    }
    std::vector<std::string> take_transcript() { return std::exchange(transcript, {}); }
};

using lines = std::vector<std::string>;

inline std::vector<std::uint8_t> numbers(const std::set<onion::address>& of) {
    std::vector<std::uint8_t> out;
    for (const auto& a : of)
        out.push_back(world::number(a));
    std::sort(out.begin(), out.end());
    return out;
}
using onions = std::vector<std::uint8_t>;

}  // namespace bento::test
