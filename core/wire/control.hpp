// The control messages: what a client and the service say to each other, as typed values.
//
// On the stream each message is a 32-bit little-endian length, then that many bytes of JSON-RPC 2.0
// in UTF-8. Requests carry an integer id; notifications (service to client) carry none.
//
//   method            params            result              who
//   hello             HelloRequest      DriverDescription   the DLL; first message of a session
//   session.create    SessionRequest    SessionGrant        after hello
//   session.start     {}                {}
//   session.stop      {}                {}                  idempotent
//   session.dispose   {}                {}
//   rate.set          {"hz": n}         {}
//   clock.select      {"index": n}      {}
//   monitor.set       MonitorRequest    {}                  gone with the connection
//   gain.set          GainRequest       {}                  likewise
//   levels.get        {}                ChannelLevels
//   event             HostEvent         (notification)      service to DLL
//   status, flight.*, devices.list, config.*, shutdown: see service/driver_service.hpp
//
// An error is {"code": n, "message": text, "data": {"kind": error_name}}.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/sample_type.hpp"
#include "core/base/units.hpp"
#include "core/wire/buffer_sizes.hpp"

namespace asiodrv::wire {

inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr std::uint32_t kMaxMessageBytes = 256 * 1024;
inline constexpr std::size_t kMaxNameBytes = 256;  ///< any single name, UTF-8
/// A device that is made of several has all of their ids in its own.
inline constexpr std::size_t kMaxDeviceIdBytes = 16 * 1024;

/// `name` cut between two characters where it is longer than kMaxNameBytes: who makes devices may
/// give them any name, and one that is passed on must not be refused for it.
[[nodiscard]] std::string short_name(std::string name);

struct HelloRequest {
  std::uint32_t protocol = kProtocolVersion;
  std::string program;           ///< file name of the host process, for people
  std::uint32_t process_id = 0;  ///< as the client says; the service shows the system's own answer
  std::uint32_t bits = 64;
};

struct ClockSourceInfo {
  std::string name;
  bool current = false;
};

/// All that a host can ask before it creates buffers, so that probing costs one round trip and
/// touches no device.
struct DriverDescription {
  std::uint32_t protocol = kProtocolVersion;
  std::string service_version;
  std::string device_name;
  std::vector<std::string> input_names;
  std::vector<std::string> output_names;
  SampleType sample_type = SampleType::float32;
  std::vector<SampleRate> rates;                           ///< ascending, not empty
  SampleRate rate{};                                       ///< now; 0 = clock lost
  std::vector<BufferSizes> buffer_sizes;                   ///< one for each rate
  std::vector<ClockSourceInfo> clock_sources;              ///< not empty, exactly one current
  Frames device_input_latency{}, device_output_latency{};  ///< beyond the double buffer
  /// This host defers its processing beyond its callback: its output is taken one buffer later.
  bool deferred = false;
  /// The system's service manager leads the service: who stops it there means it.
  bool managed = false;

  /// At the rate now; at the last one while that is unknown. Needs the two lists to be as above.
  [[nodiscard]] const BufferSizes& sizes() const noexcept;
};

struct SessionRequest {
  Frames frames{};
  std::vector<std::uint32_t> inputs;  ///< device channels, in the order of the section
  std::vector<std::uint32_t> outputs;
};

struct SessionGrant {
  std::uint32_t session_id = 0;
  std::string region_token;
  std::uint32_t region_bytes = 0;
  SampleRate rate{};
  Frames input_latency{}, output_latency{};  ///< what getLatencies reports, double buffer included
  bool deferred = false;
};

/// Gains, pans and levels as hosts state them: whole numbers from 0 to kLevelMax.
inline constexpr std::uint32_t kLevelMax = 0x7FFF'FFFF;
inline constexpr std::uint32_t kUnityGain = 0x2000'0000;  ///< kLevelMax is +12 dB

/// Hear an input of the device at an output of it, without a program's help.
struct MonitorRequest {
  std::optional<std::uint32_t> input;  ///< nothing: all
  std::uint32_t output = 0;            ///< and the one after it, for the right side
  std::uint32_t gain = kUnityGain;
  std::uint32_t pan = 0;  ///< 0 left, kLevelMax right
  bool on = false;
};

/// How loud this program hears or plays one of its channels.
struct GainRequest {
  bool input = false;
  std::uint32_t channel = 0;  ///< as in SessionRequest
  std::uint32_t gain = kUnityGain;
};

/// Peaks of all channels that a session can ask for; kLevelMax is full scale.
struct ChannelLevels {
  std::vector<std::uint32_t> inputs, outputs;
};

enum class HostEventKind {
  reset_request,
  resync,
  latencies_changed,
  rate_changed,
  clock_changed,
  overload
};

struct HostEvent {
  HostEventKind kind = HostEventKind::reset_request;
  SampleRate rate{};                         ///< rate_changed; 0 = clock lost
  Frames input_latency{}, output_latency{};  ///< latencies_changed
};

/// Text of each value for people and back. Channel names of a description that are too many and too
/// long for one message are cut until they fit: 2 x 1024 of them do with 120 bytes each. The
/// parsers refuse (malformed) a missing or mistyped member, a name over kMaxNameBytes, a list over
/// kMaxChannels, a number outside its documented range; the message names the member. Unknown
/// members are ignored.
[[nodiscard]] nlohmann::json to_json(const HelloRequest&);
[[nodiscard]] nlohmann::json to_json(const DriverDescription&);
[[nodiscard]] nlohmann::json to_json(const SessionRequest&);
[[nodiscard]] nlohmann::json to_json(const SessionGrant&);
[[nodiscard]] nlohmann::json to_json(const MonitorRequest&);
[[nodiscard]] nlohmann::json to_json(const GainRequest&);
[[nodiscard]] nlohmann::json to_json(const ChannelLevels&);
[[nodiscard]] nlohmann::json to_json(const HostEvent&);
[[nodiscard]] Result<HelloRequest> parse_hello_request(const nlohmann::json&);
[[nodiscard]] Result<DriverDescription> parse_driver_description(const nlohmann::json&);
[[nodiscard]] Result<SessionRequest> parse_session_request(const nlohmann::json&);
[[nodiscard]] Result<SessionGrant> parse_session_grant(const nlohmann::json&);
[[nodiscard]] Result<MonitorRequest> parse_monitor_request(const nlohmann::json&);
[[nodiscard]] Result<GainRequest> parse_gain_request(const nlohmann::json&);
[[nodiscard]] Result<ChannelLevels> parse_channel_levels(const nlohmann::json&);
[[nodiscard]] Result<HostEvent> parse_host_event(const nlohmann::json&);

}  // namespace asiodrv::wire
