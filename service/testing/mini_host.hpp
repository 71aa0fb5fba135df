// A host and driver in few lines: creates buffers, answers doorbells on a thread of its own, plays
// a counting signal and checks that it comes back two buffers later.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/wire/section.hpp"
#include "service/testing/test_world.hpp"

namespace asiodrv::service::testing {

/// A second at the rate of StepDevice: with such buffers nobody is late on a slow machine.
inline constexpr Frames kSecond{8192};

class MiniHost {
 public:
  /// What a host does in a cycle; `count` is the wake count to acknowledge.
  using Behaviour = std::function<void(MiniHost&, const wire::CycleStamp&, std::uint32_t count)>;

  MiniHost(TestWorld& world, const std::string& program, Frames frames,
           std::vector<std::uint32_t> channels)
      : world_(world), link(world.connected(program)) {
    const auto granted = link->create_session({frames, channels, channels}, world.soon());
    if (!granted) {
      ADD_FAILURE() << granted.error().message;
      return;
    }
    grant = *granted;
    region_ = world.regions->open(grant.region_token, grant.region_bytes).value();
    layout = wire::read_header(region_->bytes()).value();
    wake_ = region_->doorbell(wire::kWakeOffset, "wake").value();
    ack_ = region_->doorbell(wire::kAckOffset, "ack").value();
    heard_wrong.assign(channels.size(), 0);
  }
  ~MiniHost() { leave(); }

  void start(Behaviour behaviour = [](MiniHost& host, const wire::CycleStamp& stamp,
                                      std::uint32_t count) {
    host.play(stamp);
    host.acknowledge(stamp, count);
  }) {
    begin_thread(std::move(behaviour));
    const auto started = link->start_session(world_.soon());
    ASSERT_TRUE(started) << started.error().message;
  }

  /// Dies without a word: its thread stops answering, its connection ends.
  void leave() {
    stopping_ = true;
    if (wake_) wake_->interrupt();
    if (thread_) thread_->join(world_.soon());
    thread_.reset();
    link->disconnect();
  }

  /// Waits until `cycles` callbacks were made; false after 20 s.
  bool wait_cycles(std::uint64_t cycles) {
    const Instant limit = world_.soon();
    while (cycles_ < cycles) {
      if (!cycled_->wait(limit)) return false;
    }
    return true;
  }

  void play(const wire::CycleStamp& stamp) {
    const std::uint64_t loop = 2 * std::uint64_t{layout.frames.count};
    for (std::uint32_t i = 0; i < layout.outputs; ++i) {
      for (std::uint32_t f = 0; f < layout.frames.count; ++f) {
        const std::uint64_t position = stamp.sample_position + f;
        write(layout.output_offset(i, stamp.half), f, signal(i, position));
        const float expected = position < loop ? 0.0F : signal(i, position - loop);
        if (read(layout.input_offset(i, stamp.half), f) != expected) ++heard_wrong[i];
      }
    }
  }

  void acknowledge(const wire::CycleStamp& stamp, std::uint32_t count) {
    wire::CycleReply reply{};
    reply.next_half = stamp.half ^ 1U;
    wire::write_reply(region_->bytes(), reply);
    ack_->ring(count);
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return region_->bytes(); }
  [[nodiscard]] std::uint64_t wrong() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t each : heard_wrong) sum += each;
    return sum;
  }
  [[nodiscard]] std::uint64_t cycles() const { return cycles_; }

 private:
  TestWorld& world_;

 public:
  std::unique_ptr<ipc::ServiceClient> link;
  wire::SessionGrant grant;
  wire::SectionLayout layout;
  std::vector<std::uint64_t> heard_wrong;  ///< samples per channel; read when no cycle is under way
  std::atomic<std::uint64_t> last_position{0};

 private:
  /// Exact in a float, never 0, within full scale, and of its channel alone.
  static float signal(std::uint32_t channel, std::uint64_t position) {
    const std::uint64_t count = (position * 4 + channel) % 0x3FFFFF + 1;
    return static_cast<float>(count) / static_cast<float>(0x400000);
  }
  void write(std::size_t block, std::uint32_t frame, float value) {
    std::memcpy(region_->bytes().data() + block + frame * sizeof value, &value, sizeof value);
  }
  float read(std::size_t block, std::uint32_t frame) {
    float value = 0;
    std::memcpy(&value, region_->bytes().data() + block + frame * sizeof value, sizeof value);
    return value;
  }

  void begin_thread(Behaviour behaviour) {
    stopping_ = false;
    auto body = [this, behaviour = std::move(behaviour)] {
      std::uint32_t seen = wake_->count();
      while (!stopping_) {
        const std::uint32_t count = wake_->wait_change(seen, world_.soon(), nanoseconds{0});
        if (count == seen) continue;
        seen = count;
        const wire::CycleStamp stamp = wire::read_stamp(region_->bytes());
        last_position = stamp.sample_position;
        behaviour(*this, stamp, count);
        ++cycles_;
        cycled_->signal();
      }
    };
    thread_ = world_.threads->start("minihost", ports::ThreadRole::audio, std::move(body)).value();
  }

  std::unique_ptr<ports::SharedRegion> region_;
  std::unique_ptr<ports::Doorbell> wake_, ack_;
  std::unique_ptr<ports::Signal> cycled_ = world_.threads->make_signal();
  std::unique_ptr<ports::Thread> thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> cycles_{0};
};

}  // namespace asiodrv::service::testing
