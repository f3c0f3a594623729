// The control groups of functions, where this machine lets us make some: they limit what all processes of a function
// use together.
#pragma once

#include <bento/net/child.hpp>
#include <bento/sandbox/control_groups.hpp>
#include <chrono>
#include <memory>
#include <optional>

namespace bento::box {

/// What the kernel does where a directory or file of a hierarchy is touched. Tests put a pretended one in its place.
/// False with errno set, as mkdir(2), rmdir(2) and write(2).
class group_kernel {
  public:
    virtual ~group_kernel() = default;
    virtual bool make(const std::filesystem::path& directory);
    virtual bool remove(const std::filesystem::path& directory);
    virtual bool write(const std::filesystem::path& file, std::string_view text);
};

/// Of one function. Destroyed, it removes its directories, now or when the last of its processes has gone.
class control_group {
  public:
    control_group() = default;
    control_group(control_group&&) noexcept = default;
    control_group& operator=(control_group&&) noexcept;
    ~control_group();

    /// Whoever writes "0" into all of them is in the group, with its children.
    const std::vector<net::unique_fd>& doors() const { return doors_; }
    /// The group has them no longer open, either.
    void close_doors() { doors_.clear(); }
    std::optional<std::chrono::microseconds> cpu() const;
    /// The kernel ended one of its processes because the group had no memory left.
    bool ran_out_of_memory() const;
    /// Ends every process in it at once; false where the kernel cannot.
    bool kill();

  private:
    friend class control_groups;
    struct home;
    struct place {
        std::filesystem::path directory;
        bool unified = false;
    };
    std::shared_ptr<home> home_;
    std::vector<place> places_;
    std::vector<net::unique_fd> doors_;
};

class control_groups {
  public:
    control_groups() = default;
    /// Makes a group of our own to hold those of functions. Works as root and in a delegated group (systemd's
    /// Delegate=yes), which on version 2 must hold no other process; elsewhere everything is missing().
    static control_groups open();
    /// In these hierarchies.
    static control_groups open(const std::vector<sandbox::hierarchy>& in, std::shared_ptr<group_kernel> kernel);

    /// A new one that limits a function. Nothing where a directory cannot be made.
    std::optional<control_group> make(const sandbox::policy& p) const;
    /// Of "memory", "pids", "cpu": what no group limits.
    std::vector<std::string> missing() const;

  private:
    std::shared_ptr<control_group::home> home_;
};

}  // namespace bento::box
