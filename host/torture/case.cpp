#include "host/torture/case.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/numbers.hpp"

namespace asiodrv::host {

void Checks::code(const std::string& call, std::int32_t code,
                  std::initializer_list<std::int32_t> accepted) {
  if (std::find(accepted.begin(), accepted.end(), code) != accepted.end()) return;
  std::string wanted;
  for (const std::int32_t one : accepted) {
    wanted += fmt::format("{}{}", wanted.empty() ? "" : " or ", one);
  }
  expect(false, fmt::format("{} gave {}, expected {}", call, describe_code(code), wanted));
}

void Checks::expect(bool holds, const std::string& otherwise) {
  if (!lenient_) require(holds, otherwise);
}

void Checks::require(bool holds, const std::string& otherwise) {
  if (holds) return;
  if (findings_++ == 0) first_ = otherwise;
}

Verdict Checks::verdict(const std::string& summary) const {
  if (findings_ == 0) return {Outcome::pass, summary, false};
  if (findings_ == 1) return failed_case(first_);
  return failed_case(fmt::format("{} (and {} more)", first_, findings_ - 1));
}

Verdict skipped(std::string reason) { return {Outcome::skipped, std::move(reason), false}; }
Verdict failed_case(std::string reason) { return {Outcome::fail, std::move(reason), false}; }

Shape shape_of(const CaseContext& context, Driver& driver) {
  Shape shape;
  driver->getChannels(&shape.inputs, &shape.outputs);
  driver->getBufferSize(&shape.sizes.minimum, &shape.sizes.maximum, &shape.sizes.preferred,
                        &shape.sizes.granularity);
  driver->getSampleRate(&shape.rate);
  shape.frames = context.options.frames > 0 ? context.options.frames : shape.sizes.preferred;
  return shape;
}

std::int32_t prepare(Driver& driver, const Shape& shape, RawHost& host) {
  host.choose_channels(std::min(shape.inputs, 2), std::min(shape.outputs, 2));
  return host.create(driver, shape.frames);
}

void require_fresh_stream(const CaseContext& context, Checks& checks) {
  RawHost host;
  Result<Driver> driver = context.open();
  if (!driver) {
    checks.require(false, "afterwards a fresh instance: " + driver.error().message);
    return;
  }
  const Shape shape = shape_of(context, *driver);
  const std::int32_t created = prepare(*driver, shape, host);
  checks.require(created == asio::kOk,
                 "afterwards createBuffers of a fresh instance gave " + describe_code(created));
  if (created != asio::kOk) return;
  const std::int32_t started = (*driver)->start();
  checks.require(started == asio::kOk,
                 "afterwards start of a fresh instance gave " + describe_code(started));
  checks.require(started != asio::kOk || host.wait_callbacks(context.world, 2, kPatience),
                 "afterwards a fresh instance did not call back");
  driver->release();
}

Verdict judge_stream(Checks& checks, const Measurement& result, double seconds, bool loopback,
                     const std::string& summary) {
  checks.require(!result.stalled, "the callbacks stopped");
  const double expected = seconds * result.rate_hz / result.buffer_frames;
  checks.require(static_cast<double>(result.callbacks) > expected * (1 - kToleratedShare),
                 fmt::format("only {} of {:.0f} callbacks came", result.callbacks, expected));
  const std::uint64_t compared = result.comparison.compared_frames;
  const std::uint64_t different = result.comparison.mismatched_frames;
  if (loopback) {
    checks.expect(compared > 0 && static_cast<double>(different) <=
                                      static_cast<double>(compared) * kToleratedShare,
                  fmt::format("{} of {} frames came back wrong", different, compared));
  }
  Verdict verdict = checks.verdict(
      loopback ? fmt::format("{} callbacks, {} of {} frames wrong, {}", result.callbacks, different,
                             compared, summary)
               : fmt::format("{} callbacks, {}; the sound was not checked (no --loopback)",
                             result.callbacks, summary));
  const double turns = static_cast<double>(result.floor.callbacks + result.floor.skipped);
  const double late = static_cast<double>(result.floor.late);
  if (verdict.outcome == Outcome::fail && late > turns * kDisturbedShare) {
    verdict.disturbed = true;
    verdict.reason += fmt::format("; a bare timer beside it was late in {:.1f} % of its turns",
                                  100 * late / turns);
  }
  return verdict;
}

void require_bounded(const CaseContext& context, Checks& checks, const std::string& call,
                     const std::function<void()>& action) {
  const Instant begin = context.world.clock.now();
  action();
  const nanoseconds took = context.world.clock.now() - begin;
  checks.require(took < kPatience,
                 fmt::format("{} took {:.1f} s", call, static_cast<double>(took.count()) / 1e9));
}

}  // namespace asiodrv::host
