// The one place where our errors become numbers that an ASIO host understands.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "asio/abi.hpp"
#include "core/base/result.hpp"

namespace asiodrv::asio {

/// No `default:`: a new ErrorCode must decide here what hosts are told.
constexpr AsioError to_asio_error(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::not_found: return kNotPresent;
    case ErrorCode::already_exists: return kInvalidMode;
    case ErrorCode::access_denied: return kNotPresent;
    case ErrorCode::invalid_argument: return kInvalidParameter;
    case ErrorCode::invalid_state: return kInvalidMode;
    case ErrorCode::unsupported: return kNotPresent;
    case ErrorCode::out_of_memory: return kNoMemory;
    case ErrorCode::limit_reached: return kNoMemory;
    case ErrorCode::timed_out: return kHardwareMalfunction;
    case ErrorCode::disconnected: return kHardwareMalfunction;
    case ErrorCode::malformed: return kHardwareMalfunction;
    case ErrorCode::version_mismatch: return kNotPresent;
    case ErrorCode::device_gone: return kNotPresent;
    case ErrorCode::device_busy: return kHardwareMalfunction;
    case ErrorCode::format_refused: return kInvalidMode;
    case ErrorCode::service_absent: return kNotPresent;
    case ErrorCode::internal: return kHardwareMalfunction;
  }
  return kHardwareMalfunction;
}

/// start() knows three answers: the wrong moment, no memory, and "the hardware refuses".
constexpr AsioError to_start_error(ErrorCode code) noexcept {
  const AsioError error = to_asio_error(code);
  return error == kInvalidMode || error == kNoMemory ? error : kHardwareMalfunction;
}

/// A rate that cannot be had is -995; hosts then try a clock source, or another rate.
constexpr AsioError to_rate_error(ErrorCode code) noexcept {
  const bool refused = code == ErrorCode::format_refused || code == ErrorCode::unsupported ||
                       code == ErrorCode::invalid_argument;
  return refused ? kNoClock : to_asio_error(code);
}

/// A clock source that cannot be selected now is -997, never -995.
constexpr AsioError to_clock_error(ErrorCode code) noexcept {
  const AsioError error = to_asio_error(code);
  return error == kInvalidParameter ? error : kInvalidMode;
}

/// Why a call is refused: the number for the host and the sentence for its user.
struct Refusal {
  AsioError error = kHardwareMalfunction;
  std::string message;
};

template <class T>
using Judged = tl::expected<T, Refusal>;

inline tl::unexpected<Refusal> refuse(AsioError error, std::string message) {
  return tl::unexpected<Refusal>(Refusal{error, std::move(message)});
}

}  // namespace asiodrv::asio
