// Removes a directory when the process that made it has gone, however it went.
#pragma once

#include <bento/net/child.hpp>
#include <filesystem>

namespace bento::testnet {

/// A process of its own session that waits for our end of a pipe to close. Destroyed, it has removed the directory.
class janitor {
  public:
    /// The directory need not exist yet. Throws std::system_error where no process can be made.
    static janitor watch(const std::filesystem::path& directory);

    janitor() = default;
    janitor(janitor&&) noexcept = default;
    janitor& operator=(janitor&& other) noexcept {
        dismiss();
        lifeline_ = std::move(other.lifeline_);
        pid_ = std::exchange(other.pid_, 0);
        return *this;
    }
    ~janitor() { dismiss(); }

  private:
    void dismiss();
    net::unique_fd lifeline_;
    pid_t pid_ = 0;
};

}  // namespace bento::testnet
