// A program with the production driver front in it: makes buffers, plays, listens, stops, leaves,
// comes again. Its callbacks compare every sample; see host_callback.cpp.
//
// What a host expects to hear is a function of the device's periods (Ledger) and, on channels that
// nobody else plays into, of its own frames and the latency that it was told. Clients of another
// kind (of a cable, behind a gain, with a rate of their own) need another such function only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "asio/front.hpp"
#include "ipc/client/service_client.hpp"
#include "simulation/world/link_spy.hpp"
#include "simulation/world/world.hpp"

namespace asiodrv::simulation {

class Host {
 public:
  Host(World& world, std::uint32_t slot);
  ~Host();

  /// Starts its first fiber.
  void begin();
  /// Its first fiber has ended.
  [[nodiscard]] bool ended() const noexcept { return fiber_ == nullptr || fiber_->done; }
  void forget_fiber() { fiber_.reset(); }

  // --- for the director --------------------------------------------------------------------------
  void die(nanoseconds unnoticed);
  void suspend(nanoseconds duration);
  void stall_stream(nanoseconds duration);
  void be_late(double periods) { late_periods_ = periods; }
  void want_rate(SampleRate rate) { wanted_rate_ = rate; }
  void scribble();
  /// Ends its connection to the service, within a message that it may be sending.
  void cut_off();
  void tear_next_message() { wire_->tear_next = true; }

  /// Away, and no callback of an earlier stream hangs in it any more.
  [[nodiscard]] bool idle() const noexcept { return idle_ && !in_callback_; }
  /// It uses the driver, or did so at `when` or later.
  [[nodiscard]] bool present_since(Instant when) const noexcept { return !idle_ || left_ >= when; }
  [[nodiscard]] bool streaming() const noexcept { return streaming_; }
  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] std::uint32_t session() const noexcept { return spy_.session; }
  [[nodiscard]] const std::string& name() const noexcept { return process_.name; }
  /// It has buffers with a rate or a size of their own, or had them so for a while.
  [[nodiscard]] bool adapted_lately() const { return was_adapted_ || is_adapted(); }
  [[nodiscard]] std::uint32_t output_mask() const noexcept { return output_mask_; }
  [[nodiscard]] const Troubles& troubles() const noexcept { return troubles_; }
  [[nodiscard]] const Loads& loads() const noexcept { return loads_; }
  /// A trouble or a usual load.
  [[nodiscard]] bool was_held_up(Instant from, Instant to) const RT_SAFE {
    return troubles_.overlaps(from, to) || loads_.overlaps(from, to);
  }
  [[nodiscard]] Process& process() noexcept { return process_; }

  // --- from the driver ---------------------------------------------------------------------------
  void block(const asio::Time& time, std::int32_t half);
  std::int32_t message(std::int32_t selector, std::int32_t value);
  void note_lost_periods();
  void note_anchor(Instant now) { anchor_ = now; }

 private:
  void live();
  void visit();
  void use_buffers();
  bool stream_for(nanoseconds duration);
  void rest(nanoseconds duration);
  [[nodiscard]] bool leaving() const { return world_.quiet || world_.over || dead_; }
  void choose_channels();
  void release_outputs();
  void refused(const char* call, std::int32_t error);
  [[nodiscard]] bool explains(std::int32_t error) const;
  [[nodiscard]] bool is_among_others() const;
  [[nodiscard]] bool is_shorter_than_period() const;
  [[nodiscard]] bool was_broken_off() const;
  [[nodiscard]] bool was_slowed() const;
  /// Runs `call` and checks that it is answered in time.
  template <class Call>
  auto timed(const char* name, Call call);
  void watch_callbacks();
  void begin_ending();
  void finish_ending();
  void disown_periods();
  /// It has another rate or buffer size than the device: its part is not counted in periods.
  [[nodiscard]] bool is_adapted() const;
  void note_rate();

  // host_callback.cpp
  void check_adapted(std::uint64_t position, std::int32_t half);
  struct Heard;
  void check_position(std::uint64_t position, const Period* period);
  void check_inputs(std::uint64_t position, std::int32_t half, const Period& period);
  void check_input(std::size_t at, const float* heard, std::uint64_t position,
                   const Period& period);
  [[nodiscard]] bool is_own_pace(Instant boundary, Instant call_before) const;
  void check_silence(std::int32_t half);
  void check_latency(std::uint32_t channel, const float* heard, std::uint64_t position);
  [[nodiscard]] bool damage_named(const Period& source, const Period& heard_in,
                                  std::uint32_t channel) const;
  void play(std::uint64_t position, std::int32_t half, Period* period);
  void take_time();

 public:
  /// When it last began or ended a stream: what it plays may change for a while.
  [[nodiscard]] Instant changed() const noexcept { return changed_; }
  /// How long ago an adapted host's trouble may show.
  [[nodiscard]] nanoseconds way() const noexcept {
    return was_adapted_ ? duration_ceil(Frames{4 * frames_.count}, SampleRate{44'100})
                        : nanoseconds{0};
  }

 private:
  [[nodiscard]] float* buffer(std::size_t at, std::int32_t half) {
    return static_cast<float*>(infos_[at].buffers[half]);
  }

  World& world_;
  const std::uint32_t slot_;
  Process process_;
  FiberThreads threads_;
  Prng rng_;
  std::shared_ptr<Wire> wire_;
  LinkRecord spy_;
  RegionsSpy regions_;
  std::shared_ptr<Fiber> fiber_;
  std::shared_ptr<asio::AsioFront> front_;
  asio::Callbacks callbacks_{};
  std::vector<asio::BufferInfo> infos_;  ///< inputs first
  std::vector<std::uint32_t> inputs_, outputs_;
  std::uint32_t output_mask_ = 0;
  Frames frames_{};
  std::uint64_t torn_before_session_ = 0;
  Troubles troubles_;
  Loads loads_;  ///< empty in a perfect world, where the usual load excuses nothing

  bool idle_ = true, dead_ = false, streaming_ = false, may_be_called_ = false;
  bool ending_ = false;  ///< stop, dispose or shutdown are under way: what is played may be lost
  bool reset_wanted_ = false, latencies_stale_ = false;
  bool lazy_ = false, says_ready_ = false, in_callback_ = false;
  SampleRate wanted_rate_{};
  SampleRate rate_{};         ///< its own
  bool was_adapted_ = false;  ///< at some time since its buffers were made
  double late_periods_ = 0.0;
  double load_ = 0.0;
  std::int32_t told_input_ = 0, told_output_ = 0;

  /// When its last call began, and what had failed until then.
  struct Asked {
    Instant began{};
    std::uint64_t sections = 0, allocations = 0, torn = 0;
  };
  Asked asked_;
  FaultTimes faults_;         ///< its own
  Instant came_{}, left_{};   ///< the beginning of its visit; the end of the last one
  Instant linked_since_{};    ///< when it was granted a session last
  Instant unlinked_since_{};  ///< when it lost one last in this visit; zero: never

  // --- of the present stream
  Instant anchor_{}, started_{}, last_call_{};
  Instant changed_{};
  std::uint64_t base_ = 0;  ///< its frame counter at position 0
  std::uint64_t calls_ = 0;
  std::int64_t told_time_ = 0;
  std::uint64_t last_position_ = 0;
  std::uint64_t last_take_ = 0, last_index_ = 0;  ///< of the last callback; take 0: went alone
  std::uint64_t streak_ = 0;                      ///< callbacks in consecutive periods
  bool tainted_ = false;                          ///< its section was scribbled over
  int scribbles_ = 0;                             ///< troubles that end with its buffers
  std::vector<float> expected_;
};

}  // namespace asiodrv::simulation
