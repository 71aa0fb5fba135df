// One file: its bytes, its signature, its place.
#pragma once

#include <windows.h>

#include <optional>
#include <string>
#include <vector>

#include "trust/facts.hpp"
#include "trust/place.hpp"
#include "trust/windows/trust_library.hpp"

namespace asiodrv::trust {

/// What is the same for every file of one run.
struct FileContext {
  Result<TrustLibrary> functions = fail(ErrorCode::unsupported, "not loaded");
  KnownFolders folders;
  std::vector<std::string> session_sids;
  bool wine = false;
};

[[nodiscard]] FileContext make_file_context();

/// Opens the file once, denies others to write or delete it meanwhile, and looks at that.
[[nodiscard]] FileFacts look_at_file(const FileContext& context, const std::string& path);

/// The same for a path that somebody wrote into the registry: another computer is not asked,
/// because it would learn who asks.
[[nodiscard]] FileFacts look_at_found_file(const FileContext& context, const std::string& path);

/// The signature alone, of a path that was found. An error's message says why it is not known.
[[nodiscard]] Known<std::uint32_t> signature_code_of(const FileContext& context,
                                                     const std::string& path);

/// The whole path of what may be given relative to the current folder, without "." and ".."; names
/// as they are on the disk, not in their short form (PROGRA~1), where the file is there and the
/// disk is one of this computer.
[[nodiscard]] std::string full_path(const std::string& path);

/// SHA-256 of a file that was found, or why not.
[[nodiscard]] Known<std::string> hash_of_file(const std::string& path);

}  // namespace asiodrv::trust
