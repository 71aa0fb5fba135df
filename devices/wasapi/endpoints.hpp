// Which endpoints there are. Listing is harmless: properties are read, and where that is wanted
// clients asked for their mix format; no stream is ever made.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "devices/wasapi/com.hpp"
#include "devices/wasapi/formats.hpp"

namespace asiodrv::devices::wasapi {

/// What a remembered endpoint is recognised by; see match_endpoint. UTF-8; empty: not known.
struct EndpointIdentity {
  std::string id;           ///< opaque; changes when the driver is installed anew
  std::string name;         ///< "Speakers (2- Adapter)"
  std::string description;  ///< "Speakers"
  std::string adapter;      ///< "2- Adapter"
  std::string container;    ///< the box that the endpoint is part of, "{...}"
  bool operator==(const EndpointIdentity&) const = default;
};

struct EndpointInfo : EndpointIdentity {
  Flow flow = Flow::render;
  std::uint32_t form_factor = 10;      ///< of Windows: 1 speakers, 3 headphones, 4 microphone, ...
  std::uint32_t state = 0;             ///< one of DeviceState
  bool is_default = false;             ///< of its flow, for the role "console"
  std::string usb;                     ///< vendor and product, "1234:5678"; empty: not on USB
  std::optional<StreamFormat> mix;     ///< of the shared mixer; active ones, if drivers were asked
  std::optional<StreamFormat> chosen;  ///< in Windows' sound settings

  [[nodiscard]] bool active() const noexcept { return state == kActive; }
};

/// Who is asked for a list.
enum class Asked {
  windows,  ///< alone: what it keeps of each endpoint, without the mixers' formats
  drivers   ///< of all active endpoints, too; some take long, and one may hang
};

/// All endpoints of both directions, active or not: render first, in the system's order. Any
/// thread that may block. Errors: those of the creation of the enumerator and of the enumeration;
/// an endpoint that leaves meanwhile is left out.
[[nodiscard]] Result<std::vector<EndpointInfo>> list_endpoints(System& system,
                                                               Asked whom = Asked::drivers);

/// The id of the default endpoint of `flow`; empty: there is none, or it cannot be asked. Control
/// threads with COM.
[[nodiscard]] std::string default_endpoint_id(System& system, MmDeviceEnumerator& enumerator,
                                              Flow flow);

enum class MatchedBy {
  id,
  container,  ///< the same part of the same box, after a driver update
  name,       ///< the same name but for the number that Windows puts before the adapter's
  nothing
};

struct EndpointMatch {
  const EndpointInfo* endpoint = nullptr;  ///< one of those given
  MatchedBy by = MatchedBy::nothing;
  std::string why;  ///< a sentence
};

/// The endpoint of `flow` that `remembered` means: by id, else by container and description, else
/// by name; an active one before others. What fits two active endpoints alike fits none. An id that
/// is listed as not present gives way to an active endpoint with its container and description.
[[nodiscard]] EndpointMatch match_endpoint(std::span<const EndpointInfo> endpoints, Flow flow,
                                           const EndpointIdentity& remembered);

/// The endpoint of `flow` that a configured text means: "default", an id (as match_endpoint has
/// it), a name (whole name or description, without regard to case in ASCII; else the whole name but
/// for the number that Windows puts before the adapter's), or "usb:1234:5678,1234:9abc", the first
/// of these interfaces that is there, and of its endpoints the default one, else the first. Errors:
/// not_found, with the names there are; invalid_argument for a name that several active endpoints
/// have.
[[nodiscard]] Result<const EndpointInfo*> choose_endpoint(std::span<const EndpointInfo> endpoints,
                                                          Flow flow, const std::string& text);

/// "1234:5678" of a path in the device tree, in lower case; empty for one that is not on USB.
[[nodiscard]] std::string usb_numbers(const std::string& adapter_path);

/// The name without the "2- " before the adapter's: "Speakers (2- Adapter)" is "Speakers
/// (Adapter)".
[[nodiscard]] std::string name_without_number(const std::string& name);

}  // namespace asiodrv::devices::wasapi
