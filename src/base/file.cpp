#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/base/random.hpp>
#include <cerrno>
#include <cstring>

namespace bento {
namespace {

class descriptor {
  public:
    explicit descriptor(int fd) : fd_{fd} {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

error from_errno(const std::filesystem::path& path, int number) {
    switch (number) {
        case ENOENT:
            return {base::errc::not_found, path.string()};
        case EACCES:
        case EPERM:
            return {base::errc::not_permitted, path.string()};
        default:
            return {base::errc::io, path.string(), std::strerror(number)};
    }
}

/// Reads into `out`, which already has room for `limit` + 1 bytes; returns how many came.
result<std::size_t> read_into(const std::filesystem::path& path, std::span<std::uint8_t> out) {
    // O_NONBLOCK: a FIFO put in a file's place must not hang us.
    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file) return from_errno(path, errno);
    std::size_t got = 0;
    while (got < out.size()) {
        const auto n = ::read(file.get(), out.data() + got, out.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno(path, errno);
        if (n == 0) return got;
        got += static_cast<std::size_t>(n);
    }
    return error{base::errc::too_long, path.string()};
}

/// What the file is said to hold, so that a small file does not cost a buffer of the limit's size.
std::size_t buffer_size(const std::filesystem::path& path, std::size_t limit) {
    struct ::stat about {};
    // The kernel's own files (/proc) say 0.
    if (::stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) return limit + 1;
    return std::min(limit, static_cast<std::size_t>(about.st_size)) + 1;
}

}  // namespace

result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
    std::string out(buffer_size(path, limit), '\0');
    auto got = read_into(path, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
    if (!got) return got.error();
    out.resize(*got);
    return out;
}

result<secret> read_secret_file(const std::filesystem::path& path, std::size_t limit) {
    secret buffer{buffer_size(path, limit)};
    auto got = read_into(path, buffer.writable());
    if (!got) return got.error();
    return secret{buffer.view().first(*got)};
}

result<void> write_file(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    std::array<std::uint8_t, 8> tag{};
    system_random()(tag);
    auto beside = path;
    beside += "." + hex_encode(tag) + ".tmp";
    const auto fail = [&](int number) -> error {
        ::unlink(beside.c_str());
        return from_errno(path, number);
    };
    {
        const descriptor file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
        if (!file) return from_errno(path, errno);
        while (!content.empty()) {
            const auto n = ::write(file.get(), content.data(), content.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return fail(errno);
            content.remove_prefix(static_cast<std::size_t>(n));
        }
        if (::fsync(file.get()) != 0) return fail(errno);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) return fail(errno);
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    const descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::fsync(directory.get()) != 0) return from_errno(folder, errno);
    return {};
}

}  // namespace bento
