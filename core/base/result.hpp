// How a control-path function fails: a code that programs switch on and a sentence that people
// read.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace asiodrv {

/// Why an operation failed. Switches over it have no `default:`, so that a new code is a build
/// failure at each place that must decide about it.
enum class ErrorCode {
  not_found,         ///< the named thing does not exist
  already_exists,    ///< the name is taken
  access_denied,     ///< the system or our own identity check said no
  invalid_argument,  ///< outside what the call documents
  invalid_state,     ///< right call, wrong moment
  unsupported,       ///< understood, and not available here
  out_of_memory,     ///< the system refused memory
  limit_reached,     ///< a documented limit of ours
  timed_out,         ///< the peer did not answer within the bound
  disconnected,      ///< the peer is gone
  malformed,         ///< bytes or text that break their format
  version_mismatch,  ///< the peer speaks another version
  device_gone,       ///< the audio device left
  device_busy,       ///< another program holds the audio device
  format_refused,    ///< the device does not do this rate, period or format
  service_absent,    ///< nobody answers and nobody could be started
  internal           ///< a broken promise of our own, or an unexpected system error
};

/// Stable lower-case name of `code`, as it appears in JSON.
constexpr std::string_view error_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::already_exists: return "already_exists";
    case ErrorCode::access_denied: return "access_denied";
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::invalid_state: return "invalid_state";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::limit_reached: return "limit_reached";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::disconnected: return "disconnected";
    case ErrorCode::malformed: return "malformed";
    case ErrorCode::version_mismatch: return "version_mismatch";
    case ErrorCode::device_gone: return "device_gone";
    case ErrorCode::device_busy: return "device_busy";
    case ErrorCode::format_refused: return "format_refused";
    case ErrorCode::service_absent: return "service_absent";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

struct Error {
  ErrorCode code = ErrorCode::internal;
  /// One or two plain sentences: what failed, where, and what to do or what is accepted.
  std::string message;
};

template <class T = void>
using Result = tl::expected<T, Error>;

/// Shorthand for the failing side of a Result.
inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

/// The failing side of a Result, passed on by a function that gives something else.
inline tl::unexpected<Error> refusal(const Error& error) { return tl::unexpected<Error>(error); }
template <class T>
tl::unexpected<Error> refusal(const Result<T>& refused) {
  return refusal(refused.error());
}

}  // namespace asiodrv
