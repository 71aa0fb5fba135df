// asio-host: lists, probes, plays, records, measures and tortures any ASIO driver.
#include <CLI/CLI.hpp>

#include "host/commands.hpp"
#include "platform/platform.hpp"

namespace {

using namespace asiodrv;
using namespace asiodrv::host;

constexpr const char* kDescription =
    "A small ASIO host that works on any ASIO driver: it lists, probes, plays, records, measures "
    "and tortures.";
constexpr const char* kExitCodes =
    "Exit codes: 0 ok; 1 the operation or a check failed; 2 wrong usage; 3 driver not found.\n"
    "Channels are numbered from 0. With several drivers installed, 'asio-driver' is the default.";

struct Subcommand {
  CLI::App* app = nullptr;
  int (*run)(Command&) = nullptr;
};

/// `--json` takes an optional file, so `--json file.wav` could mean either; see settle_file.
void add_output_options(CLI::App& app, Options& options, std::string& json) {
  app.add_option("--json", json, "Write JSON to FILE, or to standard output without FILE")
      ->expected(0, 1)
      ->type_name("[FILE]");
  app.add_flag("--quiet,-q", options.output.quiet, "No tables");
  app.add_flag("--progress", options.output.progress, "Show progress even without a terminal");
}

void add_driver_option(CLI::App& app, Options& options) {
  app.add_option("--driver,-d", options.driver, "Name, CLSID or module path of the driver");
}

void add_stream_options(CLI::App& app, Options& options) {
  add_driver_option(app, options);
  app.add_option("--frames", options.frames, "Buffer size; default: what the driver prefers")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--rate", options.rate, "Sample rate in Hz")->check(CLI::Range(1.0, 1e7));
  app.add_option("--inputs", options.inputs, "Input channels, such as 0,1")->delimiter(',');
  app.add_option("--outputs", options.outputs, "Output channels, such as 0,1")->delimiter(',');
  app.add_option("--seconds", options.seconds, "How long")->check(CLI::Range(0.01, 1e7));
  app.add_option("--output-ready", options.output_ready, "How to use outputReady")
      ->check(CLI::IsMember({"probe", "always", "never", "once", "other-thread"}));
  app.add_flag("--plain", options.plain, "Refuse the callback that carries time information");
}

void add_delay_option(CLI::App& app, Options& options) {
  app.add_option("--delay", options.delay,
                 "Seconds to wait, with buffers, before it starts to stream")
      ->check(CLI::Range(0.0, 3600.0));
}

void add_measure_options(CLI::App& app, Options& options) {
  app.add_flag("--no-floor", options.no_floor, "No bare timer beside the stream");
  app.add_flag("--announce", options.announce,
               "Print 'streaming' to standard output after the first callback");
}

void add_torture_options(CLI::App& app, Options& options) {
  add_driver_option(app, options);
  app.add_option("--only", options.only, "Cases to run, such as null-pointers,bad-rates")
      ->delimiter(',');
  app.add_flag("--list", options.list_cases, "List the cases");
  app.add_option("--frames", options.frames, "Buffer size; default: what the driver prefers");
  app.add_flag("--lenient", options.lenient, "Demand only that nothing crashes or hangs");
  app.add_flag("--loopback", options.loopback, "Output n is wired to input n, bit by bit");
  app.add_flag("--with-panel", options.with_panel, "Also open the control panel");
  app.add_flag("--no-guard", options.no_guard, "Run the cases inside this process");
  app.add_option("--kill-self-after", options.kill_self_after,
                 "kill-host: seconds after which the other host is killed");
  app.add_option("--service-pid", options.service_pid, "kill-service: the process to kill");
  app.add_option("--kill-command", options.kill_command,
                 "kill-service: a command that kills the service");
  app.add_option("--child", options.child_case)->group("");  // what the guard starts
}

/// Gives the file back to the command when `--json` has swallowed it.
void settle_file(Options& options, const CLI::App& app, std::string& json) {
  if (app.count("--json") == 0) return;
  if (options.file.empty() && app.get_option_no_throw("FILE") != nullptr) {
    std::swap(options.file, json);
  }
  options.output.json = json;
}

int run(const std::vector<std::string>& arguments) {
  CLI::App app(kDescription, "asio-host");
  app.footer(kExitCodes);
  app.require_subcommand(1);
  Options options;
  std::string json;

  std::vector<Subcommand> commands;
  const auto add = [&](const char* name, const char* text, int (*function)(Command&)) {
    CLI::App* sub = app.add_subcommand(name, text);
    add_output_options(*sub, options, json);
    commands.push_back({sub, function});
    return sub;
  };
  add("list", "Show the installed drivers", run_list);

  CLI::App* probe = add("probe", "Ask a driver what real hosts ask", run_probe);
  add_driver_option(*probe, options);
  probe->add_option("--like", options.like, "In whose order")
      ->check(CLI::IsMember({"portaudio", "juce", "rtaudio", "all"}));

  CLI::App* load = add("load", "What \"asio-driver doctor\" asks", run_load);
  load->group("");  // not for people
  load->add_option("--driver", options.driver, "CLSID or module path")->required();
  load->add_flag("--init", options.initialise, "Also initialise it");

  CLI::App* play = add("play", "Play a WAV file", run_play);
  play->add_option("FILE", options.file, "WAV file");
  add_stream_options(*play, options);
  add_delay_option(*play, options);
  play->add_flag("--loop", options.loop, "Again and again, until --seconds are over");
  play->add_flag("--any-rate", options.any_rate, "Play the samples at whatever rate");

  CLI::App* record = add("record", "Record inputs into a WAV file (32-bit float)", run_record);
  record->add_option("FILE", options.file, "WAV file");
  add_stream_options(*record, options);
  add_delay_option(*record, options);

  CLI::App* duplex =
      add("duplex", "Play a WAV file and check that it comes back bit by bit", run_duplex);
  duplex->add_option("FILE", options.file, "WAV file");
  add_stream_options(*duplex, options);
  add_measure_options(*duplex, options);
  duplex->add_flag("--any-rate", options.any_rate, "Play the samples at whatever rate");

  CLI::App* measure =
      add("measure",
          "Measure round trip, punctuality and cost with noise or a sine: take headphones off",
          run_measure);
  add_stream_options(*measure, options);
  add_measure_options(*measure, options);
  CLI::Option* light =
      measure->add_flag("--light,--cpu-only", options.light,
                        "Only copy input to output and count: for the cost of the driver");
  measure
      ->add_option("--sine", options.sine_hz,
                   "Play a sine of so many Hz and measure what noise it gets, instead of comparing "
                   "bit by bit: for paths that resample")
      ->check(CLI::Range(1, 192'000))
      ->excludes(light);

  measure->add_flag("--mute", options.mute, "With --light: play silence instead of the input");

  add_torture_options(*add("torture", "Do everything that hosts do wrong", run_torture), options);

  try {
    std::vector<std::string> backwards(arguments.rbegin(), arguments.rend());  // as CLI11 wants
    app.parse(std::move(backwards));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  for (const Subcommand& subcommand : commands) {
    if (!subcommand.app->parsed()) continue;
    settle_file(options, *subcommand.app, json);
    Output output(options.output);
    if (subcommand.app->get_option_no_throw("FILE") != nullptr && options.file.empty()) {
      output.error("Which FILE? See --help.");
      return kExitUsage;
    }
    const auto clock = platform::make_clock();
    const auto threads = platform::make_threads();
    ControlThread control;
    World world{*clock, *threads, control};
    const platform::StreamingBoost boost;  // precise timers for what is measured here
    Command command{world, output, options};
    return subcommand.run(command);
  }
  return kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(utf8_arguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "asio-host: %s\n", error.what());
    return kExitFailed;
  }
}
