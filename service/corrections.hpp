// What calibrations have found out about devices: how much longer a round trip takes than the
// device says, for each rate, period and mode. Kept in calibration.json between two lives of the
// service:
//
//   {"version": 1,
//    "corrections": [{"device": "...", "name": "...", "mode": "", "rate_hz": 48000,
//                     "period_frames": 64, "correction_frames": 123.4}]}
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "core/ports/device.hpp"

namespace asiodrv::service {

/// What one correction holds for, and nothing else: converters, drivers and systems keep other
/// amounts at other formats.
struct CorrectionKey {
  std::string device;  ///< DeviceInfo::id
  std::string mode;    ///< Device::mode()
  SampleRate rate{};
  Frames period{};
  bool operator==(const CorrectionKey&) const = default;
};

struct Correction {
  CorrectionKey key;
  std::string name;   ///< of the device, for people
  double frames = 0;  ///< measured round trip less the one that the device accounts for
};

/// A plain value. Control threads, one at a time.
class Corrections {
 public:
  static constexpr std::size_t kMost = 4096;
  static constexpr double kLargest = 1 << 20;  ///< frames, either way

  [[nodiscard]] const std::vector<Correction>& all() const noexcept { return all_; }
  /// Null when nothing is known.
  [[nodiscard]] const Correction* find(const CorrectionKey& key) const noexcept;

  /// Adds it, or takes its namesake's place. Errors: invalid_argument (frames not within kLargest),
  /// limit_reached.
  [[nodiscard]] Result<> set(Correction correction);
  /// All of `device`, or those at one rate or period of it (0: any). How many there were.
  std::size_t forget(const std::string& device, SampleRate rate, Frames period);

  [[nodiscard]] nlohmann::json to_json() const;
  /// Judges everything. `what` names the source in errors. Errors: malformed, naming the entry, the
  /// member and what is accepted.
  [[nodiscard]] static Result<Corrections> from_json(const nlohmann::json& document,
                                                     std::string_view what);

 private:
  std::vector<Correction> all_;
};

/// What a device reports, and what was measured besides. A cable tells the sum alone, so each
/// direction gets half of the correction, rounded to whole frames, the output the odd one; but
/// neither becomes negative: what one cannot give the other does, and what both cannot is left.
[[nodiscard]] ports::DeviceLatency corrected(const ports::DeviceLatency& reported,
                                             double correction_frames) noexcept;

struct LoadedCorrections {
  Corrections corrections;  ///< empty when there is no file, or none that can be used
  std::string warning;      ///< what happened to a file that cannot be used; or empty
  bool keep = true;         ///< false: the file must not be written over
};

/// Reads the file at `path` (UTF-8), which may be missing. A damaged one is renamed to PATH.bad.
/// Control thread; blocks on the disk.
[[nodiscard]] LoadedCorrections load_corrections(const std::string& path);

/// Errors: those of write_json_file. Control thread; blocks on the disk.
[[nodiscard]] Result<> save_corrections(const std::string& path, const Corrections& corrections);

}  // namespace asiodrv::service
