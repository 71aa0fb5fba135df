// Reads program files (PE: EXE and DLL) that nobody vouches for. Every offset and count is checked
// against the bytes that are there; loops are bounded; nothing is executed, mapped or modified.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace asiodrv::trust {

inline constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxSections = 96;  // what Windows loads
inline constexpr std::size_t kMaxNames = 4096;   // imported libraries, exported functions

/// The texts of the version resource, of its first language; empty where there is none.
struct VersionTexts {
  std::string company, product, description, file_version, original_name;
  bool operator==(const VersionTexts&) const = default;
};

/// The attribute certificate table and the signature in it. See the reference of the format
/// (WIN_CERTIFICATE) and CVE-2013-3900 for what must not be there.
struct CertificateTable {
  std::uint32_t entries = 0;            ///< signatures side by side, by their signers; 0: none
  bool truncated = false;               ///< an entry or the table goes beyond its end
  bool misaligned = false;              ///< it does not begin on 8 bytes
  std::uint64_t bytes_after_table = 0;  ///< appended to the file behind it
  bool unknown_type = false;            ///< an entry that is no PKCS#7 signature, revision 2
  bool unreadable = false;              ///< the signature breaks its own format
  bool data_in_padding = false;         ///< more than 7 bytes, or not zero, behind the signature
  std::vector<std::string> unknown_attributes;  ///< object identifiers of unsigned attributes
  std::uint32_t nested_signatures = 0;
  bool timestamped = false;
  bool operator==(const CertificateTable&) const = default;
};

struct PeFile {
  std::uint16_t machine = 0;  ///< 0x8664, 0x14C, 0xAA64
  bool is_64 = false;
  bool is_library = false;
  bool sections_overlap = false;     ///< in the file or in memory
  bool sections_beyond_end = false;  ///< the file is shorter than its own headers say
  std::uint64_t overlay_bytes = 0;   ///< behind the sections, covered by a signature
  std::vector<std::string> imports;  ///< libraries, lower case, delayed ones too
  bool exports_com_server = false;   ///< DllGetClassObject
  bool tables_damaged = false;       ///< imports, exports or resources point nowhere
  VersionTexts version;
  std::string version_number;   ///< "1.2.3.0", which installers compare; empty: none
  bool several_makers = false;  ///< another language names another company
  CertificateTable certificates;
  bool operator==(const PeFile&) const = default;
};

/// Errors: malformed (not a PE file: which header is wrong), limit_reached (too large).
[[nodiscard]] Result<PeFile> parse_pe(std::span<const std::byte> file);

/// "64-bit (x64)", or the number.
[[nodiscard]] std::string machine_name(std::uint16_t machine);

}  // namespace asiodrv::trust
