// asio-driver: the service and the command line that talks to it, in one program.
#include "cli/command_line.hpp"
#include "cli/console.hpp"

int main(int argc, char** argv) {
  return asiodrv::cli::run_command_line(asiodrv::cli::program_arguments(argc, argv));
}
