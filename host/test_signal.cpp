#include "host/test_signal.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <span>

#include "core/audio/marker.hpp"
#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

/// Frames after a marker; uneven, so that no fixed rhythm of the machine can hit every marker.
constexpr std::uint32_t kMarkerGaps[TestSignal::kMarkers] = {701, 1409, 907, 2003, 1201};

/// A hiss 54 dB below full scale, so that a loss between two markers shows too; never zero.
void write_hiss(std::uint32_t channel, std::vector<std::int16_t>& into) {
  std::uint32_t state = 0x7F4A7C15U + channel;
  for (std::int16_t& value : into) {
    value =
        static_cast<std::int16_t>(1 + static_cast<std::int32_t>(audio::next_noise(state) >> 26));
    if ((audio::next_noise(state) & 1U) != 0) value = static_cast<std::int16_t>(-value);
  }
}

}  // namespace

TestSignal::TestSignal(std::int32_t sample_type, std::uint32_t channels, std::uint32_t lead_frames,
                       std::size_t payload_frames)
    : channels_(channels),
      bytes_(sample_bytes(sample_type)),
      lead_frames_(lead_frames),
      preamble_frames_(0),
      payload_frames_(payload_frames) {
  preamble_frames_ = marker_cursor(kMarkers);
  std::vector<std::int16_t> values(preamble_frames_);
  for (std::uint32_t channel = 0; channel < channels_; ++channel) {
    write_hiss(channel, values);
    for (std::uint32_t number = 0; number < kMarkers; ++number) {
      audio::write_marker(channel, number,
                          std::span(values).subspan(marker_cursor(number), kMarkerFrames));
    }
    preamble_.emplace_back(preamble_frames_ * bytes_);
    encode_samples(sample_type, values, preamble_.back().data());
  }
}

TestSignal::TestSignal(std::int32_t sample_type, std::uint32_t channels, std::uint32_t lead_frames,
                       const Planar16& payload)
    : TestSignal(sample_type, channels, lead_frames, payload.front().size()) {
  for (const std::vector<std::int16_t>& channel : payload) {
    payload_.emplace_back(payload_frames_ * bytes_);
    encode_samples(sample_type, channel, payload_.back().data());
  }
}

TestSignal TestSignal::from_floats(std::int32_t sample_type, std::uint32_t channels,
                                   std::uint32_t lead_frames, const PlanarFloat& payload) {
  TestSignal result(sample_type, channels, lead_frames, payload.front().size());
  for (const std::vector<float>& channel : payload) {
    result.payload_.emplace_back(result.payload_frames_ * result.bytes_);
    encode_floats(sample_type, channel, result.payload_.back().data());
  }
  return result;
}

std::size_t TestSignal::marker_cursor(std::uint32_t number) const noexcept {
  std::size_t cursor = lead_frames_;
  for (std::uint32_t i = 0; i < number; ++i) cursor += kMarkerFrames + kMarkerGaps[i];
  return cursor;
}

void TestSignal::copy(std::uint64_t cursor, std::uint32_t channel, std::uint32_t frames,
                      std::byte* into) const RT_SAFE {
  std::size_t left = frames;
  while (left > 0) {
    const bool in_preamble = cursor < preamble_frames_;
    const std::vector<std::byte>& source =
        in_preamble ? preamble_[channel] : payload_[channel % payload_.size()];
    const auto at = static_cast<std::size_t>(
        in_preamble ? cursor : (cursor - preamble_frames_) % payload_frames_);
    const std::size_t end = in_preamble ? preamble_frames_ : payload_frames_;
    const std::size_t run = std::min(left, end - at);
    std::memcpy(into, source.data() + at * bytes_, run * bytes_);
    into += run * bytes_;
    cursor += run;
    left -= run;
  }
}

Planar16 TestSignal::noise(std::uint32_t channels, std::uint32_t frames) {
  Planar16 result(channels);
  std::uint32_t state = 0x2545F491U;
  for (std::vector<std::int16_t>& channel : result) {
    channel.resize(frames);
    for (std::int16_t& value : channel) {
      value = static_cast<std::int16_t>(static_cast<std::int32_t>(audio::next_noise(state) >> 19) -
                                        4096);
    }
  }
  return result;
}

PlanarFloat TestSignal::sine(std::uint32_t hz, std::uint32_t rate) {
  std::vector<float> channel(rate);
  for (std::uint32_t i = 0; i < rate; ++i) {
    const double turns = static_cast<double>(std::uint64_t{i} * hz % rate) / rate;
    channel[i] = static_cast<float>(kSineAmplitude * std::sin(2 * std::numbers::pi * turns));
  }
  return {std::move(channel)};
}

}  // namespace asiodrv::host
