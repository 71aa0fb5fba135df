#include "service/sound_system.hpp"

namespace asiodrv::service {

std::unique_ptr<devices::wasapi::System> make_sound_system() { return nullptr; }

}  // namespace asiodrv::service
