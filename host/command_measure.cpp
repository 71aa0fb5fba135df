// measure and duplex: the same run, judged differently.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/audio/wav_file.hpp"
#include "host/commands.hpp"
#include "host/measurement.hpp"

namespace asiodrv::host {
namespace {

constexpr double kDefaultSeconds = 5.0;
constexpr double kBesidesTheFile = 2.0;  // s: markers, round trip, and a second round of the file

/// Output k is compared with input k: both lists must be of one length.
void pair_up(const Options& options, StreamRequest& request) {
  const std::size_t pairs = std::min(request.inputs.size(), request.outputs.size());
  if (options.inputs.empty()) request.inputs.resize(std::min(request.inputs.size(), pairs));
  if (options.outputs.empty()) request.outputs.resize(std::min(request.outputs.size(), pairs));
}

std::int32_t pairs_by_default(const std::vector<std::int32_t>& other_side) {
  return other_side.empty() ? 2 : static_cast<std::int32_t>(other_side.size());
}

int run(Command& command, MeasurementRequest request, bool judged) {
  int exit_code = kExitFailed;
  std::optional<Driver> driver = open_driver(command, exit_code);
  if (!driver) return exit_code;
  const Options& options = command.options;
  const double file_rate = request.stream.rate;
  request.stream = stream_request(options, *driver, pairs_by_default(options.outputs),
                                  pairs_by_default(options.inputs));
  if (request.stream.rate == 0) request.stream.rate = file_rate;
  pair_up(options, request.stream);
  if (judged && request.stream.inputs.size() != request.stream.outputs.size()) {
    command.output.error(
        fmt::format("{} inputs and {} outputs do not pair up: output k is "
                    "compared with input k.",
                    request.stream.inputs.size(), request.stream.outputs.size()));
    return kExitUsage;
  }
  request.floor = !options.no_floor;
  request.light = options.light;
  request.mute = options.mute;
  request.progress = [&](double done) {
    command.output.progress(fmt::format("{:.1f} of {:.1f} s", done, request.seconds));
  };
  if (options.announce) {
    request.streaming = [] {
      std::fputs("streaming\n", stdout);
      std::fflush(stdout);
    };
  }
  const Result<Measurement> result = measure(command.world, *driver, request);
  command.output.end_progress();
  if (!result) return failed(command, result.error());
  print(command.output, *result);
  if (!command.output.json(to_json(*result))) return kExitFailed;
  if (result->stalled) return kExitFailed;
  if (!judged) return kExitOk;
  command.output.line(result->intact() ? "All that was played came back, bit by bit."
                                       : "What came back is NOT what was played.");
  return result->intact() ? kExitOk : kExitFailed;
}

}  // namespace

int run_measure(Command& command) {
  MeasurementRequest request;
  request.seconds = command.options.seconds > 0 ? command.options.seconds : kDefaultSeconds;
  request.sine_hz = command.options.sine_hz;
  return run(command, request, false);
}

int run_duplex(Command& command) {
  const Result<audio::WavAudio> file = audio::read_wav_file(command.options.file);
  if (!file) return failed(command, file.error());
  if (file->frames() == 0) {
    command.output.error(fmt::format("'{}' holds no sound.", command.options.file));
    return kExitFailed;
  }
  MeasurementRequest request;
  request.payload = to_planar16(file->channels);
  if (!command.options.any_rate) {
    request.payload_hz = file->rate.hz;
    request.stream.rate = file->rate.hz;
  }
  const double length = static_cast<double>(file->frames()) / file->rate.hz;
  request.seconds =
      command.options.seconds > 0 ? command.options.seconds : length + kBesidesTheFile;
  return run(command, request, true);
}

}  // namespace asiodrv::host
