// bentoctl key: the keys of onion services and of their clients, without a tor that runs.
#include <unistd.h>

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/onion/client_key.hpp>
#include <boost/json.hpp>

#include "key_file.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

namespace bento::cli {
namespace {

using path = std::filesystem::path;

/// The longest form of a key that is read: a PEM-less line with its address.
constexpr std::size_t key_text_limit = 4096;
constexpr auto tor_key_name = "hs_ed25519_secret_key";

/// 32 bytes of tor's header, then the public key.
std::string public_key_file(const onion::public_key& key) {
    constexpr char tag[] = "== ed25519v1-public: type0 ==\0\0";
    static_assert(sizeof tag == 32);
    return std::string{tag, sizeof tag} + std::string{as_text(key)};
}

/// Never over something that is there: an address cannot be had back.
result<void> must_be_new(const path& file) {
    std::error_code absent;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, absent)))
        return error{base::errc::not_permitted, file.string() + " exists, and a key is never overwritten"};
    return {};
}

result<secret> read_input(const path& from) {
    if (from != "-") return read_secret_file(from, key_text_limit);
    secret buffer{key_text_limit + 1};
    std::size_t have = 0;
    while (have < buffer.size()) {
        const auto n = ::read(STDIN_FILENO, buffer.writable().data() + have, buffer.size() - have);
        if (n < 0) return error{base::errc::io, "standard input"};
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    if (have > key_text_limit) return error{base::errc::too_long, "standard input"};
    return secret{buffer.view().first(have)};
}

/// Every form in which the key of an onion service is met: tor's file, the argument of ADD_ONION or its base64, 64
/// expanded bytes, a seed of 32 bytes as it is, in hexadecimal or in base64.
result<onion::secret_key> any_key(byte_view in) {
    if (in.size() == onion::secret_key::file_size) return onion::secret_key::from_file_bytes(in);
    if (in.size() == 32) return onion::secret_key::from_seed(in.first<32>());
    if (in.size() == onion::secret_key::size)
        if (auto key = onion::secret_key::from_expanded(in)) return key;
    auto text = as_text(in);
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    constexpr std::string_view type = "ED25519-V3:";
    if (text.starts_with(type)) text.remove_prefix(type.size());
    auto decoded = hex_decode(text);
    if (!decoded) decoded = base64_decode(text);
    if (!decoded) return error{onion::errc::bad_key, "neither tor's file, nor a seed, nor what ADD_ONION takes"};
    const secret bytes{byte_view{*decoded}};
    std::fill(decoded->begin(), decoded->end(), std::uint8_t{0});
    if (bytes.size() == 32) return onion::secret_key::from_seed(bytes.view().first<32>());
    return onion::secret_key::from_expanded(bytes.view());
}

void tell_address(const terminal& out, const globals& g, const onion::secret_key& key, const path& file) {
    const auto address = onion::address::of(key.public_key());
    if (!g.json) return out.line(address.host());
    boost::json::object o{{"onion", address.host()}};
    if (!file.empty()) o["file"] = file.string();
    out.line(boost::json::serialize(o));
}

result<int> save(const globals& g, const onion::secret_key& key, const path& file) {
    if (auto free = must_be_new(file); !free) return free.error();
    if (auto saved = key.save(file); !saved) return saved.error();
    tell_address(terminal{g}, g, key, file);
    return 0;
}

runner declare_generate(CLI::App& options) {
    auto file = std::make_shared<path>();
    options.add_option("FILE", *file, "where the key is written, 0600; it must not exist")->required();
    return [file](const globals& g) { return save(g, onion::secret_key::generate(), *file); };
}

runner declare_address(CLI::App& options) {
    auto file = std::make_shared<path>();
    options.add_option("FILE", *file, "a key, or tor's directory of a service")->required();
    return [file](const globals& g) -> result<int> {
        const auto key = onion::secret_key::load(key_file(*file));
        if (!key) return key.error();
        tell_address(terminal{g}, g, *key, {});
        return 0;
    };
}

struct import_options {
    path from, to;
};
runner declare_import(CLI::App& options) {
    auto o = std::make_shared<import_options>();
    options.add_option("FROM", o->from, "a key in any usual form; - is standard input")->required();
    options.add_option("FILE", o->to, "where it is written in tor's form, 0600; it must not exist")->required();
    return [o](const globals& g) -> result<int> {
        const auto in = read_input(o->from == "-" ? o->from : key_file(o->from));
        if (!in) return in.error();
        const auto key = any_key(in->view());
        if (!key) return error{key.error().code, o->from.string() + ": " + key.error().detail};
        return save(g, *key, o->to);
    };
}

struct export_options {
    path from;
    std::optional<path> directory;
};
result<int> export_key(const globals& g, const export_options& o) {
    terminal out{g};
    const auto key = onion::secret_key::load(key_file(o.from));
    if (!key) return key.error();
    if (!o.directory) {
        if (out.stdout_is_terminal()) out.warn("this is the secret key: whoever reads it is the service");
        out.data(key->add_onion_argument().text());
        out.data("\n");
        return 0;
    }
    std::error_code failed;
    std::filesystem::create_directory(*o.directory, failed);
    if (!failed) std::filesystem::permissions(*o.directory, std::filesystem::perms::owner_all, failed);
    if (failed) return error{base::errc::io, o.directory->string(), failed.message()};
    const auto file = *o.directory / tor_key_name;
    if (auto free = must_be_new(file); !free) return free.error();
    const auto address = onion::address::of(key->public_key());
    if (auto done = write_file(*o.directory / "hs_ed25519_public_key", public_key_file(key->public_key())); !done)
        return done.error();
    if (auto done = write_file(*o.directory / "hostname", address.host() + "\n"); !done) return done.error();
    if (auto done = key->save(file); !done) return done.error();
    tell_address(out, g, *key, *o.directory);
    return 0;
}

runner declare_export(CLI::App& options) {
    auto o = std::make_shared<export_options>();
    options.add_option("FILE", o->from, "a key, or tor's directory of a service")->required();
    options.add_option("--directory", o->directory, "write tor's HiddenServiceDir here, in place of ADD_ONION's form")
        ->type_name("DIR");
    return [o](const globals& g) { return export_key(g, *o); };
}

struct client_options {
    std::string address;
    path file;
    bool existing = false;
};
result<int> client_auth(const globals& g, const client_options& o) {
    terminal out{g};
    const auto address = onion::address::parse(o.address);
    if (!address) return address.error();
    auto key = onion::client_key::generate();
    if (o.existing) {
        const auto text = read_secret_file(o.file, key_text_limit);
        if (!text) return text.error();
        auto read = onion::client_key::from_text(text->text());
        if (!read) return error{read.error().code, o.file.string() + ": " + read.error().detail};
        key = std::move(*read);
    } else {
        if (auto free = must_be_new(o.file); !free) return free.error();
        const auto line = key.client_line(*address);
        if (auto saved = write_file(o.file, line.text()); !saved) return saved.error();
    }
    if (g.json)
        out.line(boost::json::serialize(boost::json::object{
            {"service", key.service_line()}, {"public", key.public_base32()}, {"file", o.file.string()}}));
    else
        out.line(key.service_line());
    return 0;
}

runner declare_client_auth(CLI::App& options) {
    auto o = std::make_shared<client_options>();
    options.add_option("ADDRESS", o->address, "the onion address of the service")->required();
    options.add_option("FILE", o->file, "where the client's private key is written, 0600; NAME.auth_private for tor")
        ->required();
    options.add_flag("--existing", o->existing, "read FILE in place of making a key");
    return [o](const globals& g) { return client_auth(g, *o); };
}

}  // namespace

path key_file(const path& named) {
    std::error_code absent;
    return std::filesystem::is_directory(named, absent) ? named / tor_key_name : named;
}

runner declare_key(CLI::App& options) {
    const auto chosen = std::make_shared<runner>();
    add_verb(options, chosen, "generate", "make a key, print its onion address", declare_generate);
    add_verb(options, chosen, "address", "print the onion address of a key", declare_address);
    add_verb(options, chosen, "import", "take a key over from another form", declare_import);
    add_verb(options, chosen, "export", "give a key in the form of ADD_ONION, or as tor's directory", declare_export);
    add_verb(options, chosen, "client-auth", "make a client's key, print the line for the service",
             declare_client_auth);
    return run_chosen(options, chosen);
}

}  // namespace bento::cli
