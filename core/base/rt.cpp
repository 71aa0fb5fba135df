#include "core/base/rt.hpp"

namespace asiodrv {

#ifdef ASIODRV_RT_TRAP
int& rt_depth() noexcept {
  static thread_local int depth = 0;
  return depth;
}
#endif

}  // namespace asiodrv
