// What the file is made of, and what lies in it besides what a signature covers.
#include <fmt/format.h>

#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"

namespace asiodrv::trust {
namespace {

/// Letters and digits of a name without what only tells bitness or build apart.
std::string plain_stem(const std::string& name) {
  std::string stem = folded(name);
  if (const std::size_t dot = stem.rfind('.'); dot != std::string::npos) stem.resize(dot);
  for (const char* const part : {"x86_64", "x64", "x86", "amd64", "win32", "win64", "64", "32"}) {
    for (std::size_t at = stem.find(part); at != std::string::npos; at = stem.find(part)) {
      stem.erase(at, std::string(part).size());
    }
  }
  return skeleton(stem);
}

void judge_claims(const Facts& facts, const PeFile& pe, Findings& findings) {
  const std::string name = file_name_of(facts.file.path);
  const std::string was = plain_stem(pe.version.original_name);
  const std::string is = plain_stem(name);
  const bool alike = was.empty() || is.empty() || was.find(is) != std::string::npos ||
                     is.find(was) != std::string::npos;
  if (!alike) {
    findings.add(Severity::suspicious, "renamed_program",
                 fmt::format("The file is named \"{}\", and was made as \"{}\".", shown(name),
                             shown(pe.version.original_name)),
                 "Harmful programs take well-known names.",
                 "Ask the vendor whether the driver contains a file of this name.");
  }
  if (pe.several_makers) {
    findings.add(Severity::suspicious, "several_makers",
                 "The file names one maker in one language, and another in another.",
                 "Whom it names to you need not be whom it was compared with.",
                 "Ask the vendor whether the file is theirs; until then do not use it.");
  }
  if (!pe.version.product.empty() || !pe.version.company.empty()) {
    findings.add(
        Severity::note, "what_it_says",
        fmt::format(
            "It says that it is \"{}\" {} by \"{}\", {}.", shown(pe.version.product),
            shown(pe.version.file_version.empty() ? pe.version_number : pe.version.file_version),
            shown(pe.version.company), machine_name(pe.machine)));
  } else {
    findings.add(Severity::note, "says_nothing",
                 fmt::format("It says nothing about itself: no version information ({}).",
                             machine_name(pe.machine)));
  }
}

void judge_extras(const CertificateTable& table, Findings& findings) {
  constexpr const char* kNotCovered =
      "The signature does not cover it: it was, or could be, added by anybody afterwards.";
  constexpr const char* kCompare =
      "Compare the file's SHA-256 with the vendor's, or install it again from the vendor's site.";
  if (table.bytes_after_table > 0) {
    findings.add(
        Severity::dangerous, "bytes_after_signature",
        fmt::format("{} bytes were appended behind the signature.", table.bytes_after_table),
        kNotCovered, kCompare);
  }
  if (table.data_in_padding) {
    findings.add(Severity::suspicious, "data_in_padding",
                 "There is data in the filling behind the signature.", kNotCovered, kCompare);
  }
  if (!table.unknown_attributes.empty()) {
    findings.add(Severity::suspicious, "extra_unsigned_data",
                 fmt::format("The signature carries unsigned data of its own kind ({}).",
                             shown(table.unknown_attributes.front())),
                 kNotCovered, kCompare);
  }
  if (table.nested_signatures > 0) {
    findings.add(Severity::note, "nested_signatures",
                 fmt::format("The signature holds {} more; only the outer one is checked.",
                             table.nested_signatures));
  }
  if (table.entries > 1) {
    findings.add(Severity::suspicious, "several_certificates",
                 fmt::format("The file has {} signatures side by side; only the first is checked.",
                             table.entries),
                 "The others could hold anything.", kCompare);
  }
  if (table.truncated || table.unreadable || table.unknown_type || table.misaligned) {
    findings.add(Severity::suspicious, "certificate_table_broken",
                 "The part of the file that holds its signature is damaged.",
                 "An incomplete download looks like that, and so does a file that somebody has "
                 "worked on.",
                 "Download and install it again.");
  }
}

}  // namespace

void judge_structure(const Facts& facts, Findings& findings) {
  if (!facts.file.structure) {
    findings.add(Severity::unknown, "structure_unknown",
                 fmt::format("The file could not be looked into: {}.",
                             shown(facts.file.structure.why_not())),
                 "A driver that cannot be read cannot be judged.",
                 "Run the command with an account that may read the file, and check that it is a "
                 "Windows program.");
    return;
  }
  const PeFile& pe = *facts.file.structure;
  judge_claims(facts, pe, findings);
  judge_extras(pe.certificates, findings);
  if (pe.sections_overlap || pe.sections_beyond_end) {
    findings.add(Severity::suspicious, "sections_broken",
                 pe.sections_overlap ? "Parts of the program overlap each other."
                                     : "The file is shorter than its own headers say.",
                 "No compiler makes such files; damage does, and so do tools that hide code.",
                 "Download and install it again.");
  }
  if (pe.overlay_bytes > 0) {
    findings.add(Severity::note, "overlay",
                 fmt::format("{} bytes lie behind the program's sections (a signature covers "
                             "them).",
                             pe.overlay_bytes));
  }
  if (pe.tables_damaged) {
    findings.add(Severity::note, "tables_damaged",
                 "Its tables of imports, exports or texts lead nowhere in places.");
  }
}

}  // namespace asiodrv::trust
