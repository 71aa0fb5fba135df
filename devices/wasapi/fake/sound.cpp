#include "devices/wasapi/fake/sound.hpp"

#include <algorithm>
#include <cmath>

namespace asiodrv::devices::wasapi::fake {
namespace {

__extension__ using Wide = __int128;
constexpr Wide kScale = static_cast<Wide>(1'000'000'000'000) * 1'000'000'000;  // 1e-12 Hz and ns

}  // namespace

DeviceClock::DeviceClock(Instant start, std::uint32_t rate_hz, double ppm)
    : anchor_(start), rate_hz_(rate_hz), ppm_(ppm) {
  set_divisor();
}

void DeviceClock::set_divisor() {
  divisor_ = std::uint64_t{rate_hz_} *
             static_cast<std::uint64_t>(1'000'000'000'000 + std::llround(ppm_ * 1e6));
}

std::uint64_t DeviceClock::frame_at(Instant at) const {
  if (at <= anchor_) return anchor_frame_;
  const Wide frames = static_cast<Wide>((at - anchor_).count()) * divisor_ / kScale;
  return anchor_frame_ + static_cast<std::uint64_t>(frames);
}

Instant DeviceClock::instant_of(std::uint64_t frame) const {
  const auto frames = static_cast<Wide>(frame) - static_cast<Wide>(anchor_frame_);
  const Wide scaled = frames * kScale;
  const Wide up = scaled > 0 ? static_cast<Wide>(divisor_) - 1 : 0;
  return anchor_ + nanoseconds{static_cast<std::int64_t>((scaled + up) / divisor_)};
}

Instant DeviceClock::middle_of(std::uint64_t frame) const {
  return instant_of(frame) + nanoseconds{500'000'000 / rate_hz_};
}

void DeviceClock::set_rate(Instant now, std::uint32_t rate_hz) {
  if (rate_hz == rate_hz_) return;
  const std::uint64_t frame = frame_at(now) + 1;
  anchor_ = instant_of(frame);
  anchor_frame_ = frame;
  rate_hz_ = rate_hz;
  set_divisor();
}

Recorder::Recorder(std::uint16_t channels, std::uint32_t kept)
    : channels_(channels), kept_(kept), samples_(std::size_t{kept} * channels) {}

std::uint64_t Recorder::begin() const { return end_ > kept_ ? end_ - kept_ : 0; }

float Recorder::at(std::uint64_t frame, std::uint32_t channel) const {
  if (frame < begin() || frame >= end_ || channel >= channels_) return 0;
  return samples_[frame % kept_ * channels_ + channel];
}

void Recorder::set_channels(std::uint16_t channels) {
  channels_ = channels;
  samples_.assign(std::size_t{kept_} * channels, 0.0F);
}

void Recorder::write(std::uint64_t frame, const float* samples, std::uint32_t frames) {
  if (frame > end_) {
    const std::uint64_t quiet = std::min<std::uint64_t>(frame - end_, kept_);
    for (std::uint64_t i = frame - quiet; i < frame; ++i) {
      std::fill_n(&samples_[i % kept_ * channels_], channels_, 0.0F);
    }
    end_ = frame;
  }
  for (std::uint32_t i = 0; i < frames; ++i) {
    if (frame + i < end_) continue;
    std::copy_n(samples + std::size_t{i} * channels_, channels_,
                &samples_[(frame + i) % kept_ * channels_]);
    end_ = frame + i + 1;
  }
}

}  // namespace asiodrv::devices::wasapi::fake
