#include <CLI/CLI.hpp>

#include "cli/client_command.hpp"
#include "cli/doctor.hpp"

namespace asiodrv::cli {
namespace {

constexpr const char* kDoctorFooter =
    "Looks at the registration of the driver for 64-bit and 32-bit programs, the service, the\n"
    "configuration, Windows' sound devices and settings, and tells what is wrong, most likely\n"
    "first, each with one thing to do. It changes nothing without --fix.\n"
    "\n"
    "Examples:\n"
    "  asio-driver doctor                       what is wrong, and what to do\n"
    "  asio-driver doctor --fix                 repairs what belongs to asio-driver\n"
    "  asio-driver doctor --probe               also tries every other ASIO driver\n"
    "  asio-driver doctor --bundle help.zip     one file for somebody who helps you\n"
    "  asio-driver doctor --json > here.json    everything that was found out\n"
    "  asio-driver doctor --facts here.json     judges that, on any machine\n"
    "\n"
    "Exit codes:\n"
    "  0  nothing is wrong    1  it could not look    2  wrong usage    20  something was found";

}  // namespace

CLI::App* add_doctor_command(CLI::App& app, DoctorOptions& doctor, ClientOptions& client) {
  CLI::App* const command = add_client_command(
      app, "doctor", "Why there is no sound, and what to do about it", client, kDoctorFooter);
  command->add_flag("--fix", doctor.fix,
                    "Repairs what belongs to asio-driver: registers the driver (as administrator), "
                    "mends a broken configuration, ends a service of another version");
  command->add_flag("--probe", doctor.probe,
                    "Also loads every other ASIO driver, each in a process of its own that is "
                    "ended after the time limit, and takes a device that is wanted for exclusive "
                    "use for a moment. Not while you record");
  command
      ->add_option("--probe-seconds", doctor.probe_seconds,
                   "The time limit for each driver. Default: 10")
      ->check(CLI::Range(1U, 120U))
      ->type_name("N");
  command
      ->add_option("--bundle", doctor.bundle,
                   "Writes a zip file with findings, configuration, flight record, versions and "
                   "the end of the log, without names of persons and computers")
      ->type_name("FILE.zip");
  command
      ->add_option("--facts", doctor.facts,
                   "Judges what --json has recorded, here or elsewhere, instead of this machine")
      ->type_name("FILE.json");
  command
      ->add_option("--config", doctor.config,
                   "The configuration file. Default: $ASIODRV_CONFIG, else that of the running "
                   "service, else the user's own")
      ->type_name("FILE");
  command->add_flag("--causes", doctor.causes, "Lists everything that can be found");
  // For the program itself: what it starts to load a driver where that can do no harm.
  command->add_option("--probe-child", doctor.probe_child)->group("");
  command->add_flag("--probe-init", doctor.probe_init)->group("");
  return command;
}

}  // namespace asiodrv::cli
