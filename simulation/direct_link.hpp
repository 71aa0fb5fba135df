// The service reduced to what a stream needs: sessions on an engine, asked for by plain calls.
// Policy, transport and processes are left out; sections, engine and front are the production ones.
#pragma once

#include <functional>
#include <memory>

#include "core/engine/engine.hpp"
#include "core/ports/device.hpp"
#include "core/ports/shared_region.hpp"
#include "ipc/client/service_link.hpp"
#include "service/session.hpp"

namespace asiodrv::simulation {

/// What one or more links share. Everything outlives the links.
struct DirectService {
  engine::Engine& engine;
  ports::SharedRegions& regions;
  const ports::Device& device;
  ports::DeviceFormat format;
  SampleType sample_type = SampleType::float32;
  std::uint32_t next_id = 1;
};

class DirectLink final : public ipc::ServiceLink {
 public:
  /// `on_session` is told the region's token of each new session.
  DirectLink(DirectService& service, std::function<void(const std::string&)> on_session)
      : service_(service), on_session_(std::move(on_session)) {}
  ~DirectLink() override { disconnect(); }

  [[nodiscard]] Result<wire::DriverDescription> connect(bool may_start, Instant) override;
  [[nodiscard]] Result<wire::SessionGrant> create_session(const wire::SessionRequest& request,
                                                          Instant) override;
  [[nodiscard]] Result<> start_session(Instant) override;
  [[nodiscard]] Result<> stop_session(Instant) override;
  [[nodiscard]] Result<> dispose_session(Instant) override;
  [[nodiscard]] Result<> set_rate(SampleRate rate, Instant) override;
  [[nodiscard]] Result<> select_clock(std::uint32_t index, Instant) override;
  void disconnect() noexcept override;
  [[nodiscard]] Result<wire::HostEvent> next_event(Instant) override;
  void wake_events() noexcept override {}

 private:
  DirectService& service_;
  std::function<void(const std::string&)> on_session_;
  std::unique_ptr<service::Session> session_;
  bool connected_ = false;
};

}  // namespace asiodrv::simulation
