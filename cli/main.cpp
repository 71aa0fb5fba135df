// asio-driver: the service and the command line that talks to it, in one program.
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"

int main(int argc, char** argv) {
  using namespace asiodrv::cli;
  const int code = run_command_line(program_arguments(argc, argv));
  if (code != kDone || output_is_complete()) return code;
  print_error("Not all of the output could be written; make room on the disk and try again.\n");
  return kFailed;
}
