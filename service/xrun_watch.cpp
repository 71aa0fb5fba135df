#include "service/xrun_watch.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

namespace asiodrv::service {

using engine::FlightRecorder;
using engine::XrunEvent;

std::vector<std::string_view> cause_names(std::uint32_t causes) {
  std::vector<std::string_view> names;
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    const std::uint32_t cause = 1U << bit;
    if ((causes & cause) != 0) names.push_back(cause_name(static_cast<engine::XrunCause>(cause)));
  }
  return names;
}

std::string cause_words(std::uint32_t causes) {
  return fmt::format("{}", fmt::join(cause_names(causes), ", "));
}

void XrunWatch::report(const FlightRecorder& flight, const SessionHistory& history, Instant now) {
  if (!pending(flight) || now < quiet_until_) return;
  const auto [first, events] = flight.events_from(told_, FlightRecorder::kEvents);
  told_ = first + events.size();  // the engine may have written more meanwhile
  if (events.empty()) return;

  std::uint64_t periods = 0;
  std::uint32_t causes = 0;
  const XrunEvent* worst = &events.front();
  for (const XrunEvent& event : events) {
    periods += event.periods;
    causes |= event.causes;
    if (event.duration_ns > worst->duration_ns) worst = &event;
  }
  const std::string whose =
      worst->client == engine::kNoClient
          ? std::string("everyone")
          : fmt::format("{} (session {})", history.program(worst->client), worst->client);
  log_(LogLevel::warning,
       fmt::format("{} periods were damaged ({}). The worst: {} at period {}, {} us late, heard by "
                   "{}. \"asio-driver flight\" shows all.",
                   periods, cause_words(causes), cause_words(worst->causes), worst->first_period,
                   worst->duration_ns / 1000, whose));
  quiet_until_ = now + kInterval;
}

}  // namespace asiodrv::service
