// The driver as a host sees it, without COM: every method of the ABI, in any state and thread.
//
// Threads      control calls (one at a time, whoever calls; serialised by a lock)
//              the stream's thread, which calls the host once per period (stream.hpp)
//              the notifier's thread, which sends messages to the host and brings a lost service
//              back (notifier.cpp)
// Locks        control_ is held while the service is asked, never while the host is called or
//              waited for; data_ is held for a few copies. Nothing is held across a callback.
// Ending       stop, dispose and shutdown work from anywhere, from inside the host's callbacks too.
//              They wait for a callback of another thread for a bounded time; whatever a late one
//              may touch lives until it has returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "asio/abi.hpp"
#include "asio/buffer_set.hpp"
#include "asio/errors.hpp"
#include "asio/lifecycle.hpp"
#include "asio/mixer_memory.hpp"
#include "asio/stream.hpp"
#include "asio/time_info.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/shared_region.hpp"
#include "core/ports/thread.hpp"
#include "ipc/client/service_link.hpp"

namespace asiodrv::asio {

inline constexpr const char* const& kDriverName = kProduct.driver_name;
inline constexpr const std::int32_t& kDriverVersion = kProduct.version_number;

/// The world of one driver object. The references outlive every thread of it: a process keeps them
/// for good, a test until its threads have ended.
struct FrontPorts {
  ports::Clock& clock;
  ports::Threads& threads;
  ports::SharedRegions& regions;
  std::function<std::unique_ptr<ipc::ServiceLink>()> make_link;
  std::uint64_t (*host_epoch_ms)() = nullptr;
  /// Opens the control panel and returns at once; empty: there is none.
  std::function<Result<>()> open_panel{};
  /// What it returns is kept while the stream runs (precise timers); empty: nothing is needed.
  std::function<std::shared_ptr<void>()> boost{};
  /// Outlives driver objects: some hosts set the rate, destroy the driver, create it anew and
  /// expect the rate to hold. 0 = never set. May be null.
  std::atomic<std::uint32_t>* remembered_rate_hz = nullptr;
};

struct FrontOptions {
  bool manual_stream = false;    ///< no stream thread: the owner calls serve_cycle()
  bool manual_notifier = false;  ///< no notifier thread: the owner calls serve_notifier()
};

class AsioFront : public std::enable_shared_from_this<AsioFront> {
 public:
  /// Cheap; touches nothing.
  [[nodiscard]] static std::shared_ptr<AsioFront> create(FrontPorts ports, FrontOptions options);
  /// After shutdown(), which the owner calls: threads of ours hold references until then.
  ~AsioFront();
  AsioFront(const AsioFront&) = delete;
  AsioFront& operator=(const AsioFront&) = delete;

  // --- the ABI's methods, in slot order. All but init return an AsioError or kFutureSuccess ----

  /// Finds the service, starting it if need be, within 3 s. Touches no device.
  [[nodiscard]] bool init();
  void get_driver_name(char* name) const noexcept;
  void get_error_message(char* message) noexcept;
  std::int32_t start();
  std::int32_t stop();
  std::int32_t get_channels(std::int32_t* inputs, std::int32_t* outputs);
  std::int32_t get_latencies(std::int32_t* input, std::int32_t* output);
  std::int32_t get_buffer_size(std::int32_t* minimum, std::int32_t* maximum,
                               std::int32_t* preferred, std::int32_t* granularity);
  std::int32_t can_sample_rate(double rate);
  std::int32_t get_sample_rate(double* rate);
  std::int32_t set_sample_rate(double rate);
  std::int32_t get_clock_sources(ClockSource* sources, std::int32_t* count);
  std::int32_t set_clock_source(std::int32_t index);
  std::int32_t get_sample_position(U64Pair* position, U64Pair* time);
  std::int32_t get_channel_info(ChannelInfo* info);
  std::int32_t create_buffers(BufferInfo* infos, std::int32_t count, std::int32_t frames,
                              const Callbacks* callbacks);
  std::int32_t dispose_buffers();
  std::int32_t control_panel();
  std::int32_t future(std::int32_t selector, void* option);
  std::int32_t output_ready() noexcept;

  // --- around them -------------------------------------------------------------------------------

  /// Stops, disposes, hangs up and ends the threads; afterwards no host callback is touched, but
  /// for one that is still inside the host. Repeatable. What the last Release does.
  void shutdown();

  /// Keeps `text` for get_error_message and returns `error`.
  std::int32_t explain(AsioError error, std::string_view text) noexcept;
  [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_acquire); }

  // --- for owners that step it themselves --------------------------------------------------------

  /// manual_stream: serves one ring, or one block that is due without; true when the host was
  /// called. Call it when the wake doorbell rang, and at next_due() at the latest.
  bool serve_cycle();
  [[nodiscard]] Instant next_due() const;
  /// One step of the notifier: an event, a lost link, an attempt to come back, or nothing until
  /// `until`.
  void serve_notifier(Instant until);

 private:
  /// Takes the control lock for a call that must not wait for an attempt to reconnect.
  class Entry;
  enum class Attempt : std::uint8_t { none, running, aborted };

  /// A host must not wait longer for one call than this.
  static constexpr nanoseconds kConnectBound = std::chrono::seconds{3};

  AsioFront(FrontPorts ports, FrontOptions options);

  // front.cpp
  [[nodiscard]] std::int32_t refused(Call call) noexcept;
  [[nodiscard]] std::int32_t explain(const Refusal& refusal) noexcept;
  [[nodiscard]] Instant within(nanoseconds bound) const { return ports_.clock.now() + bound; }
  [[nodiscard]] Result<> launch_notifier();
  [[nodiscard]] Result<> run_session();
  [[nodiscard]] Result<> run_stream();
  [[nodiscard]] std::shared_ptr<Stream> end_stream();
  [[nodiscard]] std::shared_ptr<BufferSet> end_buffers();
  void settle(const std::shared_ptr<Stream>& stream);
  void sweep_stopped();
  [[nodiscard]] bool drain_readers() noexcept;
  void await_messages(const std::shared_ptr<BufferSet>& buffers);
  void end_notifier();
  [[nodiscard]] bool on_notifier() const noexcept;

  // front_service.cpp: the conversation. Under control_.
  [[nodiscard]] Result<> connect(nanoseconds bound);
  [[nodiscard]] Result<wire::DriverDescription> ask_service(Instant deadline);
  [[nodiscard]] bool select_clock_again(const wire::DriverDescription& driver, Instant deadline);
  void look_again(nanoseconds bound);
  void adopt(wire::DriverDescription description);
  Result<> restore_rate();
  [[nodiscard]] Result<> keep_rate(SampleRate before);
  [[nodiscard]] Result<wire::SessionGrant> ask_for_session(const wire::SessionRequest& request);
  [[nodiscard]] Result<> open_session(BufferSet& buffers);
  [[nodiscard]] Result<bool> reopen_session(BufferSet& buffers, nanoseconds bound);
  [[nodiscard]] Result<> attach(BufferSet& buffers, const wire::SessionGrant& grant);
  [[nodiscard]] Result<> ensure_link();
  Result<> judge(Result<> answer);
  void lose_link() noexcept;
  void set_latencies(Frames input, Frames output) noexcept;
  void estimate_latencies();
  void apply_rate(SampleRate rate);

  // front_queries.cpp
  [[nodiscard]] bool offers_rate(double rate);
  [[nodiscard]] std::int32_t use_external_sync();
  [[nodiscard]] std::int32_t select_clock(std::uint32_t index);
  [[nodiscard]] std::int32_t io_format(std::int32_t selector, IoFormat* format);
  [[nodiscard]] std::int32_t internal_buffers(InternalBufferInfo* info);

  // front_mixer.cpp
  [[nodiscard]] bool inside_own_callback() noexcept;
  [[nodiscard]] std::int32_t mixer(std::int32_t selector, void* option);
  [[nodiscard]] std::int32_t set_monitor(const InputMonitor* monitor);
  [[nodiscard]] std::int32_t set_gain(const ChannelControls* controls, bool input);
  [[nodiscard]] std::int32_t get_meter(ChannelControls* controls, bool input);
  [[nodiscard]] std::int32_t pass_on(const Result<>& answer);
  [[nodiscard]] Result<> judge_wish(Result<> answer);
  [[nodiscard]] Result<> repeat_mixer();

  // notifier.cpp
  void notifier_loop() noexcept;
  void note_link_loss(std::uint32_t conversation);
  void try_reconnect();
  void handle(const wire::HostEvent& event);
  void handle_rate(SampleRate rate);
  void handle_latencies(const wire::HostEvent& event);
  void handle_overload();
  void handle_reset();
  void handle_clock();
  void look_when_idle();
  void request_reset();
  void tell(MessageSelector selector);
  [[nodiscard]] std::shared_ptr<BufferSet> buffers();

  const FrontPorts ports_;
  const FrontOptions options_;

  std::atomic<State> state_{State::loaded};  // written under control_
  std::atomic<std::int32_t> input_latency_{0}, output_latency_{0};
  std::atomic<std::uint32_t> rate_hz_{0};
  std::atomic<bool> overload_wanted_{false};
  std::atomic<bool> ended_{false};
  const std::shared_ptr<PositionBoard> board_ = std::make_shared<PositionBoard>();

  // output_ready reaches the stream through live_; readers_ says who may still hold the pointer.
  std::atomic<Stream*> live_{nullptr};
  std::atomic<std::int32_t> readers_{0};

  ports::Mutex control_;
  std::unique_ptr<ipc::ServiceLink> link_;        // set once, by init
  std::shared_ptr<Stream> stream_;                // the running one
  std::vector<std::shared_ptr<Stream>> stopped_;  // closed, not yet seen to end
  std::shared_ptr<void> boost_;
  bool session_live_ = false;                   // the service knows our buffers
  std::atomic<bool> link_up_{false};            // written under control_
  std::atomic<std::uint32_t> conversation_{0};  // counts successful connects
  std::atomic<bool> description_stale_{false};
  std::atomic<std::uint32_t> host_rate_hz_{0};  // the rate that the host is setting now
  std::atomic<Attempt> attempt_{Attempt::none};
  std::atomic<std::int32_t> waiters_{0};

  ports::Mutex data_;  // innermost; guards what follows
  wire::DriverDescription description_;
  std::string foreign_clock_;           // that the host has selected, and nobody another one since
  std::shared_ptr<BufferSet> buffers_;  // written under control_ too
  char message_[kErrorMessageBytes] = "No error has occurred.";

  MixerMemory mixer_;           // guarded by control_
  wire::ChannelLevels levels_;  // as of levels_at_; guarded by control_
  Instant levels_at_{};
  Instant levels_again_{};                 // not asked for earlier; guarded by control_
  std::unique_ptr<ports::Signal> notify_;  // the notifier has something to look at
  std::unique_ptr<ports::Thread> notifier_;
  std::atomic<ports::Thread*> notifier_id_{nullptr};  // for is_current only
  Instant retry_at_{};                                // the notifier's own
  nanoseconds pause_{0};
  Instant next_overload_{};
};

}  // namespace asiodrv::asio
