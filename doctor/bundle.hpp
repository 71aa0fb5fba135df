// What helps somebody else to find out why there is no sound, in one file, without anything about
// the person whose machine it is.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "doctor/diagnose.hpp"
#include "doctor/privacy.hpp"
#include "doctor/repair.hpp"

namespace asiodrv::doctor {

struct BundleContents {
  std::string report;         ///< as text
  std::string findings;       ///< report_json
  std::string configuration;  ///< the file; "" none
  std::string flight;         ///< the flight record as JSON, or a sentence why there is none
  std::string versions;
  std::string log;  ///< its end; "" none
};

/// The report as text with its parts scrubbed before they are broken into lines: a name of two
/// words may stand on two lines.
[[nodiscard]] std::string report_for_others(Facts facts, Diagnosis diagnosis,
                                            std::vector<Repair> repairs, const Scrubber& scrubber);

/// The archive's bytes: README.txt, report.txt, findings.json, config.toml, flight.json,
/// versions.txt, log.txt, each through `scrubber`. Errors: limit_reached.
[[nodiscard]] Result<std::string> make_bundle(const BundleContents& contents,
                                              const Scrubber& scrubber);

/// The last `bytes` of the file at `path` (UTF-8), from the beginning of a line; "" when it cannot
/// be read.
[[nodiscard]] std::string end_of_file(const std::string& path, std::size_t bytes);

/// Lines of "what: version": this program, the driver files, the service, the system.
[[nodiscard]] std::string versions_text(const Facts& facts);

}  // namespace asiodrv::doctor
