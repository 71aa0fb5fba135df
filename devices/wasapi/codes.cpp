#include "devices/wasapi/codes.hpp"

#include <fmt/format.h>

#include <array>

namespace asiodrv::devices::wasapi {
namespace {

struct Known {
  Hr code;
  const char* name;
  ErrorCode meaning;
  const char* sentence;  // why, and what to do next
};

constexpr const char* kGone = "the device has left, or its format was changed. Plug it in again.";
constexpr const char* kRefused = "the device refuses this format. Choose another rate or period.";
constexpr const char* kOurs = "Windows refused a call. Choose the mode \"shared\" and report this.";

constexpr const char* kSpatial =
    "spatial sound is in the way. Switch it off for this device in Windows' sound settings.";

constexpr std::array kKnown{
    Known{kNotFound, "ERROR_NOT_FOUND", ErrorCode::not_found,
          "there is no such device. List the devices to see the names that are accepted."},
    Known{kAccessDenied, "E_ACCESSDENIED", ErrorCode::access_denied,
          "Windows does not let desktop programs use the microphone. Allow it under Settings, "
          "Privacy, Microphone."},
    Known{kDeviceInUse, "AUDCLNT_E_DEVICE_IN_USE", ErrorCode::device_busy,
          "another program holds the device for itself. Close that program."},
    Known{kExclusiveNotAllowed, "AUDCLNT_E_EXCLUSIVE_MODE_NOT_ALLOWED", ErrorCode::access_denied,
          "exclusive use is switched off for this device. Allow it under its properties, "
          "Advanced, in Windows' sound settings."},
    Known{kDeviceInvalidated, "AUDCLNT_E_DEVICE_INVALIDATED", ErrorCode::device_gone, kGone},
    Known{kResourcesInvalidated, "AUDCLNT_E_RESOURCES_INVALIDATED", ErrorCode::device_gone, kGone},
    Known{kNotReady, "ERROR_NOT_READY", ErrorCode::device_gone, kGone},
    Known{kGeneralFailure, "ERROR_GEN_FAILURE", ErrorCode::device_gone, kGone},
    Known{kBadHandle, "E_HANDLE", ErrorCode::device_gone, kGone},
    Known{kServiceNotRunning, "AUDCLNT_E_SERVICE_NOT_RUNNING", ErrorCode::device_gone,
          "the Windows Audio service does not run. Start it, or wait until it is back."},
    Known{kUnsupportedFormat, "AUDCLNT_E_UNSUPPORTED_FORMAT", ErrorCode::format_refused, kRefused},
    Known{kEndpointCreateFailed, "AUDCLNT_E_ENDPOINT_CREATE_FAILED", ErrorCode::format_refused,
          kRefused},
    Known{kInvalidPeriod, "AUDCLNT_E_INVALID_DEVICE_PERIOD", ErrorCode::format_refused, kRefused},
    Known{kBufferSizeError, "AUDCLNT_E_BUFFER_SIZE_ERROR", ErrorCode::format_refused, kRefused},
    Known{kNotAligned, "AUDCLNT_E_BUFFER_SIZE_NOT_ALIGNED", ErrorCode::format_refused, kRefused},
    Known{kPeriodicityLocked, "AUDCLNT_E_ENGINE_PERIODICITY_LOCKED", ErrorCode::format_refused,
          "another program holds Windows' mixer at another period. Choose that period, or close "
          "that program."},
    Known{kFormatLocked, "AUDCLNT_E_ENGINE_FORMAT_LOCKED", ErrorCode::format_refused,
          "another program holds Windows' mixer at another format. Close that program."},
    Known{kExclusiveOnly, "AUDCLNT_E_EXCLUSIVE_MODE_ONLY", ErrorCode::unsupported,
          "the device has no shared mode. Choose the mode \"exclusive\"."},
    Known{kCpuUsageExceeded, "AUDCLNT_E_CPUUSAGE_EXCEEDED", ErrorCode::limit_reached,
          "Windows' mixer has no time left for another stream. Close other programs."},
    Known{kOutOfMemory, "E_OUTOFMEMORY", ErrorCode::out_of_memory,
          "Windows has no memory for it. Choose a smaller period."},
    Known{kNotImplemented, "E_NOTIMPL", ErrorCode::unsupported,
          "this Windows does not have it. Choose the mode \"shared\"."},
    Known{kNoInterface, "E_NOINTERFACE", ErrorCode::unsupported,
          "this Windows does not have it. Choose the mode \"shared\"."},
    Known{kClassNotRegistered, "REGDB_E_CLASSNOTREG", ErrorCode::unsupported,
          "this Windows has no sound system. Install its media features."},
    Known{kComNotInitialized, "CO_E_NOTINITIALIZED", ErrorCode::internal, kOurs},
    Known{kInvalidArgument, "E_INVALIDARG", ErrorCode::internal, kOurs},
    Known{kPointer, "E_POINTER", ErrorCode::internal, kOurs},
    Known{kUnexpected, "E_UNEXPECTED", ErrorCode::internal, kOurs},
    Known{kInvalidName, "ERROR_INVALID_NAME", ErrorCode::internal, kOurs},
    Known{kNotInitialized, "AUDCLNT_E_NOT_INITIALIZED", ErrorCode::internal, kOurs},
    Known{kAlreadyInitialized, "AUDCLNT_E_ALREADY_INITIALIZED", ErrorCode::internal, kOurs},
    Known{kWrongEndpointType, "AUDCLNT_E_WRONG_ENDPOINT_TYPE", ErrorCode::internal, kOurs},
    Known{kNotStopped, "AUDCLNT_E_NOT_STOPPED", ErrorCode::internal, kOurs},
    Known{kBufferTooLarge, "AUDCLNT_E_BUFFER_TOO_LARGE", ErrorCode::internal, kOurs},
    Known{kOutOfOrder, "AUDCLNT_E_OUT_OF_ORDER", ErrorCode::internal, kOurs},
    Known{kInvalidSize, "AUDCLNT_E_INVALID_SIZE", ErrorCode::internal, kOurs},
    Known{kBufferOperationPending, "AUDCLNT_E_BUFFER_OPERATION_PENDING", ErrorCode::internal,
          kOurs},
    Known{kEventNotExpected, "AUDCLNT_E_EVENTHANDLE_NOT_EXPECTED", ErrorCode::internal, kOurs},
    Known{kEventNotSet, "AUDCLNT_E_EVENTHANDLE_NOT_SET", ErrorCode::internal, kOurs},
    Known{kDurationPeriodNotEqual, "AUDCLNT_E_BUFDURATION_PERIOD_NOT_EQUAL", ErrorCode::internal,
          kOurs},
    Known{kBufferError, "AUDCLNT_E_BUFFER_ERROR", ErrorCode::device_gone, kGone},
    Known{kInvalidStreamFlag, "AUDCLNT_E_INVALID_STREAM_FLAG", ErrorCode::internal, kOurs},
    Known{kRawModeUnsupported, "AUDCLNT_E_RAW_MODE_UNSUPPORTED", ErrorCode::unsupported, kOurs},
    Known{kHeadtrackingEnabled, "AUDCLNT_E_HEADTRACKING_ENABLED", ErrorCode::unsupported, kSpatial},
    Known{kHeadtrackingUnsupported, "AUDCLNT_E_HEADTRACKING_UNSUPPORTED", ErrorCode::unsupported,
          kSpatial},
    // Of features that are never asked for; one that comes all the same is a fault of ours.
    Known{kNoEventSeen, "0x887C004E", ErrorCode::internal, kOurs},
    Known{kThreadNotRegistered, "AUDCLNT_E_THREAD_NOT_REGISTERED", ErrorCode::internal, kOurs},
    Known{kIncorrectBufferSize, "AUDCLNT_E_INCORRECT_BUFFER_SIZE", ErrorCode::internal, kOurs},
    Known{kOffloadNotCapable, "AUDCLNT_E_ENDPOINT_OFFLOAD_NOT_CAPABLE", ErrorCode::internal, kOurs},
    Known{kOutOfOffloadResources, "AUDCLNT_E_OUT_OF_OFFLOAD_RESOURCES", ErrorCode::internal, kOurs},
    Known{kOffloadModeOnly, "AUDCLNT_E_OFFLOAD_MODE_ONLY", ErrorCode::internal, kOurs},
    Known{kNonOffloadModeOnly, "AUDCLNT_E_NONOFFLOAD_MODE_ONLY", ErrorCode::internal, kOurs},
    Known{kEffectNotAvailable, "AUDCLNT_E_EFFECT_NOT_AVAILABLE", ErrorCode::internal, kOurs},
    Known{kEffectStateReadOnly, "AUDCLNT_E_EFFECT_STATE_READ_ONLY", ErrorCode::internal, kOurs},
    Known{kLoopbackUnsupported, "AUDCLNT_E_POST_VOLUME_LOOPBACK_UNSUPPORTED", ErrorCode::internal,
          kOurs},
};

const Known* find(Hr code) noexcept {
  for (const Known& known : kKnown) {
    if (known.code == code) return &known;
  }
  return nullptr;
}

}  // namespace

std::string code_name(Hr code) {
  if (const Known* known = find(code)) return known->name;
  return fmt::format("0x{:08X}", static_cast<std::uint32_t>(code));
}

ErrorCode error_code_of(Hr code) noexcept {
  const Known* known = find(code);
  return known != nullptr ? known->meaning : ErrorCode::internal;
}

Error describe(Hr code, const std::string& what) {
  const Known* known = find(code);
  return {error_code_of(code),
          fmt::format("{}: {} ({})", what, known != nullptr ? known->sentence : kOurs,
                      code_name(code))};
}

}  // namespace asiodrv::devices::wasapi
