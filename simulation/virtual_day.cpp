// A day of audio in virtual time: simulated device, engine, session, section and AsioFront, the
// production ones, on one thread, as fast as the machine allows. A host plays a signal that never
// repeats within a million frames and compares every sample that comes back.
//
//   virtual_day [HOURS] [--damage CYCLE]
//
// --damage flips one bit of one sample on its way (the check must then fail: that is its canary).
// Exit codes: 0 every sample came back, memory stayed flat; 1 something did not; 2 wrong usage.
#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "asio/front.hpp"
#include "core/ports/virtual_clock.hpp"
#include "devices/simulated/simulated_device.hpp"
#include "platform/platform.hpp"
#include "simulation/direct_link.hpp"
#include "simulation/memory_regions.hpp"

namespace asiodrv::simulation {
namespace {

constexpr Frames kPeriod{64};
constexpr SampleRate kRate{48'000};
constexpr std::uint32_t kChannels = 2;
constexpr std::uint64_t kRoundTrip = 2 * kPeriod.count;

/// A signal of prime length, so that a lost, repeated or swapped block is never the right one.
class Signal {
 public:
  static constexpr std::uint32_t kLength = 1'000'003;

  explicit Signal(std::uint32_t seed) : samples_(kLength + kPeriod.count) {
    std::uint32_t state = seed;
    for (std::uint32_t i = 0; i < kLength; ++i) {
      state = state * 1'664'525U + 1'013'904'223U;  // a linear congruential sequence, full period
      samples_[i] = static_cast<float>(static_cast<std::int32_t>(state) >> 8) / 8'388'608.0F;
    }
    std::memcpy(&samples_[kLength], samples_.data(), kPeriod.count * sizeof(float));
  }
  [[nodiscard]] const float* at(std::uint64_t position) const {
    return &samples_[position % kLength];
  }

 private:
  std::vector<float> samples_;
};

/// The host. ASIO callbacks carry no context, so there is one.
class Host {
 public:
  static Host*& current() {
    static Host* host = nullptr;
    return host;
  }

  std::vector<asio::BufferInfo> buffers;
  std::uint64_t blocks = 0;
  std::uint64_t wrong_blocks = 0;
  std::uint64_t wrong_positions = 0;
  std::uint64_t wrong_halves = 0;
  std::uint64_t damage_at = ~std::uint64_t{0};

  void block(const asio::Time& time, std::int32_t half) {
    const std::uint64_t position = asio::join64(time.info.sample_position);
    if (position != blocks * kPeriod.count) ++wrong_positions;
    if (half != static_cast<std::int32_t>(blocks % 2)) ++wrong_halves;
    for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
      const auto* heard = static_cast<const float*>(buffers[channel].buffers[half]);
      if (position >= kRoundTrip &&
          std::memcmp(heard, signals_[channel].at(position - kRoundTrip), kBytes) != 0) {
        ++wrong_blocks;
      }
      void* const played = buffers[kChannels + channel].buffers[half];
      std::memcpy(played, signals_[channel].at(position), kBytes);
      if (blocks == damage_at) static_cast<std::uint8_t*>(played)[17] ^= 1U;
    }
    ++blocks;
  }

 private:
  static constexpr std::size_t kBytes = kPeriod.count * sizeof(float);
  Signal signals_[kChannels] = {Signal(1), Signal(77)};
};

void buffer_switch(std::int32_t, std::int32_t) {}
void rate_changed(double) {}
std::int32_t message(std::int32_t selector, std::int32_t value, void*, double*) {
  return selector == asio::kSupportsTimeInfo ||
         (selector == asio::kSelectorSupported && value == asio::kSupportsTimeInfo);
}
asio::Time* buffer_switch_time_info(asio::Time* time, std::int32_t half, std::int32_t) {
  Host::current()->block(*time, half);
  return nullptr;
}

/// Bytes in use on the heap, where the C library can tell.
std::size_t heap_bytes() {
#ifdef __GLIBC__
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

int run(double hours, std::uint64_t damage_at) {
  const auto wall = std::chrono::steady_clock::now();
  ports::VirtualClock clock(Instant{1'000'000'000});
  const auto threads = platform::make_threads();
  devices::SimulatedOptions options;
  options.inputs = options.outputs = kChannels;
  devices::SimulatedDevice device(clock, options);
  if (!device.open({kRate, kPeriod}) || !device.start()) return 1;
  engine::Engine engine(clock, {});
  engine.set_device(&device, {kRate, kPeriod});

  MemoryRegions regions;
  DirectService service{engine, regions, device, {kRate, kPeriod}};
  std::shared_ptr<asio::AsioFront> front;
  const auto take_turns = [&](const std::string& token) {
    regions.set_on_wait(token, [&] { front->serve_cycle(); });
  };
  front = asio::AsioFront::create(
      {.clock = clock,
       .threads = *threads,
       .regions = regions,
       .make_link = [&] { return std::make_unique<DirectLink>(service, take_turns); },
       .host_epoch_ms = [] { return std::uint64_t{1}; }},
      {.manual_stream = true, .manual_notifier = true});

  Host host;
  host.damage_at = damage_at;
  Host::current() = &host;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(2 * kChannels); ++i) {
    const bool input = i < static_cast<std::int32_t>(kChannels);
    host.buffers.push_back({input, i % static_cast<std::int32_t>(kChannels), {}});
  }
  asio::Callbacks callbacks{buffer_switch, rate_changed, message, buffer_switch_time_info};
  const auto count = static_cast<std::int32_t>(host.buffers.size());
  if (!front->init() ||
      front->create_buffers(host.buffers.data(), count, static_cast<std::int32_t>(kPeriod.count),
                            &callbacks) != asio::kOk ||
      front->start() != asio::kOk) {
    char text[asio::kErrorMessageBytes];
    front->get_error_message(text);
    fmt::print(stderr, "virtual_day: the stream did not start: {}\n", text);
    return 1;
  }

  const auto cycles =
      static_cast<std::uint64_t>(hours * 3600.0 * kRate.hz / static_cast<double>(kPeriod.count));
  const std::uint64_t warm_up = std::min<std::uint64_t>(cycles, 1000);
  std::size_t heap = 0;
  for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
    if (cycle == warm_up) heap = heap_bytes();
    if (engine.run_cycle() != ports::PeriodStatus::ready) return 1;
  }
  const std::size_t growth = heap_bytes() - heap;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  const std::uint64_t xruns = engine.flight().events_written();
  front->stop();
  front->shutdown();

  // The first period of a client plays what was there before its first callback.
  const bool complete = host.blocks + 1 == cycles;
  const bool clean = host.wrong_blocks == 0 && host.wrong_positions == 0 &&
                     host.wrong_halves == 0 && xruns == 0 && growth == 0;
  fmt::print(
      "{{\"simulated_hours\": {:.2f}, \"cycles\": {}, \"callbacks\": {}, \"wrong_blocks\": {}, "
      "\"wrong_positions\": {}, \"wrong_halves\": {}, \"xruns\": {}, \"clean\": {}, "
      "\"heap_growth_bytes\": {}, \"seconds\": {:.1f}, \"ns_per_cycle\": {:.0f}}}\n",
      hours, cycles, host.blocks, host.wrong_blocks, host.wrong_positions, host.wrong_halves, xruns,
      complete && clean, growth, seconds, seconds * 1e9 / static_cast<double>(cycles));
  return complete && clean ? 0 : 1;
}

}  // namespace
}  // namespace asiodrv::simulation

int main(int argc, char** argv) {
  double hours = 24.0;
  std::uint64_t damage_at = ~std::uint64_t{0};
  for (int i = 1; i < argc; ++i) {
    char* end = nullptr;
    if (std::strcmp(argv[i], "--damage") == 0 && i + 1 < argc) {
      damage_at = std::strtoull(argv[++i], &end, 10);
    } else {
      hours = std::strtod(argv[i], &end);
    }
    if (end == argv[i] || *end != '\0' || !(hours > 0.0 && hours <= 100'000.0)) {
      std::fputs("usage: virtual_day [HOURS] [--damage CYCLE]\n", stderr);
      return 2;
    }
  }
  return asiodrv::simulation::run(hours, damage_at);
}
