// asio-driver: the service and the command line that talks to it, in one program.
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"

int main(int argc, char** argv) {
  using namespace asiodrv::cli;
  const int said = run_command_line(program_arguments(argc, argv));
  const int code = exit_code_after(said, output_is_complete());
  if (code != said) {
    print_error("Not all of the output could be written; make room on the disk and try again.\n");
  }
  return code;
}
