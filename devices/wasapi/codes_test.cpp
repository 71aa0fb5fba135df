// What every code of the sound system means, wherever it comes from: each is returned at each place
// where the device calls the system, and what the device makes of it is compared with the table
// below. docs/wasapi.md says the same for people.
#include "devices/wasapi/codes.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "devices/wasapi/device_test_bench.hpp"

namespace asiodrv::devices::wasapi {
namespace {

using ports::PeriodStatus;
using test::Bench;

struct Code {
  std::uint32_t number;
  const char* name;
};

/// All errors of the facility, by the documentation's numbers; 0x8889000D is not assigned.
constexpr Code kFacility[] = {{0x88890001, "AUDCLNT_E_NOT_INITIALIZED"},
                              {0x88890002, "AUDCLNT_E_ALREADY_INITIALIZED"},
                              {0x88890003, "AUDCLNT_E_WRONG_ENDPOINT_TYPE"},
                              {0x88890004, "AUDCLNT_E_DEVICE_INVALIDATED"},
                              {0x88890005, "AUDCLNT_E_NOT_STOPPED"},
                              {0x88890006, "AUDCLNT_E_BUFFER_TOO_LARGE"},
                              {0x88890007, "AUDCLNT_E_OUT_OF_ORDER"},
                              {0x88890008, "AUDCLNT_E_UNSUPPORTED_FORMAT"},
                              {0x88890009, "AUDCLNT_E_INVALID_SIZE"},
                              {0x8889000A, "AUDCLNT_E_DEVICE_IN_USE"},
                              {0x8889000B, "AUDCLNT_E_BUFFER_OPERATION_PENDING"},
                              {0x8889000C, "AUDCLNT_E_THREAD_NOT_REGISTERED"},
                              {0x8889000E, "AUDCLNT_E_EXCLUSIVE_MODE_NOT_ALLOWED"},
                              {0x8889000F, "AUDCLNT_E_ENDPOINT_CREATE_FAILED"},
                              {0x88890010, "AUDCLNT_E_SERVICE_NOT_RUNNING"},
                              {0x88890011, "AUDCLNT_E_EVENTHANDLE_NOT_EXPECTED"},
                              {0x88890012, "AUDCLNT_E_EXCLUSIVE_MODE_ONLY"},
                              {0x88890013, "AUDCLNT_E_BUFDURATION_PERIOD_NOT_EQUAL"},
                              {0x88890014, "AUDCLNT_E_EVENTHANDLE_NOT_SET"},
                              {0x88890015, "AUDCLNT_E_INCORRECT_BUFFER_SIZE"},
                              {0x88890016, "AUDCLNT_E_BUFFER_SIZE_ERROR"},
                              {0x88890017, "AUDCLNT_E_CPUUSAGE_EXCEEDED"},
                              {0x88890018, "AUDCLNT_E_BUFFER_ERROR"},
                              {0x88890019, "AUDCLNT_E_BUFFER_SIZE_NOT_ALIGNED"},
                              {0x88890020, "AUDCLNT_E_INVALID_DEVICE_PERIOD"},
                              {0x88890021, "AUDCLNT_E_INVALID_STREAM_FLAG"},
                              {0x88890022, "AUDCLNT_E_ENDPOINT_OFFLOAD_NOT_CAPABLE"},
                              {0x88890023, "AUDCLNT_E_OUT_OF_OFFLOAD_RESOURCES"},
                              {0x88890024, "AUDCLNT_E_OFFLOAD_MODE_ONLY"},
                              {0x88890025, "AUDCLNT_E_NONOFFLOAD_MODE_ONLY"},
                              {0x88890026, "AUDCLNT_E_RESOURCES_INVALIDATED"},
                              {0x88890027, "AUDCLNT_E_RAW_MODE_UNSUPPORTED"},
                              {0x88890028, "AUDCLNT_E_ENGINE_PERIODICITY_LOCKED"},
                              {0x88890029, "AUDCLNT_E_ENGINE_FORMAT_LOCKED"},
                              {0x88890030, "AUDCLNT_E_HEADTRACKING_ENABLED"},
                              {0x88890040, "AUDCLNT_E_HEADTRACKING_UNSUPPORTED"},
                              {0x88890041, "AUDCLNT_E_EFFECT_NOT_AVAILABLE"},
                              {0x88890042, "AUDCLNT_E_EFFECT_STATE_READ_ONLY"},
                              {0x88890043, "AUDCLNT_E_POST_VOLUME_LOOPBACK_UNSUPPORTED"}};

/// Others that were met in the field, and one that nobody knows.
constexpr Code kOthers[] = {{0x80070490, "ERROR_NOT_FOUND"},
                            {0x80070005, "E_ACCESSDENIED"},
                            {0x80070057, "E_INVALIDARG"},
                            {0x80004003, "E_POINTER"},
                            {0x80004001, "E_NOTIMPL"},
                            {0x80004002, "E_NOINTERFACE"},
                            {0x80070006, "E_HANDLE"},
                            {0x8007000E, "E_OUTOFMEMORY"},
                            {0x8000FFFF, "E_UNEXPECTED"},
                            {0x8007001F, "ERROR_GEN_FAILURE"},
                            {0x80070015, "ERROR_NOT_READY"},
                            {0x8007007B, "ERROR_INVALID_NAME"},
                            {0x800401F0, "CO_E_NOTINITIALIZED"},
                            {0x887C004E, "0x887C004E"},
                            {0x8ABCDEF0, "0x8ABCDEF0"}};

std::vector<Code> all_codes() {
  std::vector<Code> codes(std::begin(kFacility), std::end(kFacility));
  codes.insert(codes.end(), std::begin(kOthers), std::end(kOthers));
  return codes;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(wasapi_codes, each_has_its_name_and_a_sentence_with_a_next_step) {
  for (const Code& code : all_codes()) {
    const Error error = describe(hr(code.number), "Opening it");
    EXPECT_EQ(code_name(hr(code.number)), code.name);
    EXPECT_TRUE(mentions(error.message, fmt::format("({})", code.name))) << error.message;
    EXPECT_TRUE(error.message.starts_with("Opening it: ")) << error.message;
    EXPECT_GE(std::count(error.message.begin(), error.message.end(), '.'), 2) << error.message;
  }
}

// --- every code at every place -------------------------------------------------------------------

/// What the device makes of a code.
enum class Made {
  open_fails,   ///< with the code's meaning and name
  start_fails,  ///< the same
  nothing       ///< opens and plays as if it had not been
};

struct Place {
  const char* call;
  ModeChoice mode;
  Made made;
  bool capture_alone = false;
};

constexpr Place kOpening[] = {
    {"enumerator.make", ModeChoice::shared, Made::open_fails},
    {"enumerator.enumerate", ModeChoice::shared, Made::open_fails},
    {"enumerator.device", ModeChoice::shared, Made::open_fails},
    {"device.activate", ModeChoice::shared, Made::open_fails},
    {"client.mix_format", ModeChoice::shared, Made::open_fails},
    {"client.device_period", ModeChoice::shared, Made::open_fails},
    {"client.initialize", ModeChoice::shared, Made::open_fails},
    {"client.initialize", ModeChoice::shared, Made::open_fails, true},
    {"client.initialize", ModeChoice::exclusive, Made::open_fails},
    {"client.initialize", ModeChoice::exclusive, Made::open_fails, true},
    {"client.initialize_shared", ModeChoice::low_latency, Made::open_fails},
    {"client.initialize_shared", ModeChoice::low_latency, Made::open_fails, true},
    {"client.buffer_size", ModeChoice::shared, Made::open_fails},
    {"client.set_event_handle", ModeChoice::exclusive, Made::open_fails},
    {"client.set_event_handle", ModeChoice::shared, Made::open_fails},
    {"client.service", ModeChoice::shared, Made::open_fails},
    {"client.service", ModeChoice::shared, Made::open_fails, true},
    {"client.reset", ModeChoice::shared, Made::start_fails},
    {"client.start", ModeChoice::shared, Made::start_fails},
    {"client.start", ModeChoice::exclusive, Made::start_fails},
    {"client.start", ModeChoice::shared, Made::start_fails, true},
    {"render.buffer", ModeChoice::shared, Made::start_fails},
    {"render.release_buffer", ModeChoice::exclusive, Made::start_fails},
    {"client.stop", ModeChoice::shared, Made::nothing},
    {"client.stream_latency", ModeChoice::exclusive, Made::nothing},
    {"client.set_client_properties", ModeChoice::low_latency, Made::nothing},
    {"clock.frequency", ModeChoice::shared, Made::nothing},
    {"clock.position", ModeChoice::shared, Made::nothing},
    {"enumerator.register_notifications", ModeChoice::shared, Made::nothing},
    {"enumerator.default_endpoint", ModeChoice::low_latency, Made::nothing, true}};

/// A device of plain manners that was prepared and not opened.
std::unique_ptr<Bench> make_bench(const Place& place) {
  auto bench = std::make_unique<Bench>();
  bench->plug(fake::Personality::plain);
  WasapiOptions options;
  options.mode = place.mode;
  options.render = place.capture_alone ? "" : "Speakers";
  options.capture = "Microphone";
  const auto made = bench->make(options);
  EXPECT_TRUE(made) << made.error().message;
  return bench;
}

void expect_error(const Result<>& result, const Code& code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error_code_of(hr(code.number))) << result.error().message;
  EXPECT_TRUE(mentions(result.error().message, code.name)) << result.error().message;
}

TEST(wasapi_codes, each_is_met_at_every_place_of_an_opening) {
  for (const Place& place : kOpening) {
    const std::unique_ptr<Bench> bench = make_bench(place);
    for (const Code& code : all_codes()) {
      SCOPED_TRACE(fmt::format("{} at {}, mode {}{}", code.name, place.call,
                               static_cast<int>(place.mode), place.capture_alone ? ", input" : ""));
      const std::uint64_t before = bench->world.calls(place.call);
      bench->world.fail_next(place.call, hr(code.number), 1000);
      const Result<> opened = bench->device->open(bench->format);
      if (place.made == Made::open_fails) {
        expect_error(opened, code);
      } else {
        ASSERT_TRUE(opened) << opened.error().message;
        const Result<> started = bench->device->start();
        if (place.made == Made::start_fails) {
          expect_error(started, code);
        } else {
          ASSERT_TRUE(started) << started.error().message;
          EXPECT_EQ(bench->serve(55), 55) << bench->device->loss();  // so long: the latency, too
        }
      }
      bench->device->close();
      EXPECT_GT(bench->world.calls(place.call), before) << "never came there";
      bench->world.fail_no_more();
      if (HasFailure()) return;
    }
    // Nothing of it stays.
    const Result<> again = bench->run();
    ASSERT_TRUE(again) << place.call << ": " << again.error().message;
    ASSERT_EQ(bench->serve(3), 3) << place.call << ": " << bench->device->loss();
  }
}

// --- while it plays ------------------------------------------------------------------------------

struct RunningPlace {
  const char* call;
  ModeChoice mode;
  /// Codes that are passed over when they come once.
  std::set<Hr> passing;
};

TEST(wasapi_codes, each_is_met_at_every_place_of_a_running_stream) {
  const std::set<Hr> refusals{kBufferError, kOutOfOrder, kBufferTooLarge};
  const RunningPlace places[] = {{"client.current_padding", ModeChoice::shared, {}},
                                 {"render.buffer", ModeChoice::shared, refusals},
                                 {"render.release_buffer", ModeChoice::shared, refusals},
                                 {"render.buffer", ModeChoice::exclusive, refusals},
                                 {"capture.buffer", ModeChoice::shared, {kBufferError}},
                                 {"capture.buffer", ModeChoice::exclusive, {kBufferError}},
                                 {"capture.release_buffer", ModeChoice::shared, {}}};
  for (const RunningPlace& place : places) {
    const std::unique_ptr<Bench> bench = make_bench({place.call, place.mode, Made::nothing});
    for (const Code& code : all_codes()) {
      SCOPED_TRACE(
          fmt::format("{} at {}, mode {}", code.name, place.call, static_cast<int>(place.mode)));
      const bool passes = place.passing.count(hr(code.number)) > 0;
      const Result<> opened = bench->run();
      ASSERT_TRUE(opened) << opened.error().message;
      ASSERT_EQ(bench->serve(3), 3);
      bench->world.fail_next(place.call, hr(code.number));
      if (passes) {
        EXPECT_EQ(bench->serve(10), 10) << bench->device->loss();
        bench->world.fail_next(place.call, hr(code.number), 1000);  // but not for ever
      }
      EXPECT_LT(bench->serve(200), 200);
      const std::string why = bench->device->loss();
      const bool silent = passes && std::string(place.call) == "capture.buffer";
      EXPECT_TRUE(mentions(why, silent ? "silent" : code.name)) << why;
      bench->device->stop();
      bench->device->close();
      bench->world.fail_no_more();
      if (HasFailure()) return;
    }
    ASSERT_TRUE(bench->run()) << place.call;
    ASSERT_EQ(bench->serve(3), 3) << place.call;
    bench->device->close();
  }
}

// --- what is tried again, and what is tried instead ----------------------------------------------

TEST(wasapi_codes, a_device_that_is_about_to_be_let_go_is_waited_for) {
  for (const ModeChoice mode : {ModeChoice::shared, ModeChoice::exclusive}) {
    const std::unique_ptr<Bench> bench = make_bench({"", mode, Made::nothing});
    bench->world.fail_next("client.initialize", kDeviceInUse, 3);
    const Instant before = bench->world.now();
    const Result<> opened = bench->run();
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_GE(bench->world.now() - before, std::chrono::milliseconds{20 + 40 + 80});
    EXPECT_EQ(bench->serve(5), 5);
  }
}

TEST(wasapi_codes, a_format_that_is_refused_gives_way_to_the_next) {
  for (const Hr code : {kUnsupportedFormat, kEndpointCreateFailed, kGeneralFailure, kNotAligned}) {
    const std::unique_ptr<Bench> bench = make_bench({"", ModeChoice::exclusive, Made::nothing});
    bench->world.fail_next("client.initialize", code, 2);
    const Result<> opened = bench->run();
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(bench->serve(5), 5);
  }
}

TEST(wasapi_codes, exclusive_use_that_is_refused_gives_way_whatever_the_driver_says) {
  for (const Code& code : all_codes()) {
    SCOPED_TRACE(code.name);
    Bench bench;
    bench.plug(fake::Personality::plain);
    WasapiOptions options;
    options.prefer_exclusive = true;
    options.capture.clear();
    ASSERT_TRUE(bench.make(options));
    bench.world.fail_next("client.initialize", hr(code.number), 1000);
    const Result<> opened = bench.run();
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(bench.device->mode(), "low-latency");
    const std::vector<std::string> notes = bench.device->notes();
    EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
      return note.starts_with("Not exclusive: ") && mentions(note, code.name);
    }));
    EXPECT_EQ(bench.serve(5), 5);
  }
}

TEST(wasapi_codes, a_better_mode_that_is_refused_gives_way_to_shared_with_the_reason) {
  for (const Code& code : all_codes()) {
    SCOPED_TRACE(code.name);
    if (error_code_of(hr(code.number)) == ErrorCode::device_gone) continue;  // no mode would help
    Bench bench;
    bench.plug(fake::Personality::no_small_buffer);
    WasapiOptions options;
    options.capture.clear();
    ASSERT_TRUE(bench.make(options));
    bench.world.fail_next("client.initialize_shared", hr(code.number), 1000);
    const Result<> opened = bench.run();
    ASSERT_TRUE(opened) << opened.error().message;
    const std::vector<std::string> notes = bench.device->notes();
    EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
      return note.starts_with("Not low-latency: ") &&
             (mentions(note, code.name) || mentions(note, "Another program holds"));
    }));
    EXPECT_EQ(bench.serve(5), 5);
  }
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
