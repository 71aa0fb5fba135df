#include "host/driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "host/numbers.hpp"

namespace asiodrv::host {
namespace {

/// Some drivers write past their text fields: give them room, trust only what belongs to us.
constexpr std::size_t kTextRoom = 512;

std::string bounded_text(const char* text, std::size_t limit) {
  return {text, std::find(text, text + limit, '\0')};
}

}  // namespace

bool BufferSizes::allow(std::int32_t frames) const noexcept {
  if (frames <= 0) return false;
  if (frames == preferred) return true;
  if (frames < minimum || frames > maximum) return false;
  if (granularity > 0) return (frames - minimum) % granularity == 0 || frames % granularity == 0;
  if (granularity < 0) return (frames & (frames - 1)) == 0;
  return frames == minimum;
}

Result<Driver> Driver::load(const DriverEntry& entry) {
  Result<asio::AsioDriver*> instance = create_instance(entry);
  if (!instance) return tl::unexpected<Error>(instance.error());
  return Driver(*instance, entry);
}

Result<Driver> Driver::open(World& world, const DriverEntry& entry) {
  Result<Driver> driver = load(entry);
  if (!driver) return driver;
  if ((*driver)->init(world.control.window()) == 0) {
    const std::string reason = driver->error_message();
    return fail(ErrorCode::invalid_state,
                fmt::format("The driver '{}' did not initialise: {}", entry.name,
                            reason.empty() ? "it gave no reason." : reason));
  }
  return driver;
}

Driver& Driver::operator=(Driver&& other) noexcept {
  if (this != &other) {
    release();
    instance_ = std::exchange(other.instance_, nullptr);
    entry_ = std::move(other.entry_);
  }
  return *this;
}

void Driver::release() {
  if (instance_ != nullptr) std::exchange(instance_, nullptr)->Release();
}

std::string Driver::name() const {
  char text[kTextRoom] = {};
  instance_->getDriverName(text);
  return bounded_text(text, asio::kNameBytes);
}

std::string Driver::error_message() const {
  char text[kTextRoom] = {};
  instance_->getErrorMessage(text);
  return bounded_text(text, asio::kErrorMessageBytes);
}

Error call_failed(const Driver& driver, const char* call, std::int32_t code) {
  const std::string reason = driver.error_message();
  return {ErrorCode::internal, fmt::format("{} gave {}{}{}", call, describe_code(code),
                                           reason.empty() ? "." : ": ", reason)};
}

}  // namespace asiodrv::host
