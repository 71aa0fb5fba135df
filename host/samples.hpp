// Every sample type that the protocol knows (but the one-bit ones), to and from 16-bit numbers.
// Sixteen bits fit exactly into each of them, so a signal made of 16-bit numbers can be compared
// bit by bit whatever type a driver chose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/rt.hpp"

namespace asiodrv::host {

/// Bytes of one sample of ASIO `type`; 0 for the types that this host cannot write.
[[nodiscard]] std::uint32_t sample_bytes(std::int32_t type) noexcept;

/// Writes `values` as samples of `type`. `bytes` holds values.size() * sample_bytes(type).
/// RT: wait-free.
void encode_samples(std::int32_t type, std::span<const std::int16_t> values,
                    std::byte* bytes) RT_SAFE;

/// Writes one sample as exactly as `type` can; clips at full scale, which is 1.0. Not a number
/// becomes silence.
void encode_float(std::int32_t type, float value, std::byte* bytes) noexcept;

/// Writes `values` so. `bytes` holds values.size() * sample_bytes(type).
void encode_floats(std::int32_t type, std::span<const float> values, std::byte* bytes) noexcept;

/// Reads `values.size()` samples of `type`; full scale is 1.0. RT: wait-free.
void decode_samples(std::int32_t type, const std::byte* bytes, std::span<float> values) RT_SAFE;

/// The nearest 16-bit number, clipped. The inverse of value / 32768.
[[nodiscard]] std::int16_t quantise(float value) noexcept;

}  // namespace asiodrv::host
