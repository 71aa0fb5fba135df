// What an initialized client offers besides itself. Each keeps the stream alive until it is
// released.
#pragma once

#include <memory>

#include "devices/wasapi/fake/object.hpp"
#include "devices/wasapi/fake/stream.hpp"

namespace asiodrv::devices::wasapi::fake {

template <class Interface>
class Service : public Com<Interface> {
 public:
  Service(World& world, std::string kind, std::shared_ptr<Stream> stream)
      : Com<Interface>(world, std::move(kind)), stream_(std::move(stream)) {}

 protected:
  void end() override {
    stream_->released(this->kind());
    stream_ = nullptr;
  }
  [[nodiscard]] Stream& stream() const { return *stream_; }

 private:
  std::shared_ptr<Stream> stream_;
};

class RenderService final : public Service<RenderClient> {
 public:
  RenderService(World& world, std::shared_ptr<Stream> stream)
      : Service(world, "render", std::move(stream)) {}
  Hr buffer(std::uint32_t frames, std::uint8_t** data) override;
  Hr release_buffer(std::uint32_t frames, std::uint32_t flags) override;
};

class CaptureService final : public Service<CaptureClient> {
 public:
  CaptureService(World& world, std::shared_ptr<Stream> stream)
      : Service(world, "capture", std::move(stream)) {}
  Hr buffer(std::uint8_t** data, std::uint32_t* frames, std::uint32_t* flags,
            std::uint64_t* position, std::uint64_t* qpc) override;
  Hr release_buffer(std::uint32_t frames) override;
  Hr next_packet_size(std::uint32_t* frames) override;
};

class ClockService final : public Service<AudioClock> {
 public:
  ClockService(World& world, std::shared_ptr<Stream> stream)
      : Service(world, "clock", std::move(stream)) {}
  Hr frequency(std::uint64_t* frequency) override;
  Hr position(std::uint64_t* position, std::uint64_t* qpc) override;
  Hr characteristics(std::uint32_t* characteristics) override;
};

/// Names and icons are taken and forgotten: nothing depends on them.
class SessionService final : public Service<SessionControl> {
 public:
  SessionService(World& world, std::shared_ptr<Stream> stream)
      : Service(world, "session", std::move(stream)) {}
  Hr state(std::int32_t* state) override;
  Hr display_name(char16_t** name) override;
  Hr set_display_name(Text name, const Guid* context) override;
  Hr icon_path(char16_t** path) override;
  Hr set_icon_path(Text path, const Guid* context) override;
  Hr grouping(Guid* group) override;
  Hr set_grouping(const Guid* group, const Guid* context) override;
  Hr register_events(SessionEvents* events) override;
  Hr unregister_events(SessionEvents* events) override;

 private:
  std::u16string name_, icon_;
};

}  // namespace asiodrv::devices::wasapi::fake
