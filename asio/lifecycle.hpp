// Which call is legal in which state, and where it leads: data, so that a test walks every pair.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "asio/abi.hpp"

namespace asiodrv::asio {

enum class State : std::uint8_t { loaded, initialized, prepared, running };
inline constexpr std::size_t kStates = 4;

enum class Call : std::uint8_t {
  init,
  get_driver_name,
  get_driver_version,
  get_error_message,
  start,
  stop,
  get_channels,
  get_latencies,
  get_buffer_size,
  can_sample_rate,
  get_sample_rate,
  set_sample_rate,
  get_clock_sources,
  set_clock_source,
  get_sample_position,
  get_channel_info,
  create_buffers,
  dispose_buffers,
  control_panel,
  future,
  output_ready
};
inline constexpr std::size_t kCalls = 21;

/// What a call answers before it looks at anything but the state. kOk: it goes on.
struct Legality {
  Call call;
  std::array<AsioError, kStates> answer;  ///< loaded, initialized, prepared, running
};

inline constexpr std::array<Legality, kCalls> kLegality{{
    {Call::init, {kOk, kInvalidMode, kInvalidMode, kInvalidMode}},  // a host sees 0, "failed"
    {Call::get_driver_name, {kOk, kOk, kOk, kOk}},
    {Call::get_driver_version, {kOk, kOk, kOk, kOk}},
    {Call::get_error_message, {kOk, kOk, kOk, kOk}},
    {Call::start, {kInvalidMode, kInvalidMode, kOk, kInvalidMode}},
    {Call::stop, {kInvalidMode, kInvalidMode, kOk, kOk}},  // idempotent once prepared
    {Call::get_channels, {kInvalidMode, kOk, kOk, kOk}},
    {Call::get_latencies, {kInvalidMode, kOk, kOk, kOk}},
    {Call::get_buffer_size, {kInvalidMode, kOk, kOk, kOk}},
    {Call::can_sample_rate, {kInvalidMode, kOk, kOk, kOk}},
    {Call::get_sample_rate, {kInvalidMode, kOk, kOk, kOk}},
    {Call::set_sample_rate, {kInvalidMode, kOk, kOk, kOk}},
    {Call::get_clock_sources, {kInvalidMode, kOk, kOk, kOk}},
    {Call::set_clock_source, {kInvalidMode, kOk, kOk, kOk}},
    {Call::get_sample_position, {kInvalidMode, kPositionNotAdvancing, kPositionNotAdvancing, kOk}},
    {Call::get_channel_info, {kInvalidMode, kOk, kOk, kOk}},
    {Call::create_buffers, {kInvalidMode, kOk, kInvalidMode, kInvalidMode}},
    {Call::dispose_buffers, {kInvalidMode, kInvalidMode, kOk, kOk}},  // running: implies stop
    {Call::control_panel, {kOk, kOk, kOk, kOk}},
    {Call::future, {kOk, kOk, kOk, kOk}},
    {Call::output_ready, {kOk, kOk, kOk, kOk}},
}};

constexpr AsioError legality(State state, Call call) noexcept {
  return kLegality[static_cast<std::size_t>(call)].answer[static_cast<std::size_t>(state)];
}

/// The state after a call that succeeded.
struct Transition {
  State from;
  Call call;
  State to;
};

inline constexpr std::array<Transition, 6> kTransitions{{
    {State::loaded, Call::init, State::initialized},
    {State::initialized, Call::create_buffers, State::prepared},
    {State::prepared, Call::start, State::running},
    {State::running, Call::stop, State::prepared},
    {State::prepared, Call::dispose_buffers, State::initialized},
    {State::running, Call::dispose_buffers, State::initialized},
}};

constexpr State state_after(State from, Call call) noexcept {
  for (const Transition& transition : kTransitions) {
    if (transition.from == from && transition.call == call) return transition.to;
  }
  return from;
}

constexpr bool rows_are_in_order() noexcept {
  for (std::size_t row = 0; row < kCalls; ++row) {
    if (static_cast<std::size_t>(kLegality[row].call) != row) return false;
  }
  return true;
}
static_assert(rows_are_in_order(), "legality() finds a row by the value of its Call");
static_assert(static_cast<std::size_t>(Call::output_ready) + 1 == kCalls);

}  // namespace asiodrv::asio
