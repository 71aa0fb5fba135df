#include "service/sound_system.hpp"

#include "devices/wasapi/windows/windows_system.hpp"

namespace asiodrv::service {

std::unique_ptr<devices::wasapi::System> make_sound_system() {
  return devices::wasapi::make_windows_system();
}

}  // namespace asiodrv::service
