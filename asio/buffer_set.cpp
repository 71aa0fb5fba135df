#include "asio/buffer_set.hpp"

#include <cstring>
#include <string>

namespace asiodrv::asio {
namespace {

bool same_shape(const wire::SectionLayout& a, const wire::SectionLayout& b) noexcept {
  return a.type == b.type && a.frames == b.frames && a.inputs == b.inputs && a.outputs == b.outputs;
}

/// Adds the channel of `info` to its list, unless it is out of range or there already.
Judged<void> add_channel(const BufferInfo& info, std::size_t available,
                         std::vector<std::uint32_t>& list, std::vector<bool>& taken) {
  const std::string what = std::string(info.is_input != 0 ? "Input" : "Output") + " channel " +
                           std::to_string(info.channel);
  if (info.channel < 0 || static_cast<std::size_t>(info.channel) >= available) {
    return refuse(kInvalidParameter, what + " does not exist; there are " +
                                         std::to_string(available) + ", counted from 0.");
  }
  const auto channel = static_cast<std::uint32_t>(info.channel);
  if (taken[channel]) return refuse(kInvalidParameter, what + " was asked for twice.");
  taken[channel] = true;
  list.push_back(channel);
  return {};
}

Judged<void> check_frames(std::int32_t frames, const wire::DriverDescription& driver) {
  if (frames <= 0) {
    return refuse(kInvalidParameter,
                  "The buffer size " + std::to_string(frames) + " is not a number of frames.");
  }
  const wire::BufferSizes& sizes = driver.sizes();
  if (sizes.offers({static_cast<std::uint32_t>(frames)})) return {};
  return refuse(kInvalidMode, "The buffer size " + std::to_string(frames) +
                                  " is not offered; use " + wire::sizes_text(sizes) + ".");
}

}  // namespace

Result<std::unique_ptr<Attachment>> open_attachment(ports::SharedRegions& regions,
                                                    const wire::SessionGrant& grant,
                                                    const wire::SectionLayout& expected) {
  auto region = regions.open(grant.region_token, expected.total_bytes());
  if (!region) return tl::unexpected<Error>(region.error());
  const auto layout = wire::read_header((*region)->bytes());
  if (!layout || !same_shape(*layout, expected)) {
    return fail(ErrorCode::malformed,
                "The service made buffers of another shape than asked for; restart it.");
  }
  auto attachment = std::make_unique<Attachment>();
  attachment->region = std::move(*region);
  attachment->base = attachment->region->bytes().data();
  attachment->layout = *layout;
  auto wake = attachment->region->doorbell(wire::kWakeOffset, "wake");
  if (!wake) return tl::unexpected<Error>(wake.error());
  auto ack = attachment->region->doorbell(wire::kAckOffset, "ack");
  if (!ack) return tl::unexpected<Error>(ack.error());
  attachment->wake = std::move(*wake);
  attachment->ack = std::move(*ack);
  attachment->first_seen = attachment->wake->count();
  return attachment;
}

void BufferSet::prune() {
  for (std::size_t i = attachments.size(); i-- > 1;) {
    Attachment* const each = attachments[i].get();
    if (each != current && each->released.load(std::memory_order_acquire)) {
      attachments.erase(attachments.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

void BufferSet::forget_sound() noexcept {
  for (std::uint32_t channel = 0; channel < home().layout.outputs; ++channel) {
    for (std::uint32_t half = 0; half < 2; ++half) {
      std::memset(home().output(channel, half), 0, home().half_bytes());
    }
  }
  sounded = false;
}

Judged<wire::SessionRequest> plan_buffers(const BufferInfo* infos, std::int32_t count,
                                          std::int32_t frames, const Callbacks* callbacks,
                                          const wire::DriverDescription& driver) {
  if (infos == nullptr || callbacks == nullptr) {
    return refuse(kInvalidParameter, "createBuffers was given a null pointer.");
  }
  const std::size_t inputs = driver.input_names.size();
  const std::size_t outputs = driver.output_names.size();
  if (count <= 0 || static_cast<std::size_t>(count) > inputs + outputs) {
    return refuse(kInvalidParameter, "createBuffers was asked for " + std::to_string(count) +
                                         " channels; 1 to " + std::to_string(inputs + outputs) +
                                         " are possible.");
  }
  if (const auto checked = check_frames(frames, driver); !checked) {
    return tl::unexpected<Refusal>(checked.error());
  }
  wire::SessionRequest request{
      .frames = {static_cast<std::uint32_t>(frames)}, .inputs = {}, .outputs = {}};
  std::vector<bool> taken_inputs(inputs), taken_outputs(outputs);
  for (const BufferInfo& info : std::span(infos, static_cast<std::size_t>(count))) {
    const auto added = info.is_input != 0
                           ? add_channel(info, inputs, request.inputs, taken_inputs)
                           : add_channel(info, outputs, request.outputs, taken_outputs);
    if (!added) return tl::unexpected<Refusal>(added.error());
  }
  return request;
}

bool wants_time_info(const Callbacks& callbacks) {
  // The direct question counts: some hosts say that they understand it and then answer no. A yes
  // without a callback is a no as well.
  return callbacks.message != nullptr && callbacks.buffer_switch_time_info != nullptr &&
         callbacks.message(kSupportsTimeInfo, 0, nullptr, nullptr) == 1;
}

void hand_out(const Attachment& home, std::span<BufferInfo> infos) noexcept {
  std::uint32_t inputs = 0, outputs = 0;
  for (BufferInfo& info : infos) {
    const std::uint32_t index = info.is_input != 0 ? inputs++ : outputs++;
    for (std::uint32_t half = 0; half < 2; ++half) {
      std::byte* const block =
          info.is_input != 0 ? home.input(index, half) : home.output(index, half);
      std::memset(block, 0, home.half_bytes());
      info.buffers[half] = block;
    }
  }
}

void silence_inputs(const Attachment& at, std::uint32_t half) RT_SAFE {
  for (std::uint32_t channel = 0; channel < at.layout.inputs; ++channel) {
    std::memset(at.input(channel, half), 0, at.half_bytes());
  }
}

void silence_outputs(const Attachment& at, std::uint32_t half) RT_SAFE {
  for (std::uint32_t channel = 0; channel < at.layout.outputs; ++channel) {
    std::memset(at.output(channel, half), 0, at.half_bytes());
  }
}

void copy_inputs(const Attachment& from, const Attachment& to, std::uint32_t half) RT_SAFE {
  for (std::uint32_t channel = 0; channel < to.layout.inputs; ++channel) {
    std::memcpy(to.input(channel, half), from.input(channel, half), to.half_bytes());
  }
}

void copy_outputs(const Attachment& from, const Attachment& to, std::uint32_t half) RT_SAFE {
  for (std::uint32_t channel = 0; channel < to.layout.outputs; ++channel) {
    std::memcpy(to.output(channel, half), from.output(channel, half), to.half_bytes());
  }
}

}  // namespace asiodrv::asio
