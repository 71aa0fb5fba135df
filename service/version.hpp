#pragma once

namespace asiodrv::service {

/// Of the whole product; set by the build.
inline constexpr const char* kVersion = ASIODRV_VERSION;

}  // namespace asiodrv::service
