// Several devices as one. The first is the clock master and is served on the engine thread; each
// other one runs at its own clock on a thread of its own, behind rings and an adaptive resampler.
//
// Channels: the master's first, then the others' in the given order. All inputs of one block were
// captured at the same instant and all outputs of one block leave at the same instant, to within a
// frame; the faster ones wait for the slowest. latency() is that common delay (formula and reasons:
// member_plan.hpp):
//
//   inputs   A = max over the members of (L + P + S F + H + 5) / r         at least the master's L
//   outputs  A = max over the members of (2 P + L + S F + 5) / r + H       at least the master's L
//
// with P the member's period, F its rate, r the ratio of the rates, L its own latency, H the
// resampler's look-ahead (32 frames in standard quality at equal rates), S the stall allowance; 0.2
// % more for clocks that differ. Members with periods of 64 frames at 48 kHz, S = 2 ms: 198 and 262
// frames.
//
// A member that is lost is silence at its channels; the master and the others go on. It is tried
// again every 500 ms on a control thread of its own, and comes back with its place found anew. A
// member that is away when the device is opened, or takes too long for it, counts as lost; so does
// one that claims what cannot be true (a period number that leaps, a latency beyond a second).
// Losing the master is losing the device, and so is a lost member that is there again with another
// rate, other channels or a longer latency: open() makes a place for it. A member whose clock
// differs by more than 2000 ppm is jumped after (skips).
//
// Between the engine's thread and the members' there are only wait-free rings: a stuck member costs
// its own channels, nothing else. open, start, stop and close reach all members at once and wait
// for them no longer than the port allows: a member that is still inside a call then is left alone,
// is `busy`, and does what was asked of it last as soon as that call returns.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/audio/clock/clock_filter.hpp"
#include "core/audio/resampler/filter_table.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/thread.hpp"
#include "devices/combined/member_event.hpp"

namespace asiodrv::devices {

class MemberPump;
class MemberLink;

inline constexpr std::size_t kMinMembers = 2;
inline constexpr std::size_t kMaxMembers = 8;
inline constexpr nanoseconds kMaxStallAllowance = std::chrono::milliseconds{200};

/// One of the devices, the first of which is the master.
struct CombinedMember {
  std::unique_ptr<ports::Device> device;
  std::string prefix;  ///< before each of its channels' names, for example "B: "
  /// In place of the device's own names, from the first channel on; may be shorter, an empty name
  /// leaves the device's.
  std::vector<std::string> input_names, output_names;
};

struct CombinedOptions {
  std::string name;  ///< empty: the members' names, joined by " + "
  /// How late a member's thread (or the engine) may be without damage; 0 to 200 ms.
  nanoseconds stall_allowance = std::chrono::milliseconds{2};
  audio::ResamplerQuality quality = audio::ResamplerQuality::standard;
  /// No threads are made: whoever sets this steps the members (pump) and has lost ones tried again
  /// (retry_lost). For tests and simulations in virtual time.
  bool by_hand = false;
};

enum class MemberState : std::uint8_t {
  stopped,    ///< the combined device does not run
  busy,       ///< silent; a call into its device has not returned
  lost,       ///< silent, tried again every 500 ms
  starting,   ///< runs, its clock is not known yet: silent
  acquiring,  ///< sounds, its speed is being found
  tracking    ///< sounds, locked
};

[[nodiscard]] constexpr const char* member_state_name(MemberState state) noexcept {
  switch (state) {
    case MemberState::stopped: return "stopped";
    case MemberState::busy: return "busy";
    case MemberState::lost: return "lost";
    case MemberState::starting: return "starting";
    case MemberState::acquiring: return "acquiring";
    case MemberState::tracking: return "tracking";
  }
  return "stopped";
}

struct MemberStatus {
  MemberState state = MemberState::stopped;
  ports::DeviceFormat format{};    ///< what it is opened at
  double offset_ppm = 0;           ///< of its clock relative to the master's, as the servo has it
  double fill_frames = 0;          ///< of its capture ring (playback, without inputs), its frames
  std::uint64_t skips = 0;         ///< places found anew after a jump
  std::uint64_t xruns = 0;         ///< times its rings ran dry, either direction
  std::uint64_t lost_periods = 0;  ///< of its own hardware
  std::uint64_t late_commits = 0;  ///< blocks that its hardware refused
  std::uint64_t nonsense = 0;      ///< periods that could not be true; each ends as a loss
  std::uint64_t returns = 0;       ///< starts after a loss
};

class CombinedDevice final : public ports::Device {
 public:
  /// Clock and threads must outlive the device, and a member's thread that did not end in time.
  /// Errors: invalid_argument, naming what is accepted.
  [[nodiscard]] static Result<std::unique_ptr<CombinedDevice>> make(
      ports::Clock& clock, ports::Threads& threads, std::vector<CombinedMember> members,
      CombinedOptions options = {});
  ~CombinedDevice() override;

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  /// All devices look again, one after the other.
  void refresh() override;
  /// As Device::open. The rate and the period are the master's; a member takes its nearest rate and
  /// the longest of its periods that is not longer. Takes about 60 ms per different rate, and waits
  /// for members for 1.8 s.
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override;
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return common_; }
  /// Those of all devices, the master's first, joined by "/": "exclusive/-/shared". "-": it has one
  /// alone, or was not open yet; one that is away keeps its own. Empty: no device has several.
  [[nodiscard]] std::string mode() const override;
  /// Members that take longer than half a second to start join when they are ready. Plans anew, and
  /// latency() changes, when a device has measured more of itself since than it was planned for.
  [[nodiscard]] Result<> start() override;
  /// Both take as long as the master's own, and at least as long as the members', up to 1.9 s.
  void stop() noexcept override;
  void close() noexcept override;
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override;
  bool commit() RT_SAFE override;
  void interrupt() RT_SAFE override;

  /// What may pace the master paces all: its clock sources, and the choice among them.
  [[nodiscard]] ports::ClockState clock_state() const noexcept override {
    return master_->clock_state();
  }
  [[nodiscard]] Result<> select_clock(std::uint32_t source) override {
    return master_->select_clock(source);
  }
  [[nodiscard]] Result<> feed_external_clock(SampleRate rate) override {
    return master_->feed_external_clock(rate);
  }

  /// The members without the master.
  [[nodiscard]] std::size_t members() const noexcept;
  /// Of member `index`, counted from 0 without the master. Any thread, while nobody opens, starts
  /// or closes the device.
  [[nodiscard]] MemberStatus status(std::size_t index) const noexcept;
  /// Why the member is not there, for people; empty when it is. As status.
  [[nodiscard]] std::string trouble(std::size_t index) const;
  /// The next thing that happened to a member, oldest first; false when there is no more. One
  /// control thread at a time. Kept are 256 of them.
  [[nodiscard]] bool next_event(MemberEvent& event) noexcept { return events_.pop(event); }
  /// Those of the master, and why members are not there.
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] std::string loss() const override;
  [[nodiscard]] std::vector<ports::DevicePart> parts() const override;
  [[nodiscard]] std::vector<ports::DevicePartEvent> take_part_events() override;
  /// Events that found nobody to fetch the earlier ones.
  [[nodiscard]] std::uint64_t dropped_events() const noexcept { return events_.dropped(); }

  /// By hand only: one attempt for each lost member, as is made every 500 ms.
  void retry_lost();
  /// By hand only: what steps a member; null unless open.
  [[nodiscard]] MemberPump* pump(std::size_t index) noexcept;

 private:
  struct Members;
  struct Buffers;

  CombinedDevice(ports::Clock& clock, std::unique_ptr<ports::Device> master,
                 std::unique_ptr<Members> members, std::vector<CombinedMember> names,
                 const CombinedOptions& options);

  void renew_info();
  [[nodiscard]] Result<> try_renew();
  [[nodiscard]] Result<> choose_formats(const ports::DeviceFormat& format);
  [[nodiscard]] Result<> open_all(const ports::DeviceFormat& format);
  [[nodiscard]] Result<> judge_master(SampleRate rate) const;
  [[nodiscard]] Result<> try_links(const ports::DeviceFormat& format);
  [[nodiscard]] Result<> make_links(const ports::DeviceFormat& format);
  [[nodiscard]] bool has_outgrown_plan() const;
  [[nodiscard]] bool needs_plan() RT_SAFE;

  ports::Clock& clock_;
  const std::unique_ptr<ports::Device> master_;
  const std::unique_ptr<Members> members_;
  const std::vector<CombinedMember> names_;  // of all channels, the master's first; no devices
  const CombinedOptions options_;
  ports::DeviceInfo info_;
  ports::DeviceFormat format_{};
  ports::DeviceLatency common_{};
  bool open_ = false;
  std::atomic<bool> running_{false};
  std::atomic<std::size_t> changed_{kMaxMembers};  // the member that has ended the run, if one has

  // Engine thread, between start and stop.
  std::vector<std::unique_ptr<MemberLink>> links_;
  std::unique_ptr<Buffers> buffers_;
  audio::ClockFilter engine_clock_{{SampleRate{48'000}, Frames{64}}};
  ports::DevicePeriod master_period_{};
  std::uint64_t next_index_ = 0;      // of the period after the one delivered last
  std::uint64_t next_committed_ = 0;  // the same for commits
  bool outstanding_ = false;
  bool late_ = false;  // the last block was not played
  MemberEvents events_;
};

}  // namespace asiodrv::devices
