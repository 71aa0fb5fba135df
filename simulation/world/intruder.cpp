#include "simulation/world/intruder.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <vector>

#include "core/wire/frame.hpp"
#include "core/wire/message.hpp"

namespace asiodrv::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A whole message must come within 5 s; then the service hangs up.
constexpr nanoseconds kLongestAnswer = milliseconds{6000};

constexpr const char* kMethods[] = {
    "hello",          "session.create", "session.start", "session.stop",    "session.dispose",
    "rate.set",       "clock.select",   "status",        "flight.sessions", "flight.xruns",
    "flight.records", "devices.list",   "config.get",    "config.reload",   "no.such.method"};
constexpr const char* kParams[] = {
    "{}",
    "[]",
    "null",
    "7",
    "{\"frames\":-1}",
    "{\"frames\":256,\"inputs\":[0],\"outputs\":[99999]}",
    "{\"frames\":256,\"inputs\":\"all\",\"outputs\":{}}",
    "{\"hz\":4294967296}",
    "{\"hz\":\"x\"}",
    "{\"from\":18446744073709551615}",
    "{\"from\":-3}",
    "{\"index\":1e300}",
    "{\"protocol\":1,\"program\":\"\\u0000\\u001b[2J\",\"process_id\":0,\"bits\":64}",
    "{\"session\":1,\"id\":1}"};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

std::string Intruder::framed(const std::string& body) const {
  const auto frame = wire::encode_frame(body);
  if (!frame) return {};
  return {reinterpret_cast<const char*>(frame->data()), frame->size()};
}

std::string Intruder::hostile_bytes() {
  switch (rng_.below(6)) {
    case 0: {  // noise
      std::string noise(1 + rng_.below(300), '\0');
      for (char& c : noise) c = static_cast<char>(rng_.next());
      return noise;
    }
    case 1: return {"\xFF\xFF\xFF\x7F{", 5};  // a huge length
    case 2: return {"\0\0\0\0", 4};           // an empty message
    case 3: {                                 // depth without end
      return framed("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":" +
                    std::string(rng_.below(2000) + 1, '[') + "}");
    }
    case 4: {  // well formed, with something changed
      std::string body = fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"{}","params":{}}})",
                                     kMethods[rng_.below(std::size(kMethods))],
                                     kParams[rng_.below(std::size(kParams))]);
      const std::size_t after_id = body.find(",\"method");  // without an id, no answer is due
      body[after_id + rng_.below(body.size() - after_id)] = static_cast<char>(rng_.next());
      return framed(body);
    }
    default:
      return framed(fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})",
                                rng_.below(1000), kMethods[rng_.below(std::size(kMethods))],
                                kParams[rng_.below(std::size(kParams))]));
  }
}

void Intruder::await_end_or_answer(ports::Connection& connection, const char* what) {
  std::array<std::byte, 4096> piece;
  const Instant began = world_.clock.now();
  const auto got = connection.receive(piece, began + kLongestAnswer);
  world_.journal.count(Check::answers);
  if (got || got.error().code == ErrorCode::disconnected) return;
  world_.journal.fail(Check::answers,
                      fmt::format("{} was neither answered nor hung up on within {} ms.", what,
                                  (world_.clock.now() - began).count() / 1'000'000));
}

void Intruder::attack(Fault kind) {
  world_.transport.set_client_identity({7000, true, "intruder"});
  auto connection = world_.transport.connect(world_.clock.now() + seconds{1});
  if (!connection) return;  // the service is away
  const Instant limit = world_.clock.now() + seconds{1};
  switch (kind) {
    case Fault::half_message: {
      world_.journal.count(kind);
      const std::string whole = framed(R"({"jsonrpc":"2.0","id":1,"method":"status"})");
      if (!(*connection)->send(bytes_of(whole.substr(0, 1 + rng_.below(whole.size() - 1))), limit))
        return;
      return await_end_or_answer(**connection, "half a message");
    }
    case Fault::foreign_session: {
      world_.journal.count(kind);
      // Without a hello, and with numbers of sessions that others have.
      const std::string text = framed(fmt::format(
          R"({{"jsonrpc":"2.0","id":5,"method":"{}","params":{{"session":{},"session_id":{}}}}})",
          kMethods[2 + rng_.below(3)], rng_.below(50), rng_.below(50)));
      if (!(*connection)->send(bytes_of(text), limit)) return;
      return await_end_or_answer(**connection, "a request about another's session");
    }
    default: {
      for (std::uint64_t i = 0, count = 1 + rng_.below(4); i < count; ++i) {
        world_.journal.count(kind);
        if (!(*connection)->send(bytes_of(hostile_bytes()), limit)) return;
        if (rng_.chance(0.5)) world_.sleep(milliseconds{rng_.between(0, 50)});
      }
      if (rng_.chance(0.5)) await_end_or_answer(**connection, "a hostile message");
    }
  }
}

}  // namespace asiodrv::simulation
