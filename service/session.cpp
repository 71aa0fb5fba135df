#include "service/session.hpp"

#include <algorithm>
#include <utility>

namespace asiodrv::service {
namespace {

/// The smallest page of any system; the first touch of a page is a trip into the kernel, which the
/// engine thread must not make.
constexpr std::size_t kPageBytes = 4096;

void touch_pages(std::span<std::byte> region) noexcept {
  for (std::size_t at = 0; at < region.size(); at += kPageBytes) {
    static_cast<volatile std::byte*>(region.data())[at] = std::byte{0};
  }
}

}  // namespace

Result<std::unique_ptr<Session>> Session::create(ports::SharedRegions& regions, std::uint32_t id,
                                                 const wire::SessionRequest& request,
                                                 Partners partners, SampleType type,
                                                 SampleRate rate, bool deferred) {
  std::unique_ptr<Session> session(new Session());
  session->layout_ = {type, request.frames, static_cast<std::uint32_t>(request.inputs.size()),
                      static_cast<std::uint32_t>(request.outputs.size())};
  auto region = regions.create(session->layout_.total_bytes());
  if (!region) return tl::unexpected<Error>(std::move(region.error()));
  session->region_ = std::move(*region);
  session->setup_.id = id;
  session->setup_.type = type;
  session->setup_.deferred = deferred;
  session->setup_.frames = request.frames;
  session->setup_.rate = rate;
  session->setup_.inputs = std::move(partners.inputs);
  session->setup_.outputs = std::move(partners.outputs);
  if (auto connected = session->connect(); !connected) {
    return tl::unexpected<Error>(std::move(connected.error()));
  }
  return session;
}

/// Fills the section's header and says where everything in it is.
Result<> Session::connect() {
  const std::span<std::byte> bytes = region_->bytes();
  touch_pages(bytes);
  wire::write_header(bytes, layout_);
  for (std::uint32_t i = 0; i < layout_.inputs; ++i) {
    setup_.input_halves.push_back(
        {bytes.data() + layout_.input_offset(i, 0), bytes.data() + layout_.input_offset(i, 1)});
  }
  for (std::uint32_t i = 0; i < layout_.outputs; ++i) {
    setup_.output_halves.push_back(
        {bytes.data() + layout_.output_offset(i, 0), bytes.data() + layout_.output_offset(i, 1)});
  }
  auto wake = region_->doorbell(wire::kWakeOffset, "wake");
  if (!wake) return tl::unexpected<Error>(std::move(wake.error()));
  auto ack = region_->doorbell(wire::kAckOffset, "ack");
  if (!ack) return tl::unexpected<Error>(std::move(ack.error()));
  wake_ = std::move(*wake);
  ack_ = std::move(*ack);
  setup_.wake = wake_.get();
  setup_.ack = ack_.get();
  setup_.mailbox = this;
  return {};
}

void Session::publish(const engine::ClientStamp& stamp) RT_SAFE {
  wire::CycleStamp words{};
  words.sample_position = stamp.sample_position;
  words.boundary_ns = stamp.boundary.ns;
  words.period_ns = stamp.period.count();
  words.half = stamp.half;
  words.rate_hz = stamp.rate_hz;
  words.gap_ns = stamp.gap.count();
  if (stamp.resync) words.flags |= wire::kStampResync;
  if (stamp.discontinuity) words.flags |= wire::kStampDiscontinuity;
  if (news_.load(std::memory_order_relaxed) != 0) {  // mostly none: no locked instruction then
    words.flags |= news_.exchange(0, std::memory_order_relaxed);
  }
  wire::write_stamp(region_->bytes(), words);
}

engine::ClientReply Session::reply() const RT_SAFE {
  const wire::CycleReply words = wire::read_reply(region_->bytes());
  // A mode that does not exist is read as "keep away": silence for this client, nothing else.
  const bool following = words.mode == static_cast<std::uint32_t>(wire::ReplyMode::following);
  return {.next_half = words.next_half & 1U,
          .free_running = !following,
          .entered = Instant{words.entered_ns}};
}

}  // namespace asiodrv::service
