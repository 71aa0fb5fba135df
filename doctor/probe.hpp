// Loading a driver where it can do no harm: in a process of its own, which is ended when it takes
// too long. For 64-bit drivers the process is this program again, with the hidden option
// --probe-child; for 32-bit ones it is the asio-host.exe for x86 that is installed with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "doctor/facts.hpp"

namespace asiodrv::doctor {

/// Loads the driver of a CLSID into a program of `bits`; `initialise`: also calls its init, as a
/// program would. Blocks for `limit` at most, then the process and all that it has started are
/// ended. Not known when Windows starts no such process, there is no such program, or the class is
/// none. Windows only.
[[nodiscard]] Known<ProbeResult> probe_driver(const std::string& driver_class, unsigned bits,
                                              bool initialise, nanoseconds limit);

/// Which program loads a driver, and with which arguments. Error: why there is none (not_found).
struct ProbeProgram {
  std::string path;
  std::vector<std::string> arguments;
};
/// `program_path`: of this program, of version `version`. Blocks on the disk.
[[nodiscard]] Result<ProbeProgram> probe_program(const std::string& program_path,
                                                 const std::string& version,
                                                 const std::string& driver_class, unsigned bits,
                                                 bool initialise);

/// What the started process does; writes one line to the standard output. The exit code means
/// nothing. Implemented per system.
int run_probe_child(const std::string& driver_class, bool initialise);

/// "{01234567-89AB-CDEF-0123-456789ABCDEF}"; the registry may say anything.
[[nodiscard]] bool is_class_id(std::string_view text) noexcept;

/// What a process that was started for a probe has left behind. `finished`: it ended by itself.
/// `code`: its exit code. `output`: what it wrote last, anything at all; its last line counts.
[[nodiscard]] ProbeResult judge_probe(bool finished, std::uint32_t code, const std::string& output,
                                      nanoseconds limit);

}  // namespace asiodrv::doctor
