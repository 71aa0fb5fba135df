#include "host/round_trip.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "core/audio/marker.hpp"
#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

constexpr double kLeastCorrelation = 0.5;

/// Position at which the frame `cursor` was written, when the `frames` from there on left without
/// a jump of the position in between.
std::optional<std::int64_t> written_at(const Tape& tape, std::uint64_t cursor,
                                       std::uint32_t frames) {
  std::optional<std::int64_t> start;
  std::int64_t expected = 0;
  for (std::size_t block = 0; block < tape.blocks(); ++block) {
    const BlockRecord& record = tape.record(block);
    if (record.cursor + tape.frames() <= cursor) continue;
    if (record.cursor >= cursor + frames) return start;
    if (!start) {
      start = record.position + static_cast<std::int64_t>(cursor - record.cursor);
    } else if (record.position != expected) {
      return std::nullopt;
    }
    expected = record.position + tape.frames();
  }
  return std::nullopt;  // the run ended before all of it was written
}

/// One input channel by position: bytes[(position - first) * bytes_per_sample]. Lost positions hold
/// zeros.
struct Timeline {
  std::int64_t first = 0;
  std::int64_t frames = 0;
  std::vector<std::byte> bytes;
};

Timeline input_timeline(const Tape& tape, std::uint32_t channel, std::int64_t from,
                        std::int64_t until) {
  Timeline line;
  line.first = from;
  line.frames = std::max<std::int64_t>(0, until - from);
  const std::size_t width = tape.bytes_per_sample();
  line.bytes.resize(static_cast<std::size_t>(line.frames) * width);
  const std::int64_t block_frames = tape.frames();
  for (std::size_t block = 0; block < tape.blocks(); ++block) {
    const std::int64_t at = tape.record(block).position;
    const std::int64_t begin = std::max(at, from);
    const std::int64_t end = std::min(at + block_frames, until);
    if (begin >= end) continue;
    std::memcpy(line.bytes.data() + static_cast<std::size_t>(begin - from) * width,
                tape.input(block, channel) + static_cast<std::size_t>(begin - at) * width,
                static_cast<std::size_t>(end - begin) * width);
  }
  return line;
}

std::optional<std::int64_t> find_exactly(const Timeline& line, std::size_t width,
                                         const std::vector<std::byte>& marker) {
  for (std::int64_t at = 0; at + TestSignal::kMarkerFrames <= line.frames; ++at) {
    const std::byte* here = line.bytes.data() + static_cast<std::size_t>(at) * width;
    if (std::memcmp(here, marker.data(), marker.size()) == 0) return at;
  }
  return std::nullopt;
}

std::optional<std::int64_t> find_similar(const Timeline& line, std::int32_t type,
                                         const std::vector<std::byte>& marker) {
  constexpr std::size_t kLength = TestSignal::kMarkerFrames;
  std::vector<float> wanted(kLength);
  std::vector<float> heard(static_cast<std::size_t>(line.frames));
  decode_samples(type, marker.data(), wanted);
  decode_samples(type, line.bytes.data(), heard);
  const auto sighting = audio::find_marker(wanted, heard);
  if (!sighting || sighting->match < kLeastCorrelation) return std::nullopt;
  return std::llround(sighting->place);
}

RoundTrip search(const Tape& tape, const TestSignal& signal, std::int32_t type,
                 std::uint32_t search_frames, bool exactly) {
  RoundTrip result;
  std::map<std::int64_t, std::uint32_t> delays;
  std::vector<std::byte> marker(std::size_t{TestSignal::kMarkerFrames} * tape.bytes_per_sample());
  const std::uint32_t channels = std::min(tape.channels(), signal.channels());
  for (std::uint32_t number = 0; number < TestSignal::kMarkers; ++number) {
    const std::uint64_t cursor = signal.marker_cursor(number);
    const auto written = written_at(tape, cursor, TestSignal::kMarkerFrames);
    if (!written) continue;
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
      ++result.markers_sent;
      signal.copy(cursor, channel, TestSignal::kMarkerFrames, marker.data());
      const Timeline line = input_timeline(tape, channel, *written,
                                           *written + search_frames + TestSignal::kMarkerFrames);
      const auto found = exactly ? find_exactly(line, tape.bytes_per_sample(), marker)
                                 : find_similar(line, type, marker);
      if (found) ++delays[*found];
    }
  }
  std::uint32_t total = 0;
  for (const auto& [delay, count] : delays) {
    total += count;
    if (count > result.markers_found) {
      result.markers_found = count;
      result.frames = delay;
    }
  }
  result.markers_elsewhere = total - result.markers_found;
  result.consistent = result.frames.has_value() && result.markers_elsewhere == 0;
  result.bit_exact = exactly && result.frames.has_value();
  return result;
}

}  // namespace

RoundTrip find_round_trip(const Tape& tape, const TestSignal& signal, std::int32_t sample_type,
                          std::uint32_t search_frames) {
  const RoundTrip exact = search(tape, signal, sample_type, search_frames, true);
  if (exact.frames) return exact;
  return search(tape, signal, sample_type, search_frames, false);
}

}  // namespace asiodrv::host
