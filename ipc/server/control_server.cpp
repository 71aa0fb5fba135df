#include "ipc/server/control_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "core/wire/frame.hpp"
#include "core/wire/message.hpp"

namespace asiodrv::ipc {
namespace {

using nlohmann::json;
using ports::MutexLock;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kPieceBytes = 16 * 1024;
constexpr nanoseconds kStopLimit = seconds{2};
constexpr nanoseconds kAnswersLimit = milliseconds{300};  // for requests under way at a stop
constexpr nanoseconds kRefusedLinger = seconds{1};        // for a refused client to read why
constexpr std::size_t kMaxRefused = 64;
constexpr nanoseconds kRefusedSend = milliseconds{20};
constexpr nanoseconds kAcceptPause = milliseconds{100};  // after an unexpected system error

}  // namespace

/// One connection. Its thread alone receives; sends are serialised.
struct ControlServer::Peer {
  ConnectionId id = 0;
  std::unique_ptr<ports::Connection> stream;
  ports::Mutex sending;
  std::unique_ptr<ports::Thread> thread;
  std::atomic<bool> answering{false};
  std::atomic<bool> finished{false};
};

/// A connection over the limit, kept until its client had time to read the refusal.
struct ControlServer::Refused {
  std::unique_ptr<ports::Connection> stream;
  Instant until{};
};

ControlServer::ControlServer(ports::Clock& clock, ports::Threads& threads, ControlHandler& handler,
                             ControlServerOptions options)
    : clock_(clock),
      threads_(threads),
      handler_(handler),
      options_(std::move(options)),
      settled_(threads.make_signal()) {}

ControlServer::~ControlServer() { stop(clock_.now() + kStopLimit); }

Result<> ControlServer::start(std::unique_ptr<ports::Listener> listener) {
  listener_ = std::move(listener);
  auto thread =
      threads_.start("asiodrv-accept", ports::ThreadRole::control, [this] { accept_loop(); });
  if (!thread) return tl::unexpected<Error>(std::move(thread.error()));
  acceptor_ = std::move(*thread);
  return {};
}

void ControlServer::stop(Instant deadline) {
  if (stopping_.exchange(true)) return;
  if (listener_) listener_->shutdown();
  if (acceptor_) acceptor_->join(deadline);

  const auto answering = [this] {
    const MutexLock lock(mutex_);
    return std::any_of(peers_.begin(), peers_.end(),
                       [](const auto& peer) { return peer->answering.load(); });
  };
  const Instant answers_until = std::min(deadline, clock_.now() + kAnswersLimit);
  while (answering() && settled_->wait(answers_until)) {
  }
  {
    const MutexLock lock(mutex_);
    for (const auto& peer : peers_) peer->stream->shutdown();
  }
  reap(true, deadline);
  refused_.clear();
  listener_.reset();
}

// --- the acceptor --------------------------------------------------------------------------------

void ControlServer::accept_loop() {
  while (!stopping_) {
    try {
      if (!accept_one()) return;
    } catch (const std::exception&) {  // no memory: who came is hung up on, and others may come
      clock_.sleep_until(clock_.now() + kAcceptPause);
    }
  }
}

/// False: the endpoint is closed.
bool ControlServer::accept_one() {
  // Wakes now and then while there are threads to join or refused clients to forget.
  const bool chores = !refused_.empty() || threads_to_join();
  auto accepted = listener_->accept(clock_.now() + (chores ? nanoseconds{seconds{1}} : hours{1}));
  reap(false, clock_.now() + kStopLimit);
  const Instant now = clock_.now();
  std::erase_if(refused_, [now](const Refused& each) { return each.until <= now; });
  if (accepted) {
    admit(std::move(*accepted));
    return true;
  }
  if (accepted.error().code == ErrorCode::disconnected) return false;
  if (accepted.error().code == ErrorCode::timed_out) return true;
  options_.log("The control endpoint could not accept a client: " + accepted.error().message);
  clock_.sleep_until(clock_.now() + kAcceptPause);
  return true;
}

bool ControlServer::threads_to_join() const {
  const MutexLock lock(mutex_);
  return !peers_.empty();
}

void ControlServer::admit(std::unique_ptr<ports::Connection> connection) {
  if (!connection->peer().same_user) return note_foreign(connection->peer());
  auto peer = std::make_shared<Peer>();
  {
    const MutexLock lock(mutex_);
    if (live_ >= options_.max_connections) peer.reset();
    if (peer) {
      peer->id = next_id_++;
      peer->stream = std::move(connection);
      peers_.push_back(peer);
      ++live_;
    }
  }
  if (!peer) return refuse(std::move(connection));
  const auto forget = [&] {
    const MutexLock lock(mutex_);
    std::erase(peers_, peer);
    --live_;
  };
  std::string why;
  try {
    auto thread = threads_.start("asiodrv-control", ports::ThreadRole::control,
                                 [this, peer] { serve(*peer); });
    if (thread) {
      peer->thread = std::move(*thread);  // only this thread and, after it, stop() look at it
      return;
    }
    why = std::move(thread.error().message);
  } catch (...) {
    forget();
    throw;
  }
  forget();
  options_.log("A client was turned away: " + why);
}

/// A line for the first, then one now and then that counts the rest.
void ControlServer::note_foreign(const ports::PeerIdentity& peer) {
  const Instant now = clock_.now();
  if (now < foreign_quiet_until_) {
    ++foreign_unsaid_;
    return;
  }
  foreign_quiet_until_ = now + options_.foreign_pause;
  const std::string line = fmt::format(
      "Process {}{} was turned away: it belongs to another user.{}", peer.process_id,
      peer.image_path.empty() ? "" : " (" + peer.image_path + ")",
      foreign_unsaid_ == 0
          ? ""
          : fmt::format(" {} more since the last such line.", std::exchange(foreign_unsaid_, 0)));
  options_.log(line);
  options_.log_foreign(line);
}

void ControlServer::refuse(std::unique_ptr<ports::Connection> connection) {
  const Error busy{ErrorCode::limit_reached,
                   fmt::format("The asio-driver service is busy: it serves at most {} programs at "
                               "once. Close one and try again.",
                               options_.max_connections)};
  options_.log(fmt::format("Process {} was turned away: {} programs are connected.",
                           connection->peer().process_id, options_.max_connections));
  const auto frame = wire::encode_frame(wire::error_text(std::nullopt, wire::kRefused, busy));
  if (!frame || !connection->send(*frame, clock_.now() + kRefusedSend)) return;
  if (refused_.size() >= kMaxRefused) refused_.erase(refused_.begin());
  refused_.push_back({std::move(connection), clock_.now() + kRefusedLinger});
}

/// Joins the threads of connections that have ended (or of all) and forgets them. Acceptor, or
/// stop() after it.
void ControlServer::reap(bool everyone, Instant deadline) {
  std::vector<std::shared_ptr<Peer>> ended;
  {
    const MutexLock lock(mutex_);
    const auto first = std::partition(peers_.begin(), peers_.end(), [&](const auto& peer) {
      return !everyone && !peer->finished;
    });
    ended.assign(first, peers_.end());
    peers_.erase(first, peers_.end());
  }
  for (const auto& peer : ended) {
    if (peer->thread) peer->thread->join(deadline);
  }
}

// --- one connection ------------------------------------------------------------------------------

void ControlServer::serve(Peer& peer) {
  try {
    {
      const MutexLock lock(handling_);
      handler_.on_connect(peer.id, peer.stream->peer());
    }
    converse(peer);
  } catch (const std::exception&) {  // no memory: this conversation ends, and no other
    peer.answering = false;
  }
  peer.stream->shutdown();
  {
    // Its place is free first: whoever learns of the disconnect may count on it.
    const MutexLock lock(mutex_);
    --live_;
  }
  {
    const MutexLock lock(handling_);
    handler_.on_disconnect(peer.id);
  }
  peer.finished = true;
  settled_->signal();
}

/// Receives until the connection ends or deserves to.
void ControlServer::converse(Peer& peer) {
  wire::FrameReader reader;
  std::vector<std::byte> piece(kPieceBytes);
  bool greeted = false;
  Instant limit = clock_.now() + options_.first_message;
  for (;;) {
    const bool bounded = !greeted || reader.partial();
    const auto count = peer.stream->receive(piece, bounded ? limit : clock_.now() + hours{1});
    if (!count) {
      if (count.error().code != ErrorCode::timed_out) return;
      if (!bounded) continue;
      send(peer, wire::error_text(std::nullopt, wire::kInvalidRequest,
                                  {ErrorCode::timed_out, "No complete message came in time."}));
      return options_.log(fmt::format("Process {} was hung up on: it sent no complete message.",
                                      peer.stream->peer().process_id));
    }
    const bool was_partial = reader.partial();
    reader.feed(std::span(piece).first(*count));
    bool drained = false;
    for (;;) {
      const auto text = reader.next();
      if (!text) {
        send(peer, wire::error_text(std::nullopt, wire::kInvalidRequest, text.error()));
        return options_.log(fmt::format("Process {} was hung up on: {}",
                                        peer.stream->peer().process_id, text.error().message));
      }
      if (!*text) break;
      if (!take(peer, **text)) return;
      drained = true;
    }
    // The limit of a message runs from its first byte, however slowly the others trickle in.
    if (drained || (greeted && !was_partial)) limit = clock_.now() + options_.whole_message;
    greeted = greeted || drained;
  }
}

/// One message. False: hang up.
bool ControlServer::take(Peer& peer, std::string_view text) {
  auto message = wire::parse_message(text);
  if (!message) {
    const bool json_text = wire::parse_json(text).has_value();
    return send(
        peer, wire::error_text(std::nullopt, json_text ? wire::kInvalidRequest : wire::kParseError,
                               message.error()));
  }
  const auto* request = std::get_if<wire::Request>(&*message);
  if (request == nullptr) return true;  // clients have nothing to notify or to answer: ignored
  peer.answering = true;
  const auto outcome = dispatch(peer, request->method, request->params);
  const bool sent =
      send(peer, outcome ? wire::result_text(request->id, *outcome)
                         : wire::error_text(request->id, wire::rpc_code(outcome.error().code),
                                            outcome.error()));
  peer.answering = false;
  settled_->signal();
  return sent;
}

Result<json> ControlServer::dispatch(Peer& peer, const std::string& method, const json& params) {
  const MutexLock lock(handling_);
  try {
    return handler_.on_request(peer.id, method, params);
  } catch (const std::exception& error) {  // memory, above all: this client's request fails
    return fail(ErrorCode::internal, fmt::format("{} failed: {}.", method, error.what()));
  }
}

bool ControlServer::send(Peer& peer, std::string_view text) {
  auto frame = wire::encode_frame(text);
  if (!frame) {
    options_.log("An answer was not sent: " + frame.error().message);
    return false;
  }
  const MutexLock lock(peer.sending);
  const auto sent = peer.stream->send(*frame, clock_.now() + options_.send);
  if (sent) return true;
  if (sent.error().code == ErrorCode::timed_out) {
    options_.log(fmt::format("Process {} was hung up on: it does not read what it is sent.",
                             peer.stream->peer().process_id));
  }
  peer.stream->shutdown();
  return false;
}

// --- any thread ----------------------------------------------------------------------------------

void ControlServer::notify(ConnectionId connection, std::string_view method, const json& params) {
  std::shared_ptr<Peer> peer;
  {
    const MutexLock lock(mutex_);
    const auto found = std::find_if(peers_.begin(), peers_.end(), [connection](const auto& each) {
      return each->id == connection;
    });
    if (found != peers_.end()) peer = *found;
  }
  if (peer) send(*peer, wire::notification_text(method, params));
}

void ControlServer::run_serialised(const std::function<void()>& work) {
  const MutexLock lock(handling_);
  work();
}

std::uint32_t ControlServer::connections() const {
  const MutexLock lock(mutex_);
  return live_;
}

}  // namespace asiodrv::ipc
