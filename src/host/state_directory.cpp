#include "state_directory.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cstring>

namespace bento::host {

std::string_view to_text(errc e) {
    switch (e) {
        case errc::in_use:
            return "another bentoctl serves from this state directory";
        case errc::state:
            return "the state directory cannot be used";
        case errc::not_running:
            return "no bentoctl serves from this state directory";
        case errc::malformed:
            return "what answers on the state directory's socket is no bentoctl";
        case errc::unfinished:
            return "the rotation is not finished";
        case errc::no_onion:
            return "the server that runs on this state directory publishes no onion";
    }
    return "unknown error";
}

result<state_directory> state_directory::open(const std::filesystem::path& path) {
    state_directory out;
    std::error_code failed;
    out.path_ = std::filesystem::absolute(path, failed);
    if (!failed) std::filesystem::create_directories(out.path_ / "onions", failed);
    for (const auto& folder : {out.path_, out.path_ / "onions"})
        if (!failed) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
    if (failed) return error{errc::state, path.string(), failed.message()};
    out.lock_.reset(::open((out.path_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!out.lock_) return error{errc::state, (path / "lock").string(), std::strerror(errno)};
    if (::flock(out.lock_.get(), LOCK_EX | LOCK_NB) != 0) return error{errc::in_use, path.string()};
    return out;
}

result<std::map<onion::address, key_file>> state_directory::onion_keys() const {
    std::map<onion::address, key_file> out;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator{path_ / "onions", failed}) {
        std::error_code ignored;  // one that cannot be removed is no key of ours either
        if (entry.path().extension() == ".tmp") std::filesystem::remove(entry.path(), ignored);
        const auto address = onion::address::parse(entry.path().filename().string());
        if (!address) continue;
        auto key = onion::secret_key::load(entry.path());
        if (!key) return key.error();
        if (onion::address::of(key->public_key()) != *address)
            return error{errc::state, "the key in " + entry.path().string() + " is not the one of its name"};
        struct ::stat about {};
        if (::stat(entry.path().c_str(), &about) != 0)
            return error{errc::state, entry.path().string(), std::strerror(errno)};
        out.emplace(*address,
                    key_file{std::move(*key), std::chrono::sys_seconds{std::chrono::seconds{about.st_mtime}}});
    }
    if (failed) return error{errc::state, path_.string(), failed.message()};
    return out;
}

result<onion::secret_key> state_directory::onion_key() const {
    auto keys = onion_keys();
    if (!keys) return keys.error();
    if (!keys->empty()) return std::move(keys->begin()->second.key);
    auto fresh = onion::secret_key::generate();
    const auto name = onion::address::of(fresh.public_key()).service_id();
    if (auto saved = fresh.save(path_ / "onions" / name); !saved) return saved.error();
    return fresh;
}

result<onion::secret_key> state_directory::key_of(const onion::address& address) const {
    auto key = onion::secret_key::load(path_ / "onions" / address.service_id());
    if (key && onion::address::of(key->public_key()) != address)
        return error{errc::state, "the key of " + address.service_id() + " is not the one of its name"};
    return key;
}

std::optional<endpoint> state_directory::socket(std::string_view name) const {
    const auto at = endpoint::parse("unix:" + (path_ / name).string());
    return at ? std::optional{*at} : std::nullopt;
}

}  // namespace bento::host
