#include "simulation/world/link_spy.hpp"

#include <algorithm>

namespace asiodrv::simulation {

class Wire::Cable final : public ports::Connection {
 public:
  Cable(Wire& wire, std::unique_ptr<ports::Connection> inner)
      : wire_(wire), inner_(std::move(inner)) {
    wire_.cables_.push_back(this);
  }
  ~Cable() override { std::erase(wire_.cables_, this); }

  Result<> send(std::span<const std::byte> bytes, Instant deadline) override {
    if (!wire_.tear_next) return inner_->send(bytes, deadline);
    wire_.tear_next = false;
    ++wire_.torn;
    (void)inner_->send(bytes.first(bytes.size() / 2 + 1), deadline);
    inner_->shutdown();
    return fail(ErrorCode::disconnected, "The wire was torn.");
  }
  Result<std::size_t> receive(std::span<std::byte> into, Instant deadline) override {
    return inner_->receive(into, deadline);
  }
  void shutdown() noexcept override { inner_->shutdown(); }
  [[nodiscard]] const ports::PeerIdentity& peer() const noexcept override { return inner_->peer(); }

 private:
  Wire& wire_;

 public:
  const std::shared_ptr<ports::Connection> inner_;
};

Result<std::unique_ptr<ports::Connection>> Wire::connect(Instant deadline) {
  if (refuses) return fail(ErrorCode::service_absent, "Nobody listens.");
  inner_.set_client_identity({process_id_, true, "host"});
  auto connection = inner_.connect(deadline);
  if (!connection) return connection;
  return std::make_unique<Cable>(*this, std::move(*connection));
}

void Wire::cut() {
  std::vector<std::shared_ptr<ports::Connection>> present;  // cables come and go meanwhile
  for (Cable* const each : cables_) present.push_back(each->inner_);
  for (const auto& each : present) each->shutdown();
}

}  // namespace asiodrv::simulation
