#include "ipc/client/rpc_channel.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/mutex.hpp"
#include "core/wire/frame.hpp"

namespace asiodrv::ipc {
namespace {

using nlohmann::json;
using ports::MutexLock;
using std::chrono::hours;
using std::chrono::seconds;

constexpr std::size_t kPieceBytes = 16 * 1024;

/// Without its sentence where there is no memory for that: the end of a conversation is told in
/// any case, and a host's process must not end for it.
Error ending(ErrorCode code, std::string_view why) noexcept {
  try {
    return {code, std::string(why)};
  } catch (...) {
    return {code, {}};
  }
}

}  // namespace

/// What the callers and the receiving thread share.
struct RpcChannel::State {
  /// A call that waits. Lives on the caller's stack, listed here while it waits.
  struct Pending {
    std::int64_t id = 0;
    std::unique_ptr<ports::Signal> answered;
    std::optional<Result<json>> outcome;
  };

  State(ports::Clock& clock_in, ports::Threads& threads_in,
        std::unique_ptr<ports::Connection> connection_in, Listener listener_in)
      : clock(clock_in),
        threads(threads_in),
        connection(std::move(connection_in)),
        listener(std::move(listener_in)) {}

  void converse(Pending& call, std::string_view method, const json& params, Instant deadline);
  void receive() noexcept;
  void receive_all();
  Result<> take(std::string_view text);
  void answer(wire::Response response);
  void end(ErrorCode code, std::string_view why) noexcept;
  void end(const Error& reason) noexcept { end(reason.code, reason.message); }
  void forget(Pending& call) noexcept;

  ports::Clock& clock;
  ports::Threads& threads;
  const std::unique_ptr<ports::Connection> connection;
  const Listener listener;

  ports::Mutex sending;  // one sender at a time on the connection
  ports::Mutex mutex;    // guards what follows
  std::vector<Pending*> pending;
  std::int64_t next_id = 1;
  std::optional<Error> ended;  // why, once the stream has ended
};

/// The caller's side of one listed call: sends it and waits until it has an outcome, or `deadline`.
void RpcChannel::State::converse(Pending& call, std::string_view method, const json& params,
                                 Instant deadline) {
  const auto frame = wire::encode_frame(wire::request_text(call.id, method, params));
  if (!frame) {
    const MutexLock lock(mutex);
    call.outcome = tl::unexpected<Error>(frame.error());
    return;
  }
  Result<> sent;
  {
    const MutexLock lock(sending);
    sent = connection->send(*frame, deadline);
  }
  if (!sent) end(sent.error());  // half a message may be out: the stream has lost its boundaries
  do {
    const MutexLock lock(mutex);
    if (call.outcome) return;
  } while (call.answered->wait(deadline));
}

/// The receiving thread, until the stream ends.
void RpcChannel::State::receive() noexcept {
  try {
    receive_all();
  } catch (...) {  // whoever waits must not do so for answers that nobody reads any more
    end(ErrorCode::disconnected, "There is no memory for what the asio-driver service says.");
  }
}

void RpcChannel::State::receive_all() {
  wire::FrameReader reader;
  std::vector<std::byte> piece(kPieceBytes);
  for (;;) {
    const auto count = connection->receive(piece, clock.now() + hours{1});
    if (!count && count.error().code == ErrorCode::timed_out) continue;
    if (!count) {
      return end(ErrorCode::disconnected, "The asio-driver service closed the connection.");
    }
    reader.feed(std::span(piece).first(*count));
    for (;;) {
      const auto text = reader.next();
      if (!text) return end(text.error());
      if (!*text) break;
      if (const auto taken = take(**text); !taken) return end(taken.error());
    }
  }
}

Result<> RpcChannel::State::take(std::string_view text) {
  auto message = wire::parse_message(text);
  if (!message) return tl::unexpected<Error>(message.error());
  if (auto* response = std::get_if<wire::Response>(&*message)) {
    if (!response->id) {
      // The service refuses the connection or could not read us: that concerns every call.
      return tl::unexpected<Error>(response->outcome
                                       ? Error{ErrorCode::malformed, "A result without an id."}
                                       : response->outcome.error());
    }
    answer(std::move(*response));
  } else if (const auto* notification = std::get_if<wire::Notification>(&*message)) {
    listener.notified(*notification);
  }
  return {};  // requests towards a client do not exist in this version: ignored
}

void RpcChannel::State::answer(wire::Response response) {
  const MutexLock lock(mutex);
  for (Pending* const call : pending) {
    if (call->id != *response.id || call->outcome) continue;
    call->outcome = std::move(response.outcome);
    call->answered->signal();  // under the lock: afterwards the caller may be gone
    return;
  }
}

void RpcChannel::State::end(ErrorCode code, std::string_view why) noexcept {
  {
    const MutexLock lock(mutex);
    if (ended) return;
    ended = ending(code, why);
    for (Pending* const call : pending) {
      if (!call->outcome) call->outcome = tl::unexpected<Error>(ending(code, why));
      call->answered->signal();
    }
  }
  connection->shutdown();
  listener.closed();
}

void RpcChannel::State::forget(Pending& call) noexcept {
  const MutexLock lock(mutex);
  std::erase(pending, &call);
}

Result<std::unique_ptr<RpcChannel>> RpcChannel::open(ports::Clock& clock, ports::Threads& threads,
                                                     std::unique_ptr<ports::Connection> connection,
                                                     Listener listener) {
  auto state = std::make_shared<State>(clock, threads, std::move(connection), std::move(listener));
  // What may find no memory comes first: nobody would end a thread that runs already.
  std::unique_ptr<RpcChannel> channel(new RpcChannel(state));
  auto receiver =
      threads.start("asiodrv-receive", ports::ThreadRole::control, [state] { state->receive(); });
  if (!receiver) return tl::unexpected<Error>(receiver.error());
  channel->receiver_ = std::move(*receiver);
  return channel;
}

RpcChannel::RpcChannel(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

RpcChannel::~RpcChannel() {
  close();
  if (receiver_) receiver_->join(state_->clock.now() + seconds{2});
}

void RpcChannel::close() noexcept {
  state_->end(ErrorCode::disconnected, "The connection to the asio-driver service was closed.");
}

Result<json> RpcChannel::call(std::string_view method, const json& params, Instant deadline) {
  State::Pending call;
  call.answered = state_->threads.make_signal();
  {
    const MutexLock lock(state_->mutex);
    if (state_->ended) return tl::unexpected<Error>(*state_->ended);
    call.id = state_->next_id++;
    state_->pending.push_back(&call);
  }
  // It lies on this stack, so it is not listed any longer however this ends.
  struct Listed {
    State& state;
    State::Pending& call;
    ~Listed() { state.forget(call); }
  } const listed{*state_, call};
  state_->converse(call, method, params, deadline);
  const MutexLock lock(state_->mutex);
  if (call.outcome) return std::move(*call.outcome);
  return fail(ErrorCode::timed_out, "The asio-driver service did not answer in time.");
}

}  // namespace asiodrv::ipc
