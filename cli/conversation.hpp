// One conversation with the service, and how its outcome reaches the user.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "ipc/client/control_client.hpp"

namespace asiodrv::cli {

/// Asks for the page that begins at entry number `from`.
using AskPage = std::function<Result<nlohmann::json>(std::uint64_t from)>;

/// The most pages that are read: a list of any service has fewer than 100.
inline constexpr std::uint32_t kMostPages = 1000;

/// All pages {`name`: [...], "next", `count`} from entry number `from` on, as one list.
/// Errors: those of `ask_page`; limit_reached: the list has no end.
[[nodiscard]] Result<nlohmann::json> gather_pages(const AskPage& ask_page, const char* name,
                                                  const char* count, std::uint64_t from);

/// With the service of one instance. One thread; every call ends within 5 s.
class Conversation {
 public:
  explicit Conversation(const ClientOptions& options);

  /// Errors: those of ControlClient::connect and call.
  Result<> connect();
  Result<nlohmann::json> call(std::string_view method, const nlohmann::json& params);
  Result<nlohmann::json> call(std::string_view method);
  /// All pages of a list that comes in pages {`name`: [...], "next", `count`}, from entry number
  /// `from` on, as one list. Ends within 30 s. Errors: also those of gather_pages; timed_out.
  Result<nlohmann::json> call_all(std::string_view method, const char* name,
                                  const char* count = "total", std::uint64_t from = 0);

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
