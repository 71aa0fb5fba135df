#include "service/xrun_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace asiodrv::service {

using engine::FlightRecorder;
using engine::XrunEvent;

std::string cause_words(std::uint32_t causes) {
  std::vector<std::string_view> words;
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    const std::uint32_t cause = 1U << bit;
    if ((causes & cause) != 0) words.push_back(cause_name(static_cast<engine::XrunCause>(cause)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

void XrunWatch::report(const FlightRecorder& flight, const SessionHistory& history, Instant now) {
  const std::uint64_t written = flight.events_written();
  if (written == told_ || now < quiet_until_) return;
  const std::uint64_t fresh = std::min<std::uint64_t>(written - told_, FlightRecorder::kEvents);
  const std::vector<XrunEvent> events = flight.newest_events(static_cast<std::uint32_t>(fresh));
  told_ = written;
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
