// What one successful createBuffers made: the host's callbacks, and the memory that its pointers
// lead to.
//
// The host's pointers lead into the section of the session that createBuffers opened: the home
// attachment. When the service goes away and comes back, a new session has a section of its own;
// the home stays mapped, and the stream copies between the two until the host creates new buffers.
//
// A set is shared by the front, the stream's thread and the notifier. Whoever is last frees it, so
// a host's callback that comes late never finds its memory gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "asio/abi.hpp"
#include "asio/errors.hpp"
#include "asio/host_gate.hpp"
#include "core/ports/doorbell.hpp"
#include "core/ports/shared_region.hpp"
#include "core/wire/control.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::asio {

/// One session's section, as mapped here.
struct Attachment {
  std::unique_ptr<ports::SharedRegion> region;
  std::byte* base = nullptr;  ///< of the region
  wire::SectionLayout layout;
  std::uint32_t first_seen = 0;                ///< the wake count before the session was started
  std::unique_ptr<ports::Doorbell> wake, ack;  // destroyed before the region that holds them
  /// Set by the notifier when the service is gone: nobody will ring.
  std::atomic<bool> lost{false};
  /// Set by the stream as its last touch, when it has moved on to another attachment.
  std::atomic<bool> released{false};

  [[nodiscard]] std::byte* input(std::uint32_t channel, std::uint32_t half) const noexcept {
    return base + layout.input_offset(channel, half);
  }
  [[nodiscard]] std::byte* output(std::uint32_t channel, std::uint32_t half) const noexcept {
    return base + layout.output_offset(channel, half);
  }
  [[nodiscard]] std::size_t half_bytes() const noexcept {
    return std::size_t{layout.frames.count} * sample_bytes(layout.type);
  }
};

/// Maps what the service granted and judges its header against what was asked for.
/// Errors: those of SharedRegions::open, malformed. Control thread.
[[nodiscard]] Result<std::unique_ptr<Attachment>> open_attachment(
    ports::SharedRegions& regions, const wire::SessionGrant& grant,
    const wire::SectionLayout& expected);

/// What a service must still offer for buffers made earlier to stay usable.
struct DriverShape {
  std::size_t inputs = 0, outputs = 0;
  SampleType type = SampleType::float32;
  SampleRate rate{};
  wire::BufferSizes sizes;
  bool operator==(const DriverShape&) const = default;
};

[[nodiscard]] inline DriverShape shape_of(const wire::DriverDescription& driver) noexcept {
  return {driver.input_names.size(), driver.output_names.size(), driver.sample_type, driver.rate,
          driver.sizes()};
}

struct BufferSet {
  explicit BufferSet(ports::Threads& threads) : messages(threads) {}

  Callbacks callbacks{};
  bool time_info = false;  ///< use the fourth callback instead of the first
  wire::SessionRequest request;
  wire::SectionLayout layout;
  HostGate messages;  ///< of the notifier's calls into the host
  std::atomic<bool> reset_requested{false};

  // --- control threads, under the front's control lock -------------------------------------------
  std::vector<std::unique_ptr<Attachment>> attachments;  ///< the first one is the home
  Attachment* current = nullptr;  ///< the one of the live session, or of the last one
  DriverShape shape;
  bool sounded = false;  ///< the outputs hold what an earlier stream has played

  [[nodiscard]] Attachment& home() const noexcept { return *attachments.front(); }

  /// Frees the attachments that no stream can touch any more.
  void prune();

  /// Silences what an earlier stream has played: the next one would begin with it.
  void forget_sound() noexcept;
};

/// Checks the arguments of createBuffers. `infos` is read, never written.
/// Refusals: kInvalidParameter (null, no channel, a bad or repeated channel), kInvalidMode (size).
[[nodiscard]] Judged<wire::SessionRequest> plan_buffers(const BufferInfo* infos, std::int32_t count,
                                                        std::int32_t frames,
                                                        const Callbacks* callbacks,
                                                        const wire::DriverDescription& driver);

/// Asks the host whether it wants the time-info callback, and checks that it has one. Calls the
/// host: no lock may be held.
[[nodiscard]] bool wants_time_info(const Callbacks& callbacks);

/// Writes the pointers of both halves into `infos`, in the order of the request, and silences them.
void hand_out(const Attachment& home, std::span<BufferInfo> infos) noexcept;

// --- the stream's thread -------------------------------------------------------------------------

/// Silence half `half` of every input or output. RT: O(channels * frames).
void silence_inputs(const Attachment& at, std::uint32_t half) RT_SAFE;
void silence_outputs(const Attachment& at, std::uint32_t half) RT_SAFE;

/// Copy one half of every input or output between two sections of one layout.
/// RT: O(channels * frames).
void copy_inputs(const Attachment& from, const Attachment& to, std::uint32_t half) RT_SAFE;
void copy_outputs(const Attachment& from, const Attachment& to, std::uint32_t half) RT_SAFE;

}  // namespace asiodrv::asio
