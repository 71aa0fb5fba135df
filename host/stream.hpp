// One running stream on a driver: negotiates rate and buffers, turns callbacks into blocks, counts
// what the driver says. Works on any ASIO driver.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "host/callback_slots.hpp"
#include "host/driver.hpp"
#include "host/system.hpp"

namespace asiodrv::host {

/// How the host uses outputReady.
enum class OutputReadyUse {
  probe,   ///< every block, if the first probe returned 0 (what most hosts do)
  always,  ///< every block, whatever the driver answers
  never,
  once,         ///< in the first block only
  other_thread  ///< every block, shortly after the callback, from a thread of the host
};

struct StreamRequest {
  std::vector<std::int32_t> inputs;  ///< channel numbers, from 0
  std::vector<std::int32_t> outputs;
  std::int32_t frames = 0;  ///< 0: what the driver prefers
  double rate = 0;          ///< 0: as it is
  bool time_info = true;    ///< accept the callback that carries time
  OutputReadyUse output_ready = OutputReadyUse::probe;
};

/// One callback, as the client of a stream sees it.
struct Block {
  std::int32_t half = 0;      ///< which halves of the buffers are ours now
  bool timed = false;         ///< the driver gave position and time itself
  std::int64_t position = 0;  ///< frames since start; counted by us where the driver says nothing
  std::uint64_t system_time = 0;  ///< nanoseconds, the driver's epoch; 0 when unknown
  std::uint32_t flags = 0;        ///< of the time info; 0 without one
  Instant entered{};              ///< our clock, first thing in the callback
};

class StreamClient {
 public:
  /// On the driver's thread. Fill output half `block.half`, read input half `block.half`.
  virtual void on_block(const Block& block) RT_SAFE = 0;
  /// Any thread of the driver; the stream has already counted it.
  virtual void on_message(std::int32_t selector, std::int32_t value) noexcept {
    (void)selector, (void)value;
  }

 protected:
  ~StreamClient() = default;
};

/// What the driver told the host since the stream was opened.
struct StreamCounters {
  std::atomic<std::uint64_t> callbacks{0};
  std::atomic<std::uint64_t> overloads{0};
  std::atomic<std::uint64_t> resyncs{0};
  std::atomic<std::uint64_t> resets{0};
  std::atomic<std::uint64_t> latency_changes{0};
  std::atomic<std::uint64_t> rate_changes{0};
  std::atomic<std::uint64_t> plain_callbacks{0};  ///< without time info
};

/// Control thread, but for what the driver calls. Must outlive neither driver nor client.
class Stream final : private CallbackSink {
 public:
  /// Sets the rate where asked, creates the buffers, reads latencies. Does not start.
  /// Errors: invalid_argument (channel, size or rate that the driver does not have; the sentence
  /// says what it has), unsupported (sample type), internal (a call failed).
  [[nodiscard]] static Result<std::unique_ptr<Stream>> open(World& world, Driver& driver,
                                                            const StreamRequest& request,
                                                            StreamClient& client);
  /// Stops, disposes. A callback that does not return within two seconds ends the process.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> stop();

  [[nodiscard]] std::int32_t frames() const noexcept { return frames_; }
  [[nodiscard]] double rate() const noexcept { return rate_; }
  [[nodiscard]] std::int32_t sample_type() const noexcept { return sample_type_; }
  [[nodiscard]] std::uint32_t bytes_per_sample() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t block_bytes() const noexcept {
    return static_cast<std::size_t>(frames_) * bytes_;
  }
  [[nodiscard]] std::size_t inputs() const noexcept { return inputs_; }
  [[nodiscard]] std::size_t outputs() const noexcept { return infos_.size() - inputs_; }
  [[nodiscard]] std::byte* input(std::size_t channel, std::int32_t half) const RT_SAFE {
    return static_cast<std::byte*>(infos_[channel].buffers[half & 1]);
  }
  [[nodiscard]] std::byte* output(std::size_t channel, std::int32_t half) const RT_SAFE {
    return static_cast<std::byte*>(infos_[inputs_ + channel].buffers[half & 1]);
  }
  [[nodiscard]] std::int32_t input_latency() const noexcept { return input_latency_; }
  [[nodiscard]] std::int32_t output_latency() const noexcept { return output_latency_; }
  [[nodiscard]] bool output_ready_helps() const noexcept { return output_ready_helps_; }
  [[nodiscard]] const StreamCounters& counters() const noexcept { return counters_; }

  /// Reads the latencies again (they may change while running).
  void refresh_latencies();

 private:
  Stream(World& world, Driver& driver, const StreamRequest& request, StreamClient& client);
  [[nodiscard]] Result<> negotiate();
  [[nodiscard]] Result<> choose_rate();
  [[nodiscard]] Result<> choose_frames();
  [[nodiscard]] Result<> check_channels() const;
  [[nodiscard]] Result<> create_buffers();
  [[nodiscard]] Result<> start_ready_caller();
  void stop_ready_caller();
  [[nodiscard]] Block describe(const asio::Time* time, std::int32_t half) RT_SAFE;

  void on_buffer(const asio::Time* time, std::int32_t half, std::int32_t direct) RT_SAFE override;
  void on_rate(double rate) noexcept override;
  std::int32_t on_message(std::int32_t selector, std::int32_t value, void* message,
                          double* option) noexcept override;

  World& world_;
  Driver& driver_;
  StreamClient& client_;
  StreamRequest request_;
  CallbackSlot slot_;
  asio::Callbacks callbacks_{};
  std::vector<asio::BufferInfo> infos_;  ///< inputs first
  std::size_t inputs_ = 0;
  std::int32_t frames_ = 0;
  std::int32_t sample_type_ = 0;
  std::uint32_t bytes_ = 0;
  double rate_ = 0;
  std::int32_t input_latency_ = 0;
  std::int32_t output_latency_ = 0;
  bool output_ready_helps_ = false;
  std::unique_ptr<ports::Signal> block_written_;  ///< OutputReadyUse::other_thread only
  std::unique_ptr<ports::Thread> ready_caller_;
  std::atomic<bool> ready_stopping_{false};
  bool created_ = false;
  bool started_ = false;
  std::int64_t counted_position_ = 0;  ///< audio thread only, while running
  StreamCounters counters_;
};

}  // namespace asiodrv::host
