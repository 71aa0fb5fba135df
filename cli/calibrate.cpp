#include "cli/calibrate.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/console.hpp"
#include "cli/conversation.hpp"
#include "cli/json_text.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr nanoseconds kLookEvery = std::chrono::milliseconds{100};
constexpr nanoseconds kLimit = std::chrono::seconds{60};  // the service itself takes less

/// One run of the command: a conversation, and a line that says how far it is.
class Calibrator {
 public:
  Calibrator(const ClientOptions& options, const CalibrateOptions& calibrate)
      : options_(options), calibrate_(calibrate), session_(options) {}

  int run();

 private:
  Result<std::vector<std::uint32_t>> sizes();
  Result<json> measure(std::uint32_t frames);
  Result<json> wait_for_result(const std::string& where);
  void show_progress(const std::string& where, double part);
  void end_progress();

  const ClientOptions& options_;
  const CalibrateOptions& calibrate_;
  Conversation session_;
  bool live_ = false;
  bool line_shown_ = false;
};

/// 0 stands for the size that the device has anyway.
Result<std::vector<std::uint32_t>> Calibrator::sizes() {
  if (!calibrate_.all_sizes) return std::vector<std::uint32_t>{calibrate_.period_frames};
  json params = json::object();
  if (calibrate_.rate_hz != 0) params["rate_hz"] = calibrate_.rate_hz;
  const auto answer = session_.call("calibrate.list", params);
  if (!answer) return tl::unexpected<Error>(answer.error());
  std::vector<std::uint32_t> sizes;
  for (const json& each : at(*answer, "periods_frames")) {
    if (each.is_number_unsigned()) sizes.push_back(each.get<std::uint32_t>());
  }
  if (!sizes.empty()) return sizes;
  return fail(ErrorCode::unsupported,
              fmt::format("{} offers no size at this rate.", cell(*answer, "name")));
}

Result<json> Calibrator::measure(std::uint32_t frames) {
  json params{{"input", calibrate_.input}, {"output", calibrate_.output}};
  if (calibrate_.rate_hz != 0) params["rate_hz"] = calibrate_.rate_hz;
  if (frames != 0) params["frames"] = frames;
  const auto started = session_.call("calibrate.start", params);
  if (!started) return started;
  auto result = wait_for_result(
      fmt::format("{} Hz, {} frames", cell(*started, "rate_hz"), cell(*started, "period_frames")));
  end_progress();
  return result;
}

Result<json> Calibrator::wait_for_result(const std::string& where) {
  const Instant limit = session_.clock().now() + kLimit;
  for (;;) {
    auto answer = session_.call("calibrate.result");
    if (!answer || cell(*answer, "state") == "done") return answer;
    if (session_.clock().now() > limit) {
      return fail(ErrorCode::timed_out, "The service does not come to an end with it.");
    }
    show_progress(where, number(at(*answer, "progress")));
    session_.clock().sleep_until(session_.clock().now() + kLookEvery);
  }
}

void Calibrator::show_progress(const std::string& where, double part) {
  if (!live_) return;
  print(progress_text(where, part));
  line_shown_ = true;
}

void Calibrator::end_progress() {
  if (std::exchange(line_shown_, false)) print("\r\x1b[K");
}

int Calibrator::run() {
  if (auto connected = session_.connect(); !connected) return report(connected.error());
  live_ = !options_.json && screen_lines().has_value();
  const auto wanted = sizes();
  if (!wanted) return report(wanted.error());
  if (!options_.json) {
    print(fmt::format("Noise is played at {} for a few seconds. Headphones off, speakers down.\n",
                      calibrate_.output));
  }
  json document{{"calibrations", json::array()}, {"failures", json::array()}};
  for (const std::uint32_t frames : *wanted) {
    auto result = measure(frames);
    if (result) {
      if (at(*result, "warning").is_string()) print_error(cell(*result, "warning") + "\n");
      document["calibrations"].push_back(std::move(*result));
      continue;
    }
    // What fails at first will fail at every size.
    if (document["calibrations"].empty()) return report(result.error());
    print_error(fmt::format("{} frames: {}\n", frames, result.error().message));
    document["failures"].push_back({{"period_frames", frames}, {"error", result.error().message}});
  }
  if (options_.json)
    print_json(document);
  else
    print(calibrations_text(document));
  return document["failures"].empty() ? kDone : kFailed;
}

int forget(const ClientOptions& options, const CalibrateOptions& calibrate) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  json params = json::object();
  if (calibrate.rate_hz != 0) params["rate_hz"] = calibrate.rate_hz;
  if (calibrate.period_frames != 0) params["frames"] = calibrate.period_frames;
  const auto answer = session.call("calibrate.forget", params);
  if (!answer) return report(answer.error());
  if (options.json)
    print_json(*answer);
  else
    print(fmt::format("Calibrations forgotten: {}.\n", cell(*answer, "forgotten")));
  if (at(*answer, "warning").is_string()) print_error(cell(*answer, "warning") + "\n");
  return kDone;
}

/// Everything that was measured, of which the first answer may hold a part.
int show_corrections(const ClientOptions& options) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto answer = session.call("calibrate.list");
  if (!answer) return report(answer.error());
  const std::uint64_t next = answer->value("next", std::uint64_t{0});
  if (next < answer->value("total", next)) {
    auto rest = session.call_all("calibrate.list", "corrections", "total", next);
    if (!rest) return report(rest.error());
    for (json& each : *rest) (*answer)["corrections"].push_back(std::move(each));
  }
  answer->erase("next");
  answer->erase("total");
  if (options.json)
    print_json(*answer);
  else
    print(corrections_text(*answer));
  return kDone;
}

}  // namespace

std::string wrong_usage(const CalibrateOptions& calibrate) {
  const bool measures = !calibrate.list && !calibrate.forget;
  if (measures && (calibrate.input.empty() || calibrate.output.empty())) {
    return "calibrate needs to know where the cable is: --output out:1 --input in:1.";
  }
  return {};
}

int run_calibrate(const ClientOptions& options, const CalibrateOptions& calibrate) {
  if (calibrate.list) return show_corrections(options);
  if (calibrate.forget) return forget(options, calibrate);
  return Calibrator(options, calibrate).run();
}

}  // namespace asiodrv::cli
