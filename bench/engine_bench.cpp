// Engine time per cycle against a plain copy of the same bytes, measured alternately in one run.
//
// The cycle is the production one, fed by a device that never waits and a client that has already
// acknowledged: what remains is the engine's own work. The copy moves the same input and output
// blocks with memcpy, between the same buffers. Prints one JSON object per line.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "core/engine/engine.hpp"
#include "platform/platform.hpp"

namespace asiodrv {
namespace {

constexpr Frames kPeriod{64};
constexpr SampleRate kRate{48'000};
constexpr std::size_t kAlign = 64;

/// Blocks of kPeriod samples at cache-line boundaries, as in a section.
class Blocks {
 public:
  explicit Blocks(std::size_t count) : memory_(count * kPeriod.count + kAlign), count_(count) {
    void* start = memory_.data();
    std::size_t room = memory_.size() * sizeof(float);
    first_ = static_cast<float*>(std::align(kAlign, sizeof(float), start, room));
    for (std::size_t i = 0; i < count * kPeriod.count; ++i) {
      first_[i] = static_cast<float>(i % 997) / 997.0F - 0.5F;
    }
  }
  [[nodiscard]] float* operator[](std::size_t i) const { return first_ + i * kPeriod.count; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  std::vector<float> memory_;
  float* first_ = nullptr;
  std::size_t count_;
};

class EndlessDevice final : public ports::Device {
 public:
  EndlessDevice(ports::Clock& clock, std::uint32_t channels)
      : clock_(clock), capture_(channels), render_(channels) {
    info_.input_channels = info_.output_channels = channels;
    for (std::uint32_t c = 0; c < channels; ++c) {
      captures_.push_back(capture_[c]);
      renders_.push_back(render_[c]);
    }
  }
  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  [[nodiscard]] Result<> open(const ports::DeviceFormat&) override { return {}; }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return {}; }
  [[nodiscard]] Result<> start() override { return {}; }
  void stop() noexcept override {}
  void close() noexcept override {}
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    period.index = index_++;
    period.boundary = started_;
    period.next_boundary = started_ + std::chrono::hours{1};
    period.lost = 0;
    period.gap = false;
    period.capture = {captures_.data(), info_.input_channels, kPeriod};
    period.render = {renders_.data(), info_.output_channels, kPeriod};
    return ports::PeriodStatus::ready;
  }
  bool commit() RT_SAFE override { return true; }
  void interrupt() RT_SAFE override {}

  [[nodiscard]] const Blocks& capture() const { return capture_; }
  [[nodiscard]] const Blocks& render() const { return render_; }

 private:
  ports::Clock& clock_;
  Blocks capture_, render_;
  std::vector<const float*> captures_;
  std::vector<float*> renders_;
  ports::DeviceInfo info_;
  Instant started_ = clock_.now();
  std::uint64_t index_ = 0;
};

/// Acknowledges in the ring itself.
class InstantClient final : public engine::ClientMailbox {
 public:
  InstantClient(std::uint32_t id, std::uint32_t channels)
      : inputs_(channels * 2), outputs_(channels * 2), wake_(ack_) {
    setup.id = id;
    for (std::uint32_t c = 0; c < channels; ++c) {
      setup.inputs.push_back(engine::device_port(c));
      setup.outputs.push_back(engine::device_port(c));
      setup.input_halves.push_back({as_bytes(inputs_[c * 2]), as_bytes(inputs_[c * 2 + 1])});
      setup.output_halves.push_back({as_bytes(outputs_[c * 2]), as_bytes(outputs_[c * 2 + 1])});
    }
    setup.wake = &wake_;
    setup.ack = &ack_;
    setup.mailbox = this;
  }
  void publish(const engine::ClientStamp& stamp) RT_SAFE override { next_ = 1 - stamp.half; }
  [[nodiscard]] engine::ClientReply reply() const RT_SAFE override { return {next_, false}; }

  [[nodiscard]] const Blocks& inputs() const { return inputs_; }
  [[nodiscard]] const Blocks& outputs() const { return outputs_; }
  engine::ClientSetup setup;

 private:
  static std::byte* as_bytes(float* block) { return reinterpret_cast<std::byte*>(block); }
  struct Bell final : ports::Doorbell {
    void ring(std::uint32_t count) RT_SAFE override { count_ = count; }
    [[nodiscard]] std::uint32_t count() const RT_SAFE override { return count_; }
    std::uint32_t wait_change(std::uint32_t, Instant, nanoseconds) RT_SAFE override {
      return count_;
    }
    void interrupt() RT_SAFE override {}
    std::uint32_t count_ = 0;
  };
  struct Wake final : ports::Doorbell {
    explicit Wake(Bell& ack) : ack_(ack) {}
    void ring(std::uint32_t count) RT_SAFE override { ack_.ring(count); }
    [[nodiscard]] std::uint32_t count() const RT_SAFE override { return ack_.count(); }
    std::uint32_t wait_change(std::uint32_t, Instant, nanoseconds) RT_SAFE override { return 0; }
    void interrupt() RT_SAFE override {}
    Bell& ack_;
  };

  Blocks inputs_, outputs_;
  Bell ack_;
  Wake wake_;
  std::uint32_t next_ = 0;
};

/// The median of `rounds` alternating measurements each of `first` and `second`, in ns a call.
template <class First, class Second>
std::pair<double, double> compare(ports::Clock& clock, int calls, const First& first,
                                  const Second& second) {
  constexpr int kRounds = 31;
  std::array<double, kRounds> a{}, b{};
  const auto time = [&](const auto& body) {
    const Instant start = clock.now();
    for (int i = 0; i < calls; ++i) body();
    return static_cast<double>((clock.now() - start).count()) / calls;
  };
  for (int round = 0; round < kRounds; ++round) {
    a[static_cast<std::size_t>(round)] = time(first);
    b[static_cast<std::size_t>(round)] = time(second);
  }
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return {a[kRounds / 2], b[kRounds / 2]};
}

class Bench {
 public:
  void cycle_against_copy(std::uint32_t channels) {
    EndlessDevice device(*clock_, channels);
    engine::Engine engine(*clock_, {});
    engine.set_device(&device, {kRate, kPeriod});
    InstantClient client(1, channels);
    if (!engine.add_client(client.setup) || !engine.start_client(1)) std::abort();
    const auto copy = [&] {
      for (std::uint32_t c = 0; c < channels; ++c) {
        std::memcpy(client.inputs()[c * 2], device.capture()[c], kPeriod.count * sizeof(float));
      }
      for (std::uint32_t c = 0; c < channels; ++c) {
        std::memcpy(device.render()[c], client.outputs()[c * 2], kPeriod.count * sizeof(float));
      }
      // The blocks escape: without this the copies of one round could be merged into one.
      asm volatile("" : : "r"(device.render()[0]), "r"(client.inputs()[0]) : "memory");
    };
    const int calls = static_cast<int>(std::max(200U, 200'000U / channels));
    const auto [cycle_ns, copy_ns] = compare(
        *clock_, calls, [&] { (void)engine.run_cycle(); }, copy);
    expect_served(engine, 1, calls);
    report(fmt::format("engine cycle, {0}x{0} channels, 64 frames", channels), cycle_ns, "ns",
           "plain copy of the same bytes", copy_ns, 4.0);
    by_channels_.emplace_back(channels, cycle_ns);
  }

  /// Every output of a client to every output of the device, at a gain of its own: what a route
  /// costs beyond the cycle without routes, against copying a block from there to here.
  void matrix_against_copies(std::uint32_t channels) {
    EndlessDevice device(*clock_, channels);
    engine::Engine engine(*clock_, {});
    engine.set_device(&device, {kRate, kPeriod});
    InstantClient client(1, channels);
    engine::GraphSpec graph;
    for (std::uint32_t from = 0; from < channels; ++from) {
      for (std::uint32_t to = 0; to < channels; ++to) {
        graph.routes.push_back({{engine::Node::client, 1, from},
                                engine::device_port(to),
                                LinearGain{0.5F / static_cast<float>(1 + (from + to) % 7)}});
      }
    }
    if (!engine.set_graph(graph) || !engine.add_client(client.setup) || !engine.start_client(1)) {
      std::abort();
    }
    const auto copies = [&] {
      for (std::uint32_t to = 0; to < channels; ++to) {
        for (std::uint32_t from = 0; from < channels; ++from) {
          std::memcpy(device.render()[to], client.outputs()[from * 2],
                      kPeriod.count * sizeof(float));
          asm volatile("" : : "r"(device.render()[to]) : "memory");
        }
      }
    };
    const int calls = static_cast<int>(std::max(20U, 400'000U / (channels * channels)));
    const auto [cycle_ns, copy_ns] = compare(
        *clock_, calls, [&] { (void)engine.run_cycle(); }, copies);
    expect_served(engine, 1, calls);
    report(fmt::format("cycle with a matrix of {0}x{0} gains, 64 frames", channels), cycle_ns, "ns",
           "one copy of a block per gain", copy_ns, 3.0);
  }

  /// How time grows, as the slope of a straight line through the logarithms: 1 is proportional.
  void growth() {
    report_growth("channels, 2 to 1024", by_channels_);
    report_growth("clients, 1 to 64", by_clients_);
  }

  void cost_of_a_client() {
    double alone = 0;
    for (const std::uint32_t clients : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
      EndlessDevice device(*clock_, 2);
      engine::Engine engine(*clock_, {});
      engine.set_device(&device, {kRate, kPeriod});
      std::vector<std::unique_ptr<InstantClient>> all;
      for (std::uint32_t id = 1; id <= clients; ++id) {
        all.push_back(std::make_unique<InstantClient>(id, 2));
        if (!engine.add_client(all.back()->setup) || !engine.start_client(id)) std::abort();
      }
      const auto [cycle_ns, none] = compare(
          *clock_, 5000, [&] { (void)engine.run_cycle(); }, [] {});
      for (std::uint32_t id = 1; id <= clients; ++id) expect_served(engine, id, 5000);
      by_clients_.emplace_back(clients, cycle_ns);
      if (clients == 1) {
        alone = cycle_ns;
      } else {
        report(fmt::format("cost of one more client at {} clients, 2x2 channels", clients),
               (cycle_ns - alone) / (clients - 1), "ns", "cycle of the first client", alone, 1.0);
      }
    }
  }

 private:
  /// Who is not called costs nothing, and a cycle without it would be called fast.
  static void expect_served(const engine::Engine& engine, std::uint32_t id, int cycles) {
    if (engine.counters(id).cycles >= static_cast<std::uint64_t>(cycles)) return;
    fmt::print(stderr, "engine_bench: client {} was served in {} cycles only\n", id,
               engine.counters(id).cycles);
    std::exit(1);
  }

  static void report(const std::string& name, double value, const char* unit, const char* peer,
                     double peer_value, double goal) {
    fmt::print(
        "{{\"name\": \"{}\", \"value\": {:.3f}, \"unit\": \"{}\", \"peer\": \"{}\", "
        "\"peer_value\": {:.3f}, \"ratio\": {:.3f}, \"goal\": {:.2f}}}\n",
        name, value, unit, peer, peer_value, value / peer_value, goal);
  }

  using Series = std::vector<std::pair<std::uint32_t, double>>;

  static void report_growth(const std::string& what, const Series& series) {
    double x = 0, y = 0, xx = 0, xy = 0;
    for (const auto& [count, ns] : series) {
      const double logarithm = std::log(count);
      x += logarithm;
      y += std::log(ns);
      xx += logarithm * logarithm;
      xy += logarithm * std::log(ns);
    }
    const auto n = static_cast<double>(series.size());
    report("growth exponent of the cycle against " + what, (n * xy - x * y) / (n * xx - x * x), "",
           "proportional", 1.0, 1.1);
  }

  Series by_channels_, by_clients_;
  std::unique_ptr<ports::Clock> clock_ = platform::make_clock();
};

}  // namespace
}  // namespace asiodrv

int main() {
  asiodrv::Bench bench;
  for (const std::uint32_t channels : {2U, 8U, 64U, 256U, 1024U}) {
    bench.cycle_against_copy(channels);
  }
  bench.cost_of_a_client();
  for (const std::uint32_t channels : {8U, 32U, 128U}) bench.matrix_against_copies(channels);
  bench.growth();
}
