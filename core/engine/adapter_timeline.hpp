// When a block of an adapted client is captured, due and played: exact arithmetic of whole numbers.
//
// A client has N frames per buffer at its own rate, the device P per period at another. Both rates
// hang on one clock, so rho = device rate / client rate = b / a, in lowest terms, holds for ever.
// The boundary T is a count of device frames since the start, a multiple of P: [T - P, T) has just
// been captured, and what the cycle commits plays in [T + P, T + 2P). Block m of the client holds
// its frames [mN, (m + 1)N); block -1 is what the host filled in before the start.
//
// In. The input resampler places client frame k at device frame k rho and needs the input up to and
// including floor(k rho) (its look-ahead is set off by its start). After F captured frames,
// ceil(F a / b) client frames exist. Block m is complete after F_m = floor(((m + 1)N - 1) rho) + 1
// frames, and can be rung at t_m = P ceil(F_m / P).
//
// Out. The stream back begins with block -1 (frame mN of the client is frame (m + 1)N of the
// stream). Device frame k of it needs the stream's frames up to and including floor(k / rho), so
// k_m = ceil((m + 1)N rho) is the first that needs block m. It plays at the device time k + offset.
//
// The offset. Block m is due in the cycle T_m whose render holds k_m + offset; the client shall
// have the slack S = (ceil(N rho / P) - 1) P, the whole periods of its own buffer, beyond the cycle
// that rings it: T_m >= t_m + S. As both sides are multiples of P, that is the same as
// k_m + offset >= t_m + S + P. The smallest offset is therefore the largest t_m - k_m, plus S + P.
//
// The largest t_m - k_m. Let X = (m + 1)N b, in units of 1/a device frame. Then
// F_m = floor((X - b) / a) + 1 and k_m = ceil(X / a); t_m - k_m repeats when X grows by aP, and X
// takes, modulo aP, every multiple of g = gcd(N b, aP). Between two steps of t_m it only falls with
// X, so the largest is at the first X after a step: F = 1 needs X >= b, the smallest such multiple
// is X* = g ceil(b / g), and there t - k = P - ceil(X* / a).
//
//     offset = S + 2P - ceil(X* / a)            never below P
//
// A deferred client processes after it has answered; block m is complete when block m + 1 is rung.
// Then T_m >= t_(m+1) is asked, which includes the slack. The largest t_(m+1) - k_m lies at the
// same X*, one block earlier on the way back:
//
//     offset = 2P + floor((N b - X*) / a)       for N = P one period more, as the cycle has it
//
// The round trip is offset + N rho, plus both look-aheads. For equal rates that is
// N + S + 2P - gcd(N, P): 2N for N = kP, 2P for N = P / 2.
//
// RT: everything is O(1), without allocation. Thread: any; the object is immutable.
#pragma once

#include <cstdint>
#include <numeric>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::engine {

/// See the top of this file. Device frames unless said. Both sizes 16 to 8192, both rates at most
/// 768 kHz, none of them 0; counts of frames up to 2^62.
class AdapterTimeline {
 public:
  constexpr AdapterTimeline(Frames device_period, SampleRate device_rate, Frames client_frames,
                            SampleRate client_rate, bool deferred = false) noexcept
      : period_(device_period.count),
        block_(client_frames.count),
        device_(device_rate.hz / std::gcd(device_rate.hz, client_rate.hz)),
        client_(client_rate.hz / std::gcd(device_rate.hz, client_rate.hz)) {
    const std::uint64_t block = block_ * device_;    // in 1/a device frame
    const std::uint64_t period = period_ * client_;  // the same
    const std::uint64_t step = std::gcd(block, period);
    const std::uint64_t first = ceil_div(device_, step) * step;
    slack_ = (ceil_div(block, period) - 1) * period_;
    // first <= block: step divides it, and a block has 16 frames. The other difference may wrap.
    offset_ =
        2 * period_ + (deferred ? (block - first) / client_ : slack_ - ceil_div(first, client_));
  }

  /// S: the whole periods that a client may take beyond the cycle that rings it.
  [[nodiscard]] constexpr std::uint64_t slack() const RT_SAFE { return slack_; }
  /// From a frame's number in the stream back to the device time at which it plays.
  [[nodiscard]] constexpr std::uint64_t offset() const RT_SAFE { return offset_; }

  /// How many client frames exist once `device_frames` have been captured.
  [[nodiscard]] constexpr std::uint64_t captured(std::uint64_t device_frames) const RT_SAFE {
    return device_frames / device_ * client_ + ceil_div(device_frames % device_ * client_, device_);
  }

  /// How many client frames of the stream back its first `device_frames` need.
  [[nodiscard]] constexpr std::uint64_t needed(std::uint64_t device_frames) const RT_SAFE {
    return device_frames == 0 ? 0 : on_client(device_frames - 1).whole + 1;
  }

  /// whole + part / parts
  struct Place {
    std::uint64_t whole;
    std::uint64_t part;
    std::uint64_t parts;
  };
  /// A client frame's place on the device's axis: frame * rho.
  [[nodiscard]] constexpr Place on_device(std::uint64_t client_frame) const RT_SAFE {
    return scale(client_frame, device_, client_);
  }
  /// A device frame's place on the client's axis: frame / rho.
  [[nodiscard]] constexpr Place on_client(std::uint64_t device_frame) const RT_SAFE {
    return scale(device_frame, client_, device_);
  }

  /// rho
  [[nodiscard]] constexpr double ratio() const RT_SAFE {
    return static_cast<double>(device_) / static_cast<double>(client_);
  }
  [[nodiscard]] constexpr bool same_rate() const RT_SAFE { return device_ == client_; }

 private:
  static constexpr std::uint64_t ceil_div(std::uint64_t n, std::uint64_t by) noexcept {
    return (n + by - 1) / by;
  }
  /// Split, so that nothing overflows in the lifetime of a device.
  static constexpr Place scale(std::uint64_t n, std::uint64_t up, std::uint64_t down) noexcept {
    const std::uint64_t rest = n % down * up;
    return {n / down * up + rest / down, rest % down, down};
  }

  std::uint64_t period_, block_;
  std::uint64_t device_, client_;  ///< the rates in lowest terms: b and a
  std::uint64_t slack_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace asiodrv::engine
