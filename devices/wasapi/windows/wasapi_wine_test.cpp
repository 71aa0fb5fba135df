// The backend on a real sound system: the default output and the input that hears it. Under Wine
// that is PulseAudio's null sink and its monitor (tools/pulse/pulse.py run -- ...). Without any
// sound device these tests are skipped, and say so.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "core/base/prng.hpp"
#include "devices/wasapi/wasapi_device.hpp"
#include "devices/wasapi/windows/windows_system.hpp"
#include "platform/platform.hpp"

namespace asiodrv::devices::wasapi {
namespace {

constexpr int kPeriods = 300;
constexpr int kSettled = 100;  // the fill has found its level by then

/// Frame `n` of the noise: between 1/16 and 1/2 in magnitude, no two stretches alike.
float noise(std::uint64_t n) {
  const std::uint64_t random = scramble64(n + 1);
  const float size = 0.0625F + static_cast<float>(random % 14'000) * 0x1p-15F;
  return (random >> 40) % 2 == 0 ? size : -size;
}

/// By how many frames what was heard in frame `probe` is older than what was sent in it; -1: it is
/// nothing that was ever sent.
std::int64_t delay_at(const std::vector<float>& heard, std::size_t probe) {
  for (std::uint64_t n = 0; n + 64 < probe; ++n) {
    bool same = true;
    for (std::size_t i = 0; i < 64 && same; ++i) {
      same = std::abs(heard[probe + i] - noise(probe + i - n)) < 0x1p-13F;
    }
    if (same) return static_cast<std::int64_t>(n);
  }
  return -1;
}

struct Real {
  std::unique_ptr<System> system = make_windows_system();
  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::vector<EndpointInfo> endpoints;

  /// False: there is nothing to test on.
  bool find() {
    auto listed = list_endpoints(*system);
    EXPECT_TRUE(listed) << listed.error().message;
    if (!listed) return false;
    endpoints = std::move(*listed);
    bool out = false, in = false;
    for (const EndpointInfo& endpoint : endpoints) {
      std::printf("%s \"%s\" %s %s\n", endpoint.flow == Flow::render ? "output" : "input",
                  endpoint.name.c_str(), endpoint.id.c_str(),
                  endpoint.mix ? format_text(*endpoint.mix).c_str() : "no mix format");
      (endpoint.flow == Flow::render ? out : in) |= endpoint.active();
    }
    return out && in;
  }
};

#define SKIP_WITHOUT_SOUND(real) \
  if (!real.find()) GTEST_SKIP() << "NO SOUND DEVICE: start it with tools/pulse/pulse.py run --"

TEST(wasapi_wine, a_shared_duplex_stream_plays_noise_that_arrives_unbroken) {
  Real real;
  SKIP_WITHOUT_SOUND(real);
  auto made = make_wasapi_device(*real.system, *real.clock, {});
  ASSERT_TRUE(made) << made.error().message;
  WasapiDevice& device = **made;
  const ports::DeviceFormat format{device.info().default_rate, device.info().default_period};
  const Result<> opened = device.open(format);
  ASSERT_TRUE(opened) << opened.error().message;
  for (const std::string& note : device.notes()) std::printf("%s\n", note.c_str());
  const ports::DeviceLatency nominal = device.latency();
  ASSERT_TRUE(device.start());
  const std::uint32_t length = format.period.count;
  std::vector<float> heard;
  int disturbed_at = 0;
  std::uint64_t sent = 0, lost_late = 0, gaps_late = 0;
  for (int k = 0; k < kPeriods; ++k) {
    ports::DevicePeriod period;
    ASSERT_EQ(device.wait_period(period), ports::PeriodStatus::ready) << device.loss();
    heard.insert(heard.end(), period.capture.channel(0), period.capture.channel(0) + length);
    for (std::uint32_t channel = 0; channel < period.render.channels; ++channel) {
      for (std::uint32_t i = 0; i < length; ++i)
        period.render.channel(channel)[i] = noise(sent + i);
    }
    sent += length;
    device.commit();
    if (period.lost > 0 || period.gap) disturbed_at = k;
    if (k >= kSettled) {
      lost_late += period.lost;
      gaps_late += period.gap ? 1 : 0;
    }
  }
  const RunFigures figures = device.figures();
  const ports::DeviceLatency latency = device.latency();
  device.stop();
  device.close();
  // Where does frame n of the noise lie in what was heard, in the middle of the run and at its end?
  std::int64_t delay = -1;  // a probe may fall into silence
  for (std::size_t k = kPeriods / 2; k + 1 < kPeriods && delay < 0; k += 10) {
    delay = delay_at(heard, k * length);
  }
  const std::int64_t delay_at_end = delay_at(heard, heard.size() - length);
  std::printf(
      "period %u, round trip %lld frames (%lld at the end), reported two periods and %u + %u "
      "(before the start %u + "
      "%u); fill %u periods, %llu underruns; inserted %llu, dropped %llu frames\n",
      length, static_cast<long long>(delay), static_cast<long long>(delay_at_end),
      latency.input.count, latency.output.count, nominal.input.count, nominal.output.count,
      figures.target_periods, static_cast<unsigned long long>(figures.underruns),
      static_cast<unsigned long long>(figures.inserted_frames),
      static_cast<unsigned long long>(figures.dropped_frames));
  ASSERT_GE(delay, 0) << "the noise did not arrive";
  const auto reported = std::int64_t{2 * length + latency.input.count + latency.output.count};
  // PulseAudio hides up to some periods behind what it tells Wine; it never takes anything away.
  if (kPeriods - disturbed_at > 100) {
    EXPECT_LE(reported - delay_at_end, length) << "more latency is reported than there is";
  }
  // Damage must have a name: frames differ only where a loss or a gap was reported.
  std::size_t wrong = 0, zeros = 0, first = 0, last = 0;
  const std::size_t from = std::size_t{kSettled} * length;
  for (std::size_t i = from; i < heard.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i) - delay;
    if (n < 0 || std::abs(heard[i] - noise(static_cast<std::uint64_t>(n))) < 0x1p-13F) continue;
    first = wrong == 0 ? i : first;
    last = i;
    ++wrong;
    zeros += heard[i] == 0 ? 1 : 0;
  }
  std::printf(
      "%zu of %zu frames differ (%zu of them silence, from %zu to %zu); %llu periods lost, %llu "
      "gaps\n",
      wrong, heard.size() - from, zeros, first, last, static_cast<unsigned long long>(lost_late),
      static_cast<unsigned long long>(gaps_late));
  if (lost_late + gaps_late == 0) {
    EXPECT_EQ(wrong, 0U);
  }
}

TEST(wasapi_wine, exclusive_is_refused_with_a_sentence_or_works) {
  Real real;
  SKIP_WITHOUT_SOUND(real);
  WasapiOptions options;
  options.prefer_exclusive = true;
  options.capture.clear();
  auto made = make_wasapi_device(*real.system, *real.clock, options);
  ASSERT_TRUE(made) << made.error().message;
  const ports::DeviceInfo& info = (*made)->info();
  const Result<> opened = (*made)->open({info.default_rate, info.default_period});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE((*made)->notes().empty());
  for (const std::string& note : (*made)->notes()) std::printf("%s\n", note.c_str());
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
