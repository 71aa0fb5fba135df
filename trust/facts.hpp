// Everything that can be known about a program file, a registered driver or a running process, as
// plain data. Collectors (trust/windows, trust/posix, a recorded file) fill it in; the judge reads
// it and nothing else. Texts are UTF-8 and come from whoever made the file: show them escaped
// (trust/shown_text.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trust/known.hpp"
#include "trust/pe_file.hpp"

namespace asiodrv::trust {

/// Whose key signed, as the certificate says.
struct Signer {
  std::string common_name, organization, country;
  std::string issuer;             ///< the common name of who issued the certificate
  std::string serial;             ///< hexadecimal
  std::string sha256;             ///< of the certificate, hexadecimal
  std::string public_key_sha256;  ///< of its public key (SubjectPublicKeyInfo), hexadecimal
  bool operator==(const Signer&) const = default;
};

/// What the system's own check says of a file's signature, without asking the network.
struct Signature {
  std::uint32_t code = 0;          ///< of WinVerifyTrust; 0: valid
  std::uint32_t chain_errors = 0;  ///< CERT_TRUST_* bits of the chain; judged besides `code`
  bool from_catalog = false;       ///< the signature lies in a catalog of the system
  bool timestamped = false;
  bool self_signed = false;  ///< the signer's certificate is its own root
  Signer signer;             ///< empty without a signature
  std::string root;          ///< the common name where the chain ends
  bool operator==(const Signature&) const = default;
};

enum class PlaceKind {
  program_files,
  system,  ///< Windows' own folder
  program_data,
  temporary,     ///< of any user, or of the system
  public_files,  ///< the folder that all users share
  downloads,
  profile,  ///< anywhere else below a user's own folder
  removable,
  network,
  other
};

/// Whether somebody without administrator rights could change what lies at the path.
enum class Writability { no, yes, cannot_rule_out };

struct Writable {
  Writability answer = Writability::cannot_rule_out;
  std::string where;  ///< the file or folder that decides it; empty for "no"
  std::string who;    ///< the account as a SID, or a word
  std::string how;    ///< the right, in words
  bool operator==(const Writable&) const = default;
};

struct Place {
  PlaceKind kind = PlaceKind::other;
  Known<Writable> writable;
  std::vector<std::string> links;  ///< reparse points on the way to the file
  std::uint32_t hard_links = 1;    ///< names that the same file has
  bool operator==(const Place&) const = default;
};

struct FileFacts {
  std::string path;
  bool exists = true;
  Known<std::uint64_t> size_bytes;
  Known<std::string> sha256;
  Known<PeFile> structure;
  Known<Signature> signature;
  Known<Place> place;
  Known<std::int64_t> modified_s;      ///< seconds since 1970
  Known<std::uint32_t> internet_zone;  ///< of the mark of the web; 0: no mark
  bool operator==(const FileFacts&) const = default;
};

/// One driver as the registry lists it.
struct Registration {
  std::string name, clsid, description;
  std::string path;       ///< of the COM server, expanded
  bool view_32 = false;   ///< registered for 32-bit programs
  bool per_user = false;  ///< the class is overridden by the user's own registry
  bool operator==(const Registration&) const = default;
};

enum class DuplicateKind {
  same_file_name,  ///< another driver's file of the same name, in another folder
  similar_name,    ///< another driver whose name differs only by blanks, case or look-alikes
  same_class_other_file
};

struct Duplicate {
  DuplicateKind kind = DuplicateKind::same_file_name;
  Registration other;
  Known<bool> same_content;  ///< by SHA-256
  bool operator==(const Duplicate&) const = default;
};

enum class PersistenceKind {
  run_key,
  startup_folder,
  service,
  scheduled_task,
  image_hijack,  ///< a debugger that the system starts in the program's place
  injected       ///< loaded into programs that have nothing to do with it
};

/// One thing besides the driver's registration that makes the system load or start the file.
struct Persistence {
  PersistenceKind kind = PersistenceKind::run_key;
  std::string where;    ///< key and value, service name or task file
  std::string command;  ///< with its variables expanded
  bool operator==(const Persistence&) const = default;
};

/// All that was found, and what could not be looked at ("the scheduled tasks: ...").
struct PersistenceScan {
  std::vector<Persistence> found;
  std::vector<std::string> not_seen;
  bool operator==(const PersistenceScan&) const = default;
};

struct Module {
  std::string path;
  Known<std::uint32_t> signature_code;
  PlaceKind place = PlaceKind::other;
  bool operator==(const Module&) const = default;
};

struct Connection {
  std::string protocol;       ///< "TCP" or "UDP"
  std::string local, remote;  ///< address:port; remote is empty for UDP and for listeners
  bool listening = false;
  bool operator==(const Connection&) const = default;
};

struct Processor {
  double percent = 0;  ///< of one processor
  std::uint32_t sample_ms = 0;
  bool operator==(const Processor&) const = default;
};

struct ProcessFacts {
  std::uint32_t id = 0;
  Known<std::vector<Module>> modules;
  Known<std::vector<Connection>> connections;
  Known<Processor> processor;
  Known<std::uint32_t> clients;  ///< programs that the service serves; known for our own only
  bool operator==(const ProcessFacts&) const = default;
};

/// One subject: a file, with what is registered for it and, for a process, what that does.
struct Facts {
  std::string subject;             ///< as it was asked for
  std::string recorded_on;         ///< "Windows 10.0.19045", "Wine 8.0", "Linux"
  std::int64_t recorded_at_s = 0;  ///< seconds since 1970
  FileFacts file;
  /// That lead to this file, and those of the user that lead its drivers elsewhere.
  Known<std::vector<Registration>> registrations;
  Known<std::vector<Duplicate>> duplicates;
  Known<PersistenceScan> persistence;
  std::vector<ProcessFacts> process;  ///< one for a process, none otherwise
  bool operator==(const Facts&) const = default;
};

}  // namespace asiodrv::trust
