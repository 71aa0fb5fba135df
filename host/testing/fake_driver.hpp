// A small, well-behaved ASIO driver without hardware: a timer and a wire from every output to the
// input of the same number. It proves the host without any real driver; its faults prove that the
// host notices them.
#pragma once

#include <memory>

#include "asio/abi.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "host/testing/fake_options.hpp"

namespace asiodrv::host {

/// One instance; the caller owns one reference. The last Release frees it. `clock` and `threads`
/// outlive every instance and its threads.
[[nodiscard]] asio::AsioDriver* make_fake_driver(const FakeOptions& options, ports::Clock& clock,
                                                 ports::Threads& threads);

/// Its CLSID and IID.
inline constexpr asio::Guid kFakeDriverId{
    0xFA5ED21E, 0x0001, 0x4000, {0x80, 0, 0, 0, 0, 0, 0, 0x01}};

}  // namespace asiodrv::host
