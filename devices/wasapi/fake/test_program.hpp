// A naive program against the fake: as little as possible between a test and the calls. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/world.hpp"

namespace asiodrv::devices::wasapi::fake::test {

/// One reference of the program's.
template <class Interface>
class Ref {
 public:
  Ref() = default;
  explicit Ref(Interface* object) : object_(object) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    reset();
    object_ = std::exchange(other.object_, nullptr);
    return *this;
  }
  ~Ref() { reset(); }
  void reset() {
    if (object_ != nullptr) std::exchange(object_, nullptr)->release();
  }
  [[nodiscard]] Interface* get() const { return object_; }
  Interface* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  Interface** out() {
    reset();
    return &object_;
  }
  void** out_any() { return reinterpret_cast<void**>(out()); }

 private:
  Interface* object_ = nullptr;
};

/// All endpoints of `world`, and no others.
inline std::vector<std::string> no_findings() { return {}; }

/// True when one of the violations begins with `rule`.
inline bool has_violation(const World& world, const std::string& rule) {
  for (const std::string& text : world.violations()) {
    if (text.starts_with(rule)) return true;
  }
  return false;
}

struct Program {
  explicit Program(WorldOptions options = {}) : world(options), com(world.hold_com()) {
    world.make_enumerator(enumerator.out());
  }
  /// Leaks are looked for when everything of the program's is gone.
  ~Program() { finish(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void finish() {
    if (com == nullptr) return;
    streams.clear();
    for (EventHandle event : events) world.close_event(event);
    enumerator.reset();
    com.reset();
    if (expects_clean) {
      EXPECT_EQ(world.violations(), no_findings());
    }
    EXPECT_EQ(world.leaks(), no_findings());
  }

  Ref<MmDevice> device_of(const Endpoint& endpoint) {
    Ref<MmDevice> device;
    EXPECT_EQ(enumerator->device(endpoint.spec().id.c_str(), device.out()), kOk);
    return device;
  }
  Ref<AudioClient3> activate(const Endpoint& endpoint) {
    Ref<AudioClient3> client;
    EXPECT_EQ(device_of(endpoint)->activate(AudioClient3::kId, 0x17, nullptr, client.out_any()),
              kOk);
    return client;
  }
  template <class Interface>
  Ref<Interface> service(AudioClient3& client) {
    Ref<Interface> service;
    EXPECT_EQ(client.service(Interface::kId, service.out_any()), kOk);
    return service;
  }
  EventHandle new_event() {
    events.push_back(world.make_event());
    return events.back();
  }
  /// Whether `event` comes within `limit`.
  bool wait(EventHandle event, nanoseconds limit = milliseconds{50}) {
    return world.wait_any({&event, 1}, world.now() + limit).end == WaitEnd::signalled;
  }

  World world;
  std::shared_ptr<void> com;
  Ref<MmDeviceEnumerator> enumerator;
  std::vector<EventHandle> events;
  std::vector<std::shared_ptr<void>> streams;  ///< released before the end
  bool expects_clean = true;
};

/// An open stream with its services.
struct Open {
  Ref<AudioClient3> client;
  Ref<RenderClient> render;
  Ref<CaptureClient> capture;
  Ref<AudioClock> clock;
  EventHandle event = nullptr;
  std::uint32_t frames = 0;
  Hr result = kOk;
};

/// What differs between the ways to open.
struct Opening {
  ShareMode mode = ShareMode::shared;
  std::uint32_t flags = kEventCallback;
  ReferenceTime duration = 0, periodicity = 0;
  WaveFormatExtensible format = extensible(Layout::float32, 48'000, 2, 3);
  std::uint32_t small_period = 0;  ///< AudioClient3, when not 0
  bool set_event = true;
};

inline Opening exclusively(ReferenceTime period, Layout layout = Layout::int24_in_32,
                           std::uint32_t rate_hz = 48'000, std::uint16_t channels = 2,
                           std::uint32_t mask = 3) {
  return {ShareMode::exclusive, kEventCallback, period, period,
          extensible(layout, rate_hz, channels, mask)};
}

inline std::shared_ptr<Open> open(Program& program, const Endpoint& endpoint,
                                  const Opening& opening = {}) {
  auto result = std::make_shared<Open>();
  result->client = program.activate(endpoint);
  AudioClient3& client = *result->client.get();
  result->result = opening.small_period > 0
                       ? client.initialize_shared(opening.flags, opening.small_period,
                                                  &opening.format.base, nullptr)
                       : client.initialize(opening.mode, opening.flags, opening.duration,
                                           opening.periodicity, &opening.format.base, nullptr);
  program.streams.push_back(result);
  if (failed(result->result)) return result;
  EXPECT_EQ(client.buffer_size(&result->frames), kOk);
  if (endpoint.flow() == Flow::capture || (opening.flags & kLoopback) != 0) {
    result->capture = program.service<CaptureClient>(client);
  } else {
    result->render = program.service<RenderClient>(client);
  }
  result->clock = program.service<AudioClock>(client);
  if (opening.set_event && (opening.flags & kEventCallback) != 0) {
    result->event = program.new_event();
    EXPECT_EQ(client.set_event_handle(result->event), kOk);
  }
  return result;
}

/// Writes `frames` frames of floats: a ramp from `from` on, the same on all channels.
inline Hr write_ramp(Open& stream, std::uint32_t frames, std::uint32_t from,
                     std::uint32_t channels = 2) {
  std::uint8_t* data = nullptr;
  const Hr result = stream.render->buffer(frames, &data);
  if (failed(result) || data == nullptr) return result;
  for (std::uint32_t i = 0; i < frames * channels; ++i) {
    write_sample(Layout::float32, static_cast<float>(from + i / channels) * 0x1p-20F,
                 data + std::size_t{4} * i);
  }
  return stream.render->release_buffer(frames, 0);
}

/// The same in an integer layout of 32 bits.
inline Hr write_ramp32(Open& stream, std::uint32_t frames, std::uint32_t from,
                       std::uint32_t channels = 2) {
  std::uint8_t* data = nullptr;
  const Hr result = stream.render->buffer(frames, &data);
  if (failed(result) || data == nullptr) return result;
  for (std::uint32_t i = 0; i < frames * channels; ++i) {
    write_sample(Layout::int32, static_cast<float>(from + i / channels) * 0x1p-20F,
                 data + std::size_t{4} * i);
  }
  return stream.render->release_buffer(frames, 0);
}

/// The absolute frame at which the recorder heard step `step` of a ramp; 0: never.
inline std::uint64_t heard_at(const Endpoint& endpoint, std::uint32_t step) {
  const Recorder& recorder = endpoint.recorder();
  for (std::uint64_t frame = recorder.begin(); frame < recorder.end(); ++frame) {
    if (recorder.at(frame, 0) == static_cast<float>(step) * 0x1p-20F) return frame;
  }
  return 0;
}

}  // namespace asiodrv::devices::wasapi::fake::test
