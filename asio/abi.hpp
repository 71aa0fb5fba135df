// The binary interface between an ASIO host and an ASIO driver: numbers, layouts and slot order.
// Written from documented facts; each layout is proven by a static_assert on every target.
//
// All integers that a host calls `long` are 32 bits on every target of ours. Structures are packed
// to 4 bytes. 64-bit quantities are two 32-bit words, the high one first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/product.hpp"

#if defined(_WIN32) && defined(__i386__)
#define ASIO_METHOD __thiscall  // hosts are built with a compiler whose member default it is
#define ASIO_COM_METHOD __stdcall
#define ASIO_CALLBACK __cdecl
#else
#define ASIO_METHOD
#define ASIO_COM_METHOD
#define ASIO_CALLBACK
#endif

namespace asiodrv::asio {

/// What every method but init and the name getters returns.
enum AsioError : std::int32_t {
  kOk = 0,
  kFutureSuccess = 0x3f4847a0,  ///< success of future(), and of nothing else
  kNotPresent = -1000,
  kHardwareMalfunction = -999,
  kInvalidParameter = -998,
  kInvalidMode = -997,
  kPositionNotAdvancing = -996,
  kNoClock = -995,
  kNoMemory = -994
};

/// Sample types that our drivers and hosts use; others exist and are named by number.
enum AsioSampleType : std::int32_t {
  kInt16Lsb = 16,
  kInt24Lsb = 17,
  kInt32Lsb = 18,
  kFloat32Lsb = 19,
  kFloat64Lsb = 20
};

/// Selectors of Callbacks::message, driver to host.
enum MessageSelector : std::int32_t {
  kSelectorSupported = 1,
  kEngineVersion = 2,
  kResetRequest = 3,
  kBufferSizeChange = 4,
  kResyncRequest = 5,
  kLatenciesChanged = 6,
  kSupportsTimeInfo = 7,
  kSupportsTimeCode = 8,
  kSupportsInputMonitor = 10,
  kOverload = 15
};

/// Selectors of AsioDriver::future, host to driver.
enum FutureSelector : std::int32_t {
  kEnableTimeCodeRead = 1,
  kDisableTimeCodeRead = 2,
  kSetInputMonitor = 3,
  kTransport = 4,
  kSetInputGain = 5,
  kGetInputMeter = 6,
  kSetOutputGain = 7,
  kGetOutputMeter = 8,
  kCanInputMonitor = 9,
  kCanTimeInfo = 10,
  kCanTimeCode = 11,
  kCanTransport = 12,
  kCanInputGain = 13,
  kCanInputMeter = 14,
  kCanOutputGain = 15,
  kCanOutputMeter = 16,
  kSetIoFormat = 0x23111961,
  kGetIoFormat = 0x23111983,
  kCanDoIoFormat = 0x23112004,
  kCanReportOverload = 0x24042012,
  kGetInternalBufferSamples = 0x25042012
};

/// Bits of TimeInfo::flags.
enum TimeInfoFlag : std::uint32_t {
  kSystemTimeValid = 1U << 0,
  kSamplePositionValid = 1U << 1,
  kSampleRateValid = 1U << 2,
  kSpeedValid = 1U << 3,
  kSampleRateChanged = 1U << 4,
  kClockSourceChanged = 1U << 5
};

inline constexpr std::int32_t kIoFormatPcm = 0;
inline constexpr std::int32_t kIoFormatInvalid = -1;
inline constexpr std::size_t kNameBytes = 32;           ///< including the terminating zero
inline constexpr std::size_t kErrorMessageBytes = 124;  ///< including the terminating zero

#pragma pack(push, 4)  // a literal: GCC ignores a macro here without a word

struct U64Pair {
  std::uint32_t high;
  std::uint32_t low;
};

struct ClockSource {
  std::int32_t index;
  std::int32_t channel;  ///< -1: not tied to a channel
  std::int32_t group;    ///< -1: not tied to a group
  std::int32_t is_current;
  char name[kNameBytes];
};

struct ChannelInfo {
  std::int32_t channel;   ///< in
  std::int32_t is_input;  ///< in
  std::int32_t is_active;
  std::int32_t group;
  std::int32_t type;
  char name[kNameBytes];
};

struct BufferInfo {
  std::int32_t is_input;  ///< in
  std::int32_t channel;   ///< in
  void* buffers[2];       ///< out: the two halves
};

struct TimeInfo {
  double speed;
  U64Pair system_time;      ///< nanoseconds in the epoch of timeGetTime
  U64Pair sample_position;  ///< frames since start
  double sample_rate;
  std::uint32_t flags;
  char reserved[12];
};

struct TimeCode {
  double speed;
  U64Pair samples;
  std::uint32_t flags;
  char reserved[64];
};

struct Time {
  std::int32_t reserved[4];
  TimeInfo info;
  TimeCode code;
};

struct Callbacks {
  void(ASIO_CALLBACK* buffer_switch)(std::int32_t half, std::int32_t direct_process);
  void(ASIO_CALLBACK* sample_rate_did_change)(double rate);
  std::int32_t(ASIO_CALLBACK* message)(std::int32_t selector, std::int32_t value, void* message,
                                       double* option);
  Time*(ASIO_CALLBACK* buffer_switch_time_info)(Time* time, std::int32_t half,
                                                std::int32_t direct_process);
};

struct InputMonitor {
  std::int32_t input;
  std::int32_t output;
  std::int32_t gain;
  std::int32_t state;
  std::int32_t pan;
};

struct ChannelControls {
  std::int32_t channel;
  std::int32_t is_input;
  std::int32_t gain;
  std::int32_t meter;
  char reserved[32];
};

struct TransportParameters {
  std::int32_t command;
  U64Pair sample_position;
  std::int32_t track;
  std::int32_t track_switches[16];
  char reserved[64];
};

struct IoFormat {
  std::int32_t format_type;
  char reserved[508];
};

struct InternalBufferInfo {
  std::int32_t input_samples;
  std::int32_t output_samples;
};

#pragma pack(pop)

constexpr U64Pair split64(std::uint64_t value) noexcept {
  return {static_cast<std::uint32_t>(value >> 32), static_cast<std::uint32_t>(value)};
}
constexpr std::uint64_t join64(U64Pair pair) noexcept {
  return (std::uint64_t{pair.high} << 32) | pair.low;
}

/// COM's identifier, laid out as Windows does. Also both CLSID and IID of a driver.
using Guid = ClassId;

/// The driver's methods in slot order. Slots 0 to 2 are COM's. No virtual destructor: it would
/// occupy two slots. The host owns one reference per QueryInterface or AddRef.
class AsioDriver {
 public:
  virtual std::int32_t ASIO_COM_METHOD QueryInterface(const Guid* iid, void** object) = 0;
  virtual std::uint32_t ASIO_COM_METHOD AddRef() = 0;
  virtual std::uint32_t ASIO_COM_METHOD Release() = 0;
  virtual std::int32_t ASIO_METHOD init(void* window) = 0;  ///< 1 = ok, 0 = failed
  virtual void ASIO_METHOD getDriverName(char* name) = 0;
  virtual std::int32_t ASIO_METHOD getDriverVersion() = 0;
  virtual void ASIO_METHOD getErrorMessage(char* message) = 0;
  virtual std::int32_t ASIO_METHOD start() = 0;
  virtual std::int32_t ASIO_METHOD stop() = 0;
  virtual std::int32_t ASIO_METHOD getChannels(std::int32_t* inputs, std::int32_t* outputs) = 0;
  virtual std::int32_t ASIO_METHOD getLatencies(std::int32_t* input, std::int32_t* output) = 0;
  virtual std::int32_t ASIO_METHOD getBufferSize(std::int32_t* minimum, std::int32_t* maximum,
                                                 std::int32_t* preferred,
                                                 std::int32_t* granularity) = 0;
  virtual std::int32_t ASIO_METHOD canSampleRate(double rate) = 0;
  virtual std::int32_t ASIO_METHOD getSampleRate(double* rate) = 0;
  virtual std::int32_t ASIO_METHOD setSampleRate(double rate) = 0;
  virtual std::int32_t ASIO_METHOD getClockSources(ClockSource* sources, std::int32_t* count) = 0;
  virtual std::int32_t ASIO_METHOD setClockSource(std::int32_t index) = 0;
  virtual std::int32_t ASIO_METHOD getSamplePosition(U64Pair* position, U64Pair* time) = 0;
  virtual std::int32_t ASIO_METHOD getChannelInfo(ChannelInfo* info) = 0;
  virtual std::int32_t ASIO_METHOD createBuffers(BufferInfo* infos, std::int32_t count,
                                                 std::int32_t frames, Callbacks* callbacks) = 0;
  virtual std::int32_t ASIO_METHOD disposeBuffers() = 0;
  virtual std::int32_t ASIO_METHOD controlPanel() = 0;
  virtual std::int32_t ASIO_METHOD future(std::int32_t selector, void* option) = 0;
  virtual std::int32_t ASIO_METHOD outputReady() = 0;

 protected:
  ~AsioDriver() = default;
};

static_assert(sizeof(U64Pair) == 8);
static_assert(sizeof(ClockSource) == 48 && offsetof(ClockSource, name) == 16);
static_assert(sizeof(ChannelInfo) == 52 && offsetof(ChannelInfo, name) == 20);
static_assert(sizeof(TimeInfo) == 48 && offsetof(TimeInfo, system_time) == 8);
static_assert(offsetof(TimeInfo, sample_position) == 16 && offsetof(TimeInfo, sample_rate) == 24);
static_assert(offsetof(TimeInfo, flags) == 32 && offsetof(TimeInfo, reserved) == 36);
static_assert(sizeof(TimeCode) == 84 && offsetof(TimeCode, samples) == 8);
static_assert(offsetof(TimeCode, flags) == 16 && offsetof(TimeCode, reserved) == 20);
static_assert(sizeof(Time) == 148 && offsetof(Time, info) == 16 && offsetof(Time, code) == 64);
static_assert(sizeof(InputMonitor) == 20 && offsetof(InputMonitor, pan) == 16);
static_assert(sizeof(ChannelControls) == 48 && offsetof(ChannelControls, reserved) == 16);
static_assert(sizeof(TransportParameters) == 144 && offsetof(TransportParameters, track) == 12);
static_assert(offsetof(TransportParameters, track_switches) == 16);
static_assert(offsetof(TransportParameters, reserved) == 80);
static_assert(sizeof(IoFormat) == 512 && sizeof(InternalBufferInfo) == 8);
static_assert(sizeof(BufferInfo) == 8 + 2 * sizeof(void*) && offsetof(BufferInfo, buffers) == 8);
static_assert(sizeof(Callbacks) == 4 * sizeof(void*));
static_assert(alignof(Time) == 4 && alignof(TimeInfo) == 4 && alignof(BufferInfo) == 4);
static_assert(sizeof(AsioDriver) == sizeof(void*));

}  // namespace asiodrv::asio
