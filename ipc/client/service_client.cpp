#include "ipc/client/service_client.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ipc/client/event_queue.hpp"
#include "ipc/client/rpc_channel.hpp"

namespace asiodrv::ipc {
namespace {

using nlohmann::json;
using ports::MutexLock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr nanoseconds kFirstPause = milliseconds{10};
constexpr nanoseconds kLongestPause = milliseconds{100};
constexpr nanoseconds kStartAgain = seconds{1};

tl::unexpected<Error> not_connected() {
  return fail(ErrorCode::disconnected, "The asio-driver service is not connected.");
}

}  // namespace

ServiceClient::ServiceClient(ports::Clock& clock, ports::Threads& threads,
                             ports::Transport& transport, ServiceClientOptions options)
    : clock_(clock),
      threads_(threads),
      transport_(transport),
      options_(std::move(options)),
      events_(std::make_shared<EventQueue>(threads)),
      cancel_(threads.make_signal()) {}

ServiceClient::~ServiceClient() { disconnect(); }

void ServiceClient::prepare_connect() noexcept {
  const MutexLock lock(mutex_);
  cancelled_ = false;
  prepared_ = true;
}

Result<wire::DriverDescription> ServiceClient::connect(bool may_start, Instant deadline) {
  std::shared_ptr<RpcChannel> earlier;
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(prepared_, false)) cancelled_ = false;
    if (cancelled_) return not_connected();
    earlier = std::exchange(channel_, nullptr);
  }
  if (earlier) earlier->close();
  earlier.reset();  // its thread is joined now
  Instant start_at = clock_.now();
  bool started = false;
  nanoseconds pause = kFirstPause;
  for (;;) {
    auto description = try_connect(deadline);
    if (description) {
      {
        const MutexLock lock(mutex_);
        was_managed_ = description->managed;
      }
      if (options_.reached) options_.reached();
      return description;
    }
    const ErrorCode code = description.error().code;
    const bool absent = code == ErrorCode::service_absent;
    if (cancelled()) return not_connected();
    if (!absent && code != ErrorCode::disconnected) return description;
    if (absent && !may_start) {
      return fail(ErrorCode::service_absent, "The asio-driver service is not running.");
    }
    const Instant now = clock_.now();
    if (absent && now >= start_at) {
      if (auto begun = start_service(); !begun) return refusal(begun.error());
      started = true;
      start_at = clock_.now() + kStartAgain;
    }
    if (now >= deadline) {
      return fail(ErrorCode::service_absent,
                  started ? "The asio-driver service was started and does not answer. Run "
                            "\"asio-driver run\" in a terminal to see why."
                          : "The asio-driver service hangs up on every connection.");
    }
    cancel_->wait(std::min(deadline, now + pause));
    pause = std::min(pause * 2, kLongestPause);
  }
}

/// One attempt: connect, hello.
Result<wire::DriverDescription> ServiceClient::try_connect(Instant deadline) {
  auto connection = transport_.connect(deadline);
  if (!connection) return refusal(std::move(connection.error()));
  const std::uint64_t conversation = events_->open();
  auto events = events_;
  RpcChannel::Listener listener{[events, conversation](const wire::Notification& notification) {
                                  if (notification.method != "event") return;  // of a later version
                                  const auto event = wire::parse_host_event(notification.params);
                                  if (event) events->push(conversation, *event);
                                },
                                [events, conversation] { events->close(conversation); }};
  auto opened = RpcChannel::open(clock_, threads_, std::move(*connection), std::move(listener));
  if (!opened) {
    events_->close(conversation);
    return refusal(std::move(opened.error()));
  }
  if (!adopt(std::move(*opened))) return not_connected();

  const wire::HelloRequest hello{wire::kProtocolVersion, options_.program, options_.process_id,
                                 options_.bits};
  const auto answer = call("hello", wire::to_json(hello), deadline);
  auto description = answer ? wire::parse_driver_description(*answer)
                            : Result<wire::DriverDescription>(refusal(answer.error()));
  if (description && description->protocol != wire::kProtocolVersion) {
    description = fail(ErrorCode::version_mismatch,
                       "The running asio-driver service is of another version. Close all programs "
                       "that use it, so that it leaves, and try again.");
  }
  if (!description) {
    const MutexLock lock(mutex_);
    if (channel_) channel_->close();
  }
  return description;
}

bool ServiceClient::adopt(const std::shared_ptr<RpcChannel>& channel) {
  std::shared_ptr<RpcChannel> earlier;  // dies outside the lock: its thread is joined then
  const MutexLock lock(mutex_);
  if (cancelled_) return false;
  earlier = std::exchange(channel_, channel);
  return true;
}

bool ServiceClient::cancelled() noexcept {
  const MutexLock lock(mutex_);
  return cancelled_;
}

Result<> ServiceClient::start_service() {
  if (!options_.start_service) {
    return fail(ErrorCode::service_absent, "The asio-driver service is not running.");
  }
  Need need = Need::fresh;
  {
    const MutexLock lock(mutex_);
    if (was_managed_) need = Need::again;
  }
  if (auto begun = options_.start_service(need); !begun) {
    const ErrorCode code = begun.error().code;
    if (code == ErrorCode::service_absent || code == ErrorCode::access_denied) return begun;
    // Few words: a host's message field holds 123 characters in all, and the cause comes last.
    return fail(ErrorCode::service_absent,
                "The audio service could not be started: " + begun.error().message);
  }
  return {};
}

Result<json> ServiceClient::call(std::string_view method, const json& params, Instant deadline) {
  std::shared_ptr<RpcChannel> channel;
  {
    const MutexLock lock(mutex_);
    channel = channel_;
  }
  if (!channel) return not_connected();
  return channel->call(method, params, deadline);
}

Result<> ServiceClient::command(std::string_view method, const json& params, Instant deadline) {
  auto answer = call(method, params, deadline);
  if (!answer) return refusal(std::move(answer.error()));
  return {};
}

Result<wire::SessionGrant> ServiceClient::create_session(const wire::SessionRequest& request,
                                                         Instant deadline) {
  const auto answer = call("session.create", wire::to_json(request), deadline);
  if (!answer) return refusal(answer.error());
  auto grant = wire::parse_session_grant(*answer);
  if (!grant) disconnect();  // the service would keep a session that we cannot use
  return grant;
}

Result<> ServiceClient::start_session(Instant deadline) {
  return command("session.start", json::object(), deadline);
}

Result<> ServiceClient::stop_session(Instant deadline) {
  return command("session.stop", json::object(), deadline);
}

Result<> ServiceClient::dispose_session(Instant deadline) {
  return command("session.dispose", json::object(), deadline);
}

Result<> ServiceClient::set_rate(SampleRate rate, Instant deadline) {
  return command("rate.set", {{"hz", rate.hz}}, deadline);
}

Result<> ServiceClient::select_clock(std::uint32_t index, Instant deadline) {
  return command("clock.select", {{"index", index}}, deadline);
}

Result<> ServiceClient::set_monitor(const wire::MonitorRequest& request, Instant deadline) {
  return command("monitor.set", wire::to_json(request), deadline);
}

Result<> ServiceClient::set_gain(const wire::GainRequest& request, Instant deadline) {
  return command("gain.set", wire::to_json(request), deadline);
}

Result<wire::ChannelLevels> ServiceClient::levels(Instant deadline) {
  const auto answer = call("levels.get", json::object(), deadline);
  if (!answer) return refusal(answer.error());
  return wire::parse_channel_levels(*answer);
}

void ServiceClient::disconnect() noexcept {
  std::shared_ptr<RpcChannel> channel;
  {
    const MutexLock lock(mutex_);
    cancelled_ = true;
    channel = std::exchange(channel_, nullptr);
  }
  cancel_->signal();
  if (channel) channel->close();
}

Result<wire::HostEvent> ServiceClient::next_event(Instant deadline) {
  return events_->next(deadline);
}

void ServiceClient::wake_events() noexcept { events_->wake(); }

}  // namespace asiodrv::ipc
