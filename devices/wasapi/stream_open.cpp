#include "devices/wasapi/stream_open.hpp"

#include <fmt/format.h>

#include "devices/wasapi/attempt.hpp"
#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {
namespace {

Result<OpenStream> try_mode(const Attempt& attempt, StreamMode mode) {
  switch (mode) {
    case StreamMode::exclusive: return try_exclusive(attempt);
    case StreamMode::low_latency: return try_low_latency(attempt);
    case StreamMode::shared: return try_shared(attempt);
  }
  return fail(ErrorCode::internal, "There is no such mode.");
}

/// The last formalities of an initialised client.
Result<> finish(OpenStream& stream, EventHandle event) {
  std::uint32_t frames = 0;
  Hr code = stream.client->set_event_handle(event);
  if (!failed(code)) code = stream.client->buffer_size(&frames);
  if (failed(code)) return refuse(code, "Preparing the stream");
  if (frames < stream.period.count || frames > (1U << 24)) {
    return fail(ErrorCode::format_refused,
                fmt::format("Windows made a buffer of {} frames for a period of {}. Choose another "
                            "period.",
                            frames, stream.period.count));
  }
  stream.buffer = {frames};
  return {};
}

}  // namespace

const char* mode_name(StreamMode mode) noexcept {
  switch (mode) {
    case StreamMode::exclusive: return "exclusive";
    case StreamMode::low_latency: return "low-latency";
    case StreamMode::shared: return "shared";
  }
  return "shared";
}

std::vector<StreamMode> modes_of(ModeChoice choice, bool prefer_exclusive) {
  switch (choice) {
    case ModeChoice::exclusive: return {StreamMode::exclusive};
    case ModeChoice::low_latency: return {StreamMode::low_latency};
    case ModeChoice::shared: return {StreamMode::shared};
    case ModeChoice::automatic: break;
  }
  std::vector<StreamMode> modes{StreamMode::low_latency, StreamMode::shared};
  if (prefer_exclusive) modes.insert(modes.begin(), StreamMode::exclusive);
  return modes;
}

Result<OpenStream> open_stream(System& system, ports::Clock& clock, MmDevice& device,
                               const StreamRequest& request, EventHandle event) {
  const Attempt attempt{system, clock, device, request};
  std::vector<std::string> steps;
  Error last{ErrorCode::invalid_argument, "No mode was asked for."};
  for (const StreamMode mode : request.modes) {
    Result<OpenStream> stream = try_mode(attempt, mode);
    if (stream) {
      if (Result<> finished = finish(*stream, event); !finished) {
        stream = tl::unexpected(finished.error());
      }
    }
    if (stream) {
      stream->steps = std::move(steps);
      return stream;
    }
    // That somebody holds the device explains more than what another mode could not do either.
    const bool busy = last.code == ErrorCode::device_busy;
    if (!busy || stream.error().code != ErrorCode::format_refused) last = stream.error();
    steps.push_back(fmt::format("Not {}: {}", mode_name(mode), stream.error().message));
    // What no mode can do: neither ask again nor hide the reason behind a later one. But drivers
    // refuse exclusive use with ERROR_GEN_FAILURE, too, and say nothing by it about the others.
    if (last.code == ErrorCode::device_gone && mode != StreamMode::exclusive) break;
    if (last.code == ErrorCode::access_denied && request.flow == Flow::capture &&
        mode != StreamMode::exclusive) {
      break;
    }
  }
  if (steps.size() > 1) {
    last.message.clear();
    for (const std::string& step : steps) last.message += (last.message.empty() ? "" : " ") + step;
  }
  return tl::unexpected(last);
}

}  // namespace asiodrv::devices::wasapi
