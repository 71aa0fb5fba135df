#pragma once

#include "core/base/product.hpp"

namespace asiodrv::service {

/// Of the whole product.
inline constexpr const char* const& kVersion = kProduct.version;

}  // namespace asiodrv::service
