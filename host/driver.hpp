// A loaded driver: one instance, initialised, released at the end.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "asio/abi.hpp"
#include "core/base/result.hpp"
#include "host/catalogue.hpp"
#include "host/system.hpp"

namespace asiodrv::host {

/// Buffer sizes as a driver states them, in frames.
struct BufferSizes {
  std::int32_t minimum = 0, maximum = 0, preferred = 0, granularity = 0;

  /// Whether a host may ask for `frames` by what the driver states.
  [[nodiscard]] bool allow(std::int32_t frames) const noexcept;
};

/// Owns one reference to a driver instance. Control thread.
class Driver {
 public:
  /// Loads and initialises. Errors: those of create_instance; invalid_state (init failed; the
  /// sentence is the driver's own).
  [[nodiscard]] static Result<Driver> open(World& world, const DriverEntry& entry);

  /// Loads without init().
  [[nodiscard]] static Result<Driver> load(const DriverEntry& entry);

  /// Takes over a reference that the caller owns, of an instance that may be initialised already.
  [[nodiscard]] static Driver adopt(asio::AsioDriver* instance, DriverEntry entry) {
    return {instance, std::move(entry)};
  }

  Driver(Driver&& other) noexcept
      : instance_(std::exchange(other.instance_, nullptr)), entry_(std::move(other.entry_)) {}
  Driver& operator=(Driver&& other) noexcept;
  ~Driver() { release(); }

  [[nodiscard]] asio::AsioDriver* operator->() const noexcept { return instance_; }
  [[nodiscard]] asio::AsioDriver& operator*() const noexcept { return *instance_; }
  [[nodiscard]] const DriverEntry& entry() const noexcept { return entry_; }

  /// Gives the reference back; nothing else may be called afterwards.
  void release();
  /// Forgets the reference without giving it back (somebody else has done so, or must not).
  void abandon() noexcept { instance_ = nullptr; }

  /// getDriverName and getErrorMessage, always terminated.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string error_message() const;

 private:
  Driver(asio::AsioDriver* instance, DriverEntry entry)
      : instance_(instance), entry_(std::move(entry)) {}

  asio::AsioDriver* instance_;
  DriverEntry entry_;
};

/// "createBuffers gave -997 (invalid mode): <the driver's own message>".
[[nodiscard]] Error call_failed(const Driver& driver, const char* call, std::int32_t code);

}  // namespace asiodrv::host
