#include <bento/sandbox/plan.hpp>

namespace bento::sandbox {

std::string_view to_text(errc e) {
    switch (e) {
        case errc::no_bubblewrap:
            return "bubblewrap (bwrap) is not installed";
        case errc::no_python:
            return "no usable Python interpreter was found";
        case errc::no_namespaces:
            return "user namespaces are not allowed on this machine";
        case errc::start_failed:
            return "the sandbox could not be made";
    }
    return "unknown error";
}

plan make_plan(const policy& p, const runtime& r, const clock_offsets& offsets, std::string_view driver) {
    plan out;
    const auto seconds = p.cpu.count();
    out.jail_arguments = {
        "--memory=" + std::to_string(p.memory),
        "--cpu=" + std::to_string(seconds < 1 ? 1 : seconds),
        "--processes=" + std::to_string(p.processes),
        "--disk=" + std::to_string(p.disk),
        "--inodes=" + std::to_string(p.inodes),
        "--open-files=" + std::to_string(p.open_files),
        "--monotonic=" + std::to_string(offsets.monotonic),
        "--boot=" + std::to_string(offsets.boot),
    };
    auto& a = out.bubblewrap_arguments;
    const auto add = [&a](std::initializer_list<std::string> words) { a.insert(a.end(), words); };
    const auto bind = [&](const std::string& path) { add({"--ro-bind", path, path}); };
    // Every namespace there is; no further one inside; gone with whoever started it; no terminal.
    add({"--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1"});
    add({"--hostname", "bento", "--uid", "1000", "--gid", "1000"});
    add({"--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C", "--setenv",
         "TZ", "UTC"});
    // One arena: each further one takes 64 MiB of the address space that is limited.
    add({"--setenv", "MALLOC_ARENA_MAX", "1"});
    bind(r.interpreter);
    bind(r.loader);
    bind(r.standard_library);
    for (const auto& library : r.libraries)
        bind(library);
    for (const auto& [link, target] : r.links)
        add({"--symlink", target, link});
    // Debian's merged /usr: programs name /lib and /lib64.
    add({"--symlink", "usr/lib", "/lib"});
    for (const auto* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"})
        add({"--dev-bind", device, device});
    // Our helper has mounted a tmpfs with limits over its own /tmp.
    add({"--bind", "/tmp", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"});
    add({"--seccomp", std::to_string(filter_descriptor)});
    // Isolated, without site: no environment, no user's packages, no current directory among the modules.
    add({"--", r.interpreter, "-I", "-S", "-B", "-X", "utf8", "-c", std::string{driver}});
    return out;
}

}  // namespace bento::sandbox
