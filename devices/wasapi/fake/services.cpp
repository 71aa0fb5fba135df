#include "devices/wasapi/fake/services.hpp"

namespace asiodrv::devices::wasapi::fake {

Hr RenderService::buffer(std::uint32_t frames, std::uint8_t** data) {
  const Call call(*this, "buffer");
  if (data != nullptr) *data = nullptr;
  return call.refused() ? call.code() : stream().get_render(frames, data);
}

Hr RenderService::release_buffer(std::uint32_t frames, std::uint32_t flags) {
  const Call call(*this, "release_buffer");
  return call.refused() ? call.code() : stream().put_render(frames, flags);
}

Hr CaptureService::buffer(std::uint8_t** data, std::uint32_t* frames, std::uint32_t* flags,
                          std::uint64_t* position, std::uint64_t* qpc) {
  const Call call(*this, "buffer");
  if (call.refused()) return call.code();
  if (data == nullptr || frames == nullptr || flags == nullptr) return kPointer;
  *data = nullptr;
  PacketView packet;
  const Hr result = stream().get_capture(packet);
  if (result == kBufferEmpty) *frames = 0;
  if (result != kOk) return result;
  *data = packet.data;
  *frames = packet.frames;
  *flags = packet.flags;
  if (position != nullptr) *position = packet.position;
  if (qpc != nullptr) *qpc = packet.qpc;
  return kOk;
}

Hr CaptureService::release_buffer(std::uint32_t frames) {
  const Call call(*this, "release_buffer");
  return call.refused() ? call.code() : stream().put_capture(frames);
}

Hr CaptureService::next_packet_size(std::uint32_t* frames) {
  const Call call(*this, "next_packet_size");
  if (call.refused()) return call.code();
  if (frames == nullptr) return kPointer;
  *frames = 0;
  if (stream().loss()) return *stream().loss();
  *frames = stream().next_packet();
  return kOk;
}

Hr ClockService::frequency(std::uint64_t* frequency) {
  const Call call(*this, "frequency");
  if (call.refused()) return call.code();
  if (frequency == nullptr) return kPointer;
  if (stream().loss()) return *stream().loss();
  *frequency = stream().frequency();
  return kOk;
}

Hr ClockService::position(std::uint64_t* position, std::uint64_t* qpc) {
  const Call call(*this, "position");
  return call.refused() ? call.code() : stream().position(position, qpc);
}

Hr ClockService::characteristics(std::uint32_t* characteristics) {
  const Call call(*this, "characteristics");
  if (call.refused()) return call.code();
  if (characteristics == nullptr) return kPointer;
  *characteristics = 1;
  return kOk;
}

Hr SessionService::state(std::int32_t* state) {
  const Call call(*this, "state");
  if (call.refused()) return call.code();
  if (state == nullptr) return kPointer;
  *state = stream().is_dead() ? 2 : stream().is_running() ? 1 : 0;
  return kOk;
}

Hr SessionService::display_name(char16_t** name) {
  const Call call(*this, "display_name");
  if (call.refused()) return call.code();
  if (name == nullptr) return kPointer;
  *name = world().allocate_text(name_, "session.display_name");
  return kOk;
}

Hr SessionService::set_display_name(Text name, const Guid* /*context*/) {
  const Call call(*this, "set_display_name");
  if (call.refused()) return call.code();
  if (name == nullptr) return kPointer;
  name_ = name;
  return kOk;
}

Hr SessionService::icon_path(char16_t** path) {
  const Call call(*this, "icon_path");
  if (call.refused()) return call.code();
  if (path == nullptr) return kPointer;
  *path = world().allocate_text(icon_, "session.icon_path");
  return kOk;
}

Hr SessionService::set_icon_path(Text path, const Guid* /*context*/) {
  const Call call(*this, "set_icon_path");
  if (call.refused()) return call.code();
  if (path == nullptr) return kPointer;
  icon_ = path;
  return kOk;
}

Hr SessionService::grouping(Guid* group) {
  const Call call(*this, "grouping");
  if (call.refused()) return call.code();
  if (group == nullptr) return kPointer;
  *group = Guid{};
  return kOk;
}

Hr SessionService::set_grouping(const Guid* group, const Guid* /*context*/) {
  const Call call(*this, "set_grouping");
  if (call.refused()) return call.code();
  return group == nullptr ? kPointer : kOk;
}

Hr SessionService::register_events(SessionEvents* events) {
  const Call call(*this, "register_events");
  if (call.refused()) return call.code();
  if (events == nullptr) return kPointer;
  events->add_ref();
  stream().register_events(events);
  return kOk;
}

Hr SessionService::unregister_events(SessionEvents* events) {
  const Call call(*this, "unregister_events");
  if (call.refused()) return call.code();
  if (events == nullptr) return kPointer;
  const Hr result = stream().unregister_events(events);
  if (result == kOk) events->release();
  return result;
}

}  // namespace asiodrv::devices::wasapi::fake
