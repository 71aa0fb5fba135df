// An audio client, from activation to its last release. The stream behind it belongs to it and to
// its services.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/object.hpp"
#include "devices/wasapi/fake/stream.hpp"

namespace asiodrv::devices::wasapi::fake {

class Client final : public Com<AudioClient3, AudioClient2, AudioClient> {
 public:
  Client(World& world, Endpoint& endpoint);

  Hr initialize(ShareMode mode, std::uint32_t flags, ReferenceTime duration,
                ReferenceTime periodicity, const WaveFormat* format, const Guid* session) override;
  Hr buffer_size(std::uint32_t* frames) override;
  Hr stream_latency(ReferenceTime* latency) override;
  Hr current_padding(std::uint32_t* frames) override;
  Hr is_format_supported(ShareMode mode, const WaveFormat* format, WaveFormat** closest) override;
  Hr mix_format(WaveFormat** format) override;
  Hr device_period(ReferenceTime* standard, ReferenceTime* least) override;
  Hr start() override;
  Hr stop() override;
  Hr reset() override;
  Hr set_event_handle(EventHandle event) override;
  Hr service(const Guid& id, void** service) override;

  Hr is_offload_capable(Category category, std::int32_t* capable) override;
  Hr set_client_properties(const ClientProperties* properties) override;
  Hr buffer_size_limits(const WaveFormat* format, std::int32_t event_driven, ReferenceTime* least,
                        ReferenceTime* most) override;

  Hr shared_engine_period(const WaveFormat* format, std::uint32_t* standard,
                          std::uint32_t* fundamental, std::uint32_t* least,
                          std::uint32_t* most) override;
  Hr current_engine_period(WaveFormat** format, std::uint32_t* period) override;
  Hr initialize_shared(std::uint32_t flags, std::uint32_t period, const WaveFormat* format,
                       const Guid* session) override;

 protected:
  bool offers(const Guid& id) override;
  void end() override;

 private:
  /// What every call on an initialized client begins with: kOk, or why it fails.
  [[nodiscard]] Hr ready() const;
  /// The same for calls that need no stream.
  [[nodiscard]] Hr alive() const;
  [[nodiscard]] bool is_client3_dumb() const;

  // client_initialize.cpp
  Hr begin_initialize(std::string_view name);
  Hr judge_shared(std::uint32_t flags, const Format* format);
  Hr judge_exclusive(const WaveFormat* format, const Format* parsed);
  Hr initialize_classic(std::uint32_t flags, ReferenceTime duration, const WaveFormat* format);
  Hr initialize_exclusive(std::uint32_t flags, ReferenceTime duration, ReferenceTime periodicity,
                          const WaveFormat* format);
  Hr initialize_small(std::uint32_t flags, std::uint32_t period, const WaveFormat* format);
  Hr finish_initialize(Hr result);

  // client_formats.cpp
  [[nodiscard]] Hr answer_shared(const Format& format) const;

  Endpoint& endpoint_;
  const std::uint64_t life_;
  std::shared_ptr<Stream> stream_;
  bool is_poisoned_ = false;
  std::uint32_t aligned_frames_ = 0;  ///< after kNotAligned
  ClientProperties properties_{};
};

/// Whether the driver takes `format` in exclusive mode; the truth, which is not always told.
bool driver_takes(const Endpoint& endpoint, const WaveFormat* format, const Format* parsed);
/// What it tells.
bool driver_says_yes(const Endpoint& endpoint, const WaveFormat* format, const Format* parsed);

}  // namespace asiodrv::devices::wasapi::fake
