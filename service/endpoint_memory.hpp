// What the sound devices were that a configuration names by their ids. An id changes when a driver
// is installed anew, so that what it belonged to is recognised by the rest, also by a service that
// has never seen it. Kept in endpoints.json between two lives of the service:
//
//   {"version": 1,
//    "endpoints": [{"direction": "output", "configured": "{0.0.0...", "id": "{0.0.0...",
//                   "name": "Speakers (2- Box)", "description": "Speakers", "adapter": "2- Box",
//                   "container": "{...}"}]}
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "devices/wasapi/endpoints.hpp"

namespace asiodrv::service {

struct RememberedEndpoint {
  devices::wasapi::Flow flow = devices::wasapi::Flow::render;
  std::string configured;                 ///< the id that the configuration has
  devices::wasapi::EndpointIdentity now;  ///< as it was seen last; its id may be another
  bool operator==(const RememberedEndpoint&) const = default;
};

/// A plain value. Control threads, one at a time.
class EndpointMemory {
 public:
  static constexpr std::size_t kMost = 64;  ///< far more than a configuration names

  [[nodiscard]] const std::vector<RememberedEndpoint>& all() const noexcept { return all_; }
  /// Null for one that was never seen. Valid until the next note().
  [[nodiscard]] const RememberedEndpoint* find(devices::wasapi::Flow flow,
                                               const std::string& configured) const noexcept;
  /// Takes its namesake's place; beyond kMost the one that was noted longest ago is forgotten. What
  /// could not be read again (a text beyond the limit of names) is left out. Whether it was news.
  bool note(RememberedEndpoint endpoint);

  [[nodiscard]] nlohmann::json to_json() const;
  /// Judges everything. `what` names the source in errors. Errors: malformed, naming the entry, the
  /// member and what is accepted.
  [[nodiscard]] static Result<EndpointMemory> from_json(const nlohmann::json& document,
                                                        std::string_view what);

 private:
  std::vector<RememberedEndpoint> all_;  // noted longest ago first
};

struct LoadedEndpoints {
  EndpointMemory memory;  ///< empty when there is no file, or none that can be used
  std::string warning;    ///< what happened to a file that cannot be used; or empty
  bool keep = true;       ///< false: the file must not be written over
};

/// Reads the file at `path` (UTF-8), which may be missing. A damaged one is renamed to PATH.bad.
/// Control thread; blocks on the disk.
[[nodiscard]] LoadedEndpoints load_endpoints(const std::string& path);

/// Errors: those of write_json_file. Control thread; blocks on the disk.
[[nodiscard]] Result<> save_endpoints(const std::string& path, const EndpointMemory& memory);

}  // namespace asiodrv::service
