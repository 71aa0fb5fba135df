// One run from start() to stop(): calls the host once per period, in step with the service while it
// rings, alone and on silence while it does not.
//
//   following   the service rings; the host is called with half `next_half_`, then the service is
//               answered (by the host's outputReady, or when its callback returns)
//   alone       no ring for three periods (20 ms at least), or the link is lost: both halves are
//               announced as ours (free_running), inputs are silenced, and the host is called at
//               the nominal pace. The next ring ends it: that cycle still carries no audio, its
//               answer says `following`, and the one after it sounds again.
//
// The host sees halves 0, 1, 0, 1, ... and positions that only grow, whatever happens below.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "asio/abi.hpp"
#include "asio/buffer_set.hpp"
#include "asio/host_gate.hpp"
#include "asio/time_info.hpp"
#include "core/base/rt.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/thread.hpp"

namespace asiodrv::asio {

class Stream {
 public:
  struct Setup {
    ports::Clock& clock;
    ports::Threads& threads;
    std::shared_ptr<BufferSet> buffers;
    std::shared_ptr<PositionBoard> board;
    std::uint64_t epoch_ms = 0;  ///< the host's clock at this moment
    SampleRate rate{};           ///< now, not 0
    /// Earlier streams whose callback the host has not left yet: callbacks must not overlap.
    std::vector<std::shared_ptr<Stream>> before;
  };

  /// Control thread; the session is not started yet.
  explicit Stream(Setup setup);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // --- control threads, under the front's control lock -------------------------------------------

  /// Starts a thread that calls run(). Not for streams that somebody else steps.
  [[nodiscard]] static Result<> launch(const std::shared_ptr<Stream>& stream,
                                       ports::Threads& threads);
  /// The service has been told to ring: from now on its silence counts.
  void arm() noexcept;
  /// The stream moves over to `attachment`, whose reply already says free_running.
  void hand_over(Attachment* attachment) noexcept;
  /// The link is lost: no ring will come through the present attachment.
  void note_loss() noexcept;
  /// No callback begins after this has returned.
  void close() noexcept;

  // --- any control thread, without locks ---------------------------------------------------------

  /// After close(): true when the host has left the callback and the thread has ended. Waits until
  /// `deadline` at most. Never from inside the callback.
  [[nodiscard]] bool finish(Instant deadline);
  /// True on the thread that is inside this stream's callback.
  [[nodiscard]] bool is_calling_thread() const noexcept;
  [[nodiscard]] bool plays(const BufferSet& buffers) const noexcept {
    return buffers_.get() == &buffers;
  }
  /// True while the host is inside the callback, whoever asks.
  [[nodiscard]] bool in_callback() const noexcept { return gate_.occupied(); }
  /// Gives the thread up: it ends by itself when the host lets it. After close().
  void abandon();

  // --- the stream's thread, or whoever steps it --------------------------------------------------

  void run() noexcept;
  /// Serves what is due and returns; true when the host was called. One clock read before and one
  /// after the host. RT but for the host itself.
  bool step() RT_SAFE;
  /// When step() has something to do at the latest, if nobody rings.
  [[nodiscard]] Instant due() const noexcept { return due_; }

  /// The host has written its outputs. Counts on the calling thread inside the callback only: from
  /// elsewhere it could belong to an earlier block. RT: wait-free, one ring.
  void output_ready() RT_SAFE;

 private:
  void adopt() RT_SAFE;
  bool serve_ring() RT_SAFE;
  bool serve_alone() RT_SAFE;
  void call_host(Instant boundary, std::uint32_t changes) RT_SAFE;
  void leave_host() RT_SAFE;
  void acknowledge() RT_SAFE;
  void advance_position(std::uint64_t stamped) RT_SAFE;
  void follow_rate(double rate_hz) RT_SAFE;
  void wait_for_work() noexcept;
  void wait_for_earlier() noexcept;
  [[nodiscard]] std::span<std::byte> section() const noexcept {
    return {current_->base, wire::kAudioOffset};
  }
  [[nodiscard]] bool bridging() const noexcept { return current_ != home_; }

  ports::Clock& clock_;
  const std::shared_ptr<BufferSet> buffers_;
  const std::shared_ptr<PositionBoard> board_;
  HostGate gate_;
  std::vector<std::shared_ptr<Stream>> before_;
  ports::Mutex finishing_;                 // several control threads may wait for our end
  std::unique_ptr<ports::Thread> thread_;  // guarded by finishing_, once launched
  bool joined_ = false;                    // likewise
  std::atomic<ports::Thread*> running_thread_{nullptr};  // null when somebody else steps

  // Written by control threads, picked up by the stream.
  std::atomic<Attachment*> incoming_{nullptr};
  std::atomic<Attachment*> listening_;  // whose doorbell to interrupt
  std::atomic<bool> armed_{false};

  // The stream's own.
  Attachment* const home_;
  Attachment* current_;
  HostTime time_;
  Time host_time_{};
  std::uint32_t seen_;  // wake count served last
  std::uint32_t next_half_ = 0;
  std::uint64_t position_ = 0;  // of the block served last
  std::uint64_t offset_ = 0;    // added to the service's positions so that ours never go back
  bool called_ = false;         // position_ means something
  double rate_hz_;
  nanoseconds period_{};
  nanoseconds patience_{};  // without a ring, before we go on alone
  Instant due_;
  Instant last_call_{};
  bool waiting_since_armed_ = false;
  bool alone_ = false;             // free_running is announced
  std::uint32_t alone_calls_ = 0;  // since then
  bool owes_reply_ = false;
  bool copies_back_ = false;
  Instant entered_{};
  std::atomic<std::uint32_t> barrier_{0};
};

}  // namespace asiodrv::asio
