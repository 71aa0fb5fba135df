// The running half of the fake driver: a timer thread that calls the host back and wires outputs
// to inputs. It owns everything that a late callback may touch.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "asio/abi.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "host/testing/fake_options.hpp"

namespace asiodrv::host {

/// The buffers of one createBuffers, and the wire behind them.
class FakeBuffers {
 public:
  /// Fills in the buffer pointers of `infos`. Allocates.
  FakeBuffers(const FakeOptions& options, asio::BufferInfo* infos, std::int32_t count,
              std::int32_t frames);

  /// The output halves of the block at `position` go onto the wire (`silent`: as zeros).
  void collect_outputs(std::int64_t position, std::int32_t half, bool silent);
  /// The input halves of the block at `position` come off the wire; `flip` breaks one bit.
  void fill_inputs(std::int64_t position, std::int32_t half, bool flip);

  [[nodiscard]] std::int32_t frames() const noexcept { return frames_; }
  [[nodiscard]] bool active(bool is_input, std::int32_t channel) const noexcept;

 private:
  struct Channel {
    bool is_input;
    std::int32_t number;
    std::vector<std::byte> halves[2];
  };

  [[nodiscard]] std::byte* wire(std::int32_t channel, std::int64_t position) noexcept;

  FakeOptions options_;
  std::int32_t frames_;
  std::size_t width_;
  std::int64_t wire_frames_;  ///< what the wire remembers: a power of two
  std::vector<Channel> channels_;
  std::vector<std::vector<std::byte>> wires_;  ///< per output channel, a ring by position
};

/// Shared between the driver and its timer thread; the last of the two frees it.
struct FakeRun {
  std::shared_ptr<FakeBuffers> buffers;
  asio::Callbacks callbacks{};
  const asio::Callbacks* borrowed = nullptr;  ///< the fault keep_callbacks
  bool use_time_info = false;
  double rate = 0;
  FakeOptions options;
  ports::Clock* clock = nullptr;
  std::uint64_t epoch_ns = 0;
  std::atomic<bool> stopping{false};
  std::atomic<std::int64_t> position{0};
  std::atomic<std::uint64_t> time_ns{0};

  /// The body of the timer thread.
  void run();

 private:
  void call_back(std::int64_t at, std::int32_t half, Instant boundary);
  void ask_for_reset();
};

}  // namespace asiodrv::host
