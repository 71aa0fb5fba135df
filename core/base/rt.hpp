// What "real-time" means here, and how a machine checks it.
//
// Code inside an RtScope must not allocate, free, lock, block, log or throw. Builds with
// ASIODRV_RT_TRAP (every test build) count the scopes per thread, and the trap in tests/support
// intercepts the forbidden calls while the count is positive. The one exception is a wait whose
// bound is part of the design (a doorbell, a device period): it says so with an RtPermit.
#pragma once

/// Marks a function that may be called inside an RtScope.
#define RT_SAFE noexcept

namespace asiodrv {

#ifdef ASIODRV_RT_TRAP
/// Depth of RtScopes minus RtPermits on this thread; positive means that the trap is armed.
int& rt_depth() noexcept;

class RtScope {
 public:
  RtScope() noexcept { ++rt_depth(); }
  ~RtScope() { --rt_depth(); }
  RtScope(const RtScope&) = delete;
  RtScope& operator=(const RtScope&) = delete;
};

/// Disarms the trap for a bounded wait. Give the bound in a comment beside it.
class RtPermit {
 public:
  RtPermit() noexcept : saved_(rt_depth()) { rt_depth() = 0; }
  ~RtPermit() { rt_depth() = saved_; }
  RtPermit(const RtPermit&) = delete;
  RtPermit& operator=(const RtPermit&) = delete;

 private:
  int saved_;
};
#else
struct RtScope {
  RtScope() noexcept {}  // user-provided: an unused variable of it draws no warning
  ~RtScope() {}
};
struct RtPermit {
  RtPermit() noexcept {}
  ~RtPermit() {}
};
#endif

}  // namespace asiodrv
