#include "ipc/client/control_client.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "ipc/client/rpc_channel.hpp"

namespace asiodrv::ipc {

ControlClient::ControlClient(ports::Clock& clock, ports::Threads& threads,
                             ports::Transport& transport)
    : clock_(clock), threads_(threads), transport_(transport) {}

ControlClient::~ControlClient() = default;

Result<> ControlClient::connect(Instant deadline) {
  channel_.reset();
  auto connection = transport_.connect(deadline);
  if (!connection) return tl::unexpected<Error>(std::move(connection.error()));
  auto channel = RpcChannel::open(clock_, threads_, std::move(*connection),
                                  {[](const wire::Notification&) {}, [] {}});
  if (!channel) return tl::unexpected<Error>(std::move(channel.error()));
  channel_ = std::move(*channel);
  return {};
}

Result<nlohmann::json> ControlClient::call(std::string_view method, const nlohmann::json& params,
                                           Instant deadline) {
  if (!channel_) return fail(ErrorCode::disconnected, "The service is not connected.");
  return channel_->call(method, params, deadline);
}

}  // namespace asiodrv::ipc
