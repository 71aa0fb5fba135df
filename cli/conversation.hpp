// One conversation with the service, and how its outcome reaches the user.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "ipc/client/control_client.hpp"

namespace asiodrv::cli {

/// With the service of one instance. One thread; every call ends within 5 s.
class Conversation {
 public:
  explicit Conversation(const ClientOptions& options);

  /// Errors: those of ControlClient::connect and call.
  Result<> connect();
  Result<nlohmann::json> call(std::string_view method, const nlohmann::json& params);
  Result<nlohmann::json> call(std::string_view method);
  /// All pages of a list that comes in pages {`name`: [...], "next", "total"}, as one list.
  Result<nlohmann::json> call_all(std::string_view method, const char* name);

  /// True when nobody answers any more: 5 s at most.
  bool wait_until_gone();

  [[nodiscard]] ports::Clock& clock() noexcept { return *clock_; }
  [[nodiscard]] ports::Threads& threads() noexcept { return *threads_; }

 private:
  const std::unique_ptr<ports::Clock> clock_;
  const std::unique_ptr<ports::Threads> threads_;
  const std::unique_ptr<ports::Transport> transport_;
  ipc::ControlClient client_;
};

/// Says on the error stream what went wrong; returns the exit code for it.
int report(const Error& error);

/// The flight recorder: {"sessions", "events_written", "xruns", "parts", "records"}, of the last
/// the newest so many cycles. Errors: those of Conversation::call.
[[nodiscard]] Result<nlohmann::json> read_flight(Conversation& session, std::uint32_t records);

void print_json(const nlohmann::json& document);

/// Asks one question and prints the answer as JSON or through `format`.
int ask(const ClientOptions& options, std::string_view method,
        std::string (*format)(const nlohmann::json&));

}  // namespace asiodrv::cli
