// Hosts with odd habits about outputReady, judged by the sound where it can be heard.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/measurement.hpp"
#include "host/torture/case.hpp"

namespace asiodrv::host {
namespace {

constexpr double kSeconds = 1.5;

Verdict stream_with(const CaseContext& context, OutputReadyUse use) {
  Checks checks(context);
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  MeasurementRequest request;
  request.seconds = kSeconds;
  request.stream.output_ready = use;
  request.stream.frames = context.options.frames;
  const Shape shape = shape_of(context, *driver);
  const std::int32_t pairs = std::min({2, shape.inputs, shape.outputs});
  for (std::int32_t channel = 0; channel < pairs; ++channel) {
    request.stream.inputs.push_back(channel);
    request.stream.outputs.push_back(channel);
  }
  const Result<Measurement> result = measure(context.world, *driver, request);
  if (!result) return failed_case(result.error().message);
  if (context.loopback) checks.expect(result->round_trip.frames.has_value(), "nothing came back");
  return judge_stream(
      checks, *result, request.seconds, context.loopback,
      fmt::format("round trip {} frames (reported {})", result->round_trip.frames.value_or(0),
                  result->reported_input_frames + result->reported_output_frames));
}

constexpr Case kLoopbackCases[] = {
    {"output-ready-never", "a host that never calls outputReady",
     [](const CaseContext& c) { return stream_with(c, OutputReadyUse::never); }},
    {"output-ready-always", "a host that calls it in every block",
     [](const CaseContext& c) { return stream_with(c, OutputReadyUse::always); }},
    {"output-ready-once", "a host that calls it once and never again",
     [](const CaseContext& c) { return stream_with(c, OutputReadyUse::once); }},
    {"output-ready-other-thread", "a host that calls it later, from another thread",
     [](const CaseContext& c) { return stream_with(c, OutputReadyUse::other_thread); }}};

}  // namespace

std::span<const Case> loopback_cases() { return kLoopbackCases; }

}  // namespace asiodrv::host
