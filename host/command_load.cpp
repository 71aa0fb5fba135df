// load: makes one instance of a driver, lets go of it, and tells in one line how that went. For
// "asio-driver doctor", a 64-bit program that cannot load 32-bit drivers itself: the last line is
// what its own child writes (doctor/windows/probe.cpp), and doctor/probe.hpp judges it.
#include <cstdio>

#include "host/commands.hpp"
#include "host/driver.hpp"

namespace asiodrv::host {
namespace {

constexpr nanoseconds kForItsMessages = std::chrono::milliseconds{1};

/// A driver may have begun a line in the same output.
int tell_doctor(const std::string& line) {
  std::printf("\n%s\n", line.c_str());
  std::fflush(stdout);
  return kExitOk;
}

}  // namespace

int run_load(Command& command) {
  keep_output_from_drivers();
  DriverEntry entry;
  entry.name = command.options.driver;
  if (parse_guid(entry.name)) {
    entry.clsid = entry.name;
  } else {
    entry.path = entry.name;
  }
  Result<Driver> driver = Driver::load(entry);
  if (!driver) {
    std::string why = driver.error().message;
    if (why.ends_with('.')) why.pop_back();  // the doctor puts it into a sentence of its own
    return tell_doctor("refused " + why);
  }
  bool works = true;
  if (command.options.initialise) {
    works = (*driver)->init(command.world.control.window()) != 0;
    command.world.control.wait(kForItsMessages);
  }
  driver->release();
  command.world.control.wait(kForItsMessages);
  return tell_doctor(works ? "fine" : "fine it has nothing to play on");
}

}  // namespace asiodrv::host
