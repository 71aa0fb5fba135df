// One client's prepared stream: its shared section, its doorbells, and its mailbox for the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.hpp"
#include "core/engine/engine.hpp"
#include "core/ports/shared_region.hpp"
#include "core/wire/control.hpp"
#include "core/wire/section.hpp"

namespace asiodrv::service {

/// What each channel of a session is connected straight to; see engine::ClientSetup.
struct Partners {
  std::vector<engine::Port> inputs, outputs;
};

/// Must outlive its client in the engine. The peer may write the whole section at any time: from it
/// the service reads audio and one reply, of which it uses one bit and the mode.
class Session final : public engine::ClientMailbox {
 public:
  /// Makes and pre-faults the section. Control thread. Errors: those of SharedRegions::create.
  [[nodiscard]] static Result<std::unique_ptr<Session>> create(ports::SharedRegions& regions,
                                                               std::uint32_t id,
                                                               const wire::SessionRequest& request,
                                                               Partners partners, SampleType type,
                                                               SampleRate rate, bool deferred);

  [[nodiscard]] std::uint32_t id() const noexcept { return setup_.id; }
  [[nodiscard]] Frames frames() const noexcept { return layout_.frames; }
  [[nodiscard]] SampleType sample_type() const noexcept { return layout_.type; }
  [[nodiscard]] bool deferred() const noexcept { return setup_.deferred; }
  [[nodiscard]] const engine::ClientSetup& setup() const noexcept { return setup_; }
  [[nodiscard]] const std::string& region_token() const noexcept { return region_->token(); }
  [[nodiscard]] std::uint32_t region_bytes() const noexcept {
    return static_cast<std::uint32_t>(layout_.total_bytes());
  }

  /// The rate that its client has been told; its own, whatever the device does.
  [[nodiscard]] SampleRate rate() const noexcept { return setup_.rate; }
  /// Not while it is in the engine.
  void set_rate(SampleRate rate) noexcept { setup_.rate = rate; }

  /// The next stamp says that the rate, or the clock source, is another one; not for what the
  /// program has done itself. Any thread.
  void announce_rate_change() noexcept { announce(wire::kStampRateChanged); }
  void announce_clock_change() noexcept { announce(wire::kStampClockChanged); }

  // --- engine thread; RT: wait-free --------------------------------------------------------------
  void publish(const engine::ClientStamp& stamp) RT_SAFE override;
  [[nodiscard]] engine::ClientReply reply() const RT_SAFE override;

 private:
  Session() = default;
  Result<> connect();
  void announce(std::uint32_t flag) noexcept { news_.fetch_or(flag, std::memory_order_relaxed); }

  wire::SectionLayout layout_;
  std::unique_ptr<ports::SharedRegion> region_;  // before the doorbells: they must not outlive it
  std::unique_ptr<ports::Doorbell> wake_, ack_;
  engine::ClientSetup setup_;
  std::atomic<std::uint32_t> news_{0};  ///< flags for the next stamp
};

}  // namespace asiodrv::service
