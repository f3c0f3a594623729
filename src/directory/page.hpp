// The directory's pages, for a person in Tor Browser at its safest level: no script, nothing from elsewhere.
#pragma once

#include <bento/directory/directory.hpp>
#include <string>
#include <string_view>

namespace bento::directory {

std::string information_page(const options& o);
std::string information_json(const options& o);
/// The answer to the look-up form. `document` is an entry or tombstone of the store; `fingerprint` what a share string
/// named, or empty.
std::string entry_page(std::string_view document, std::string_view fingerprint, entry::day today);
/// `title` and `what` are our own; `asked` is what stood in the form.
std::string failure_page(std::string_view title, std::string_view what, std::string_view asked = {});

/// The value of a field of a submitted form, percent-decoded; nothing where it is not there or longer than `limit`.
std::optional<std::string> form_value(std::string_view query, std::string_view name, std::size_t limit);

}  // namespace bento::directory
