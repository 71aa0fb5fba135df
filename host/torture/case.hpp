// One torture case: a way in which hosts mistreat drivers, and what a driver should make of it.
// The expected codes are the recommended ones of the protocol's facts; `lenient` asks for no more
// than survival.
#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "host/commands.hpp"
#include "host/measurement.hpp"
#include "host/raw_host.hpp"

namespace asiodrv::host {

enum class Outcome { pass, fail, skipped };

struct Verdict {
  Outcome outcome = Outcome::pass;
  std::string reason;
  /// A failure for which the machine may be to blame: a bare timer beside the stream was late too.
  bool disturbed = false;
};

struct CaseContext {
  World& world;
  const Options& options;
  DriverEntry entry;
  bool loopback;  ///< output n comes back at input n, bit by bit

  /// A fresh, initialised instance. A case that needs one and gets none fails with the reason.
  [[nodiscard]] Result<Driver> open() const { return Driver::open(world, entry); }
};

struct Case {
  const char* name;
  const char* what;
  Verdict (*run)(const CaseContext&);
  int limit_seconds = 30;  ///< longer is a hang
};

[[nodiscard]] std::span<const Case> argument_cases();
[[nodiscard]] std::span<const Case> state_cases();
[[nodiscard]] std::span<const Case> protocol_cases();
[[nodiscard]] std::span<const Case> callback_cases();
[[nodiscard]] std::span<const Case> lifetime_cases();
[[nodiscard]] std::span<const Case> loopback_cases();
[[nodiscard]] std::span<const Case> process_cases();

/// Collects what a case finds. The first finding is the reason of a failure.
class Checks {
 public:
  explicit Checks(const CaseContext& context) : lenient_(context.options.lenient) {}

  /// `code` must be one of `accepted`.
  void code(const std::string& call, std::int32_t code,
            std::initializer_list<std::int32_t> accepted);
  /// Must hold; forgiven when lenient.
  void expect(bool holds, const std::string& otherwise);
  /// Must hold even when lenient: nothing else makes sense without it.
  void require(bool holds, const std::string& otherwise);

  [[nodiscard]] bool failed() const noexcept { return findings_ > 0; }
  /// Pass with `summary`, or the first finding and how many more there were.
  [[nodiscard]] Verdict verdict(const std::string& summary) const;

 private:
  bool lenient_;
  int findings_ = 0;
  std::string first_;
};

[[nodiscard]] Verdict skipped(std::string reason);
[[nodiscard]] Verdict failed_case(std::string reason);

/// What most cases need: the driver's channels and the buffer size to use.
struct Shape {
  std::int32_t inputs = 0;
  std::int32_t outputs = 0;
  std::int32_t frames = 0;
  double rate = 0;
  BufferSizes sizes;
};
[[nodiscard]] Shape shape_of(const CaseContext& context, Driver& driver);

/// createBuffers with up to two inputs and two outputs.
std::int32_t prepare(Driver& driver, const Shape& shape, RawHost& host);

/// The share of a stream's callbacks and frames that may be missing or wrong: the machine may stall
/// for a moment, and a broken path breaks everything.
inline constexpr double kToleratedShare = 0.1;
/// Of a bare timer's turns: if more are late, the machine may be to blame.
inline constexpr double kDisturbedShare = 0.02;

/// A bound for anything that a driver may wait for by itself.
inline constexpr nanoseconds kPatience = std::chrono::seconds{5};

/// After whatever a case has done: a fresh instance must stream.
void require_fresh_stream(const CaseContext& context, Checks& checks);

/// The verdict on what was measured for `seconds` with the bare timer beside it: whether the
/// callbacks came, and what was played came back (with `loopback`), besides what `checks` found
/// before. A failure is disturbed when the timer was late too.
[[nodiscard]] Verdict judge_stream(Checks& checks, const Measurement& result, double seconds,
                                   bool loopback, const std::string& summary);

/// Calls `action` and requires that it returned within kPatience.
void require_bounded(const CaseContext& context, Checks& checks, const std::string& call,
                     const std::function<void()>& action);

}  // namespace asiodrv::host
