#include "host/numbers.hpp"

#include <fmt/format.h>

#include "asio/abi.hpp"

namespace asiodrv::host {

std::string describe_code(std::int32_t code) {
  const char* meaning = "not an ASIO code";
  switch (code) {
    case asio::kOk: meaning = "ok"; break;
    case asio::kFutureSuccess: meaning = "future succeeded"; break;
    case asio::kNotPresent: meaning = "not present"; break;
    case asio::kHardwareMalfunction: meaning = "hardware malfunction"; break;
    case asio::kInvalidParameter: meaning = "invalid parameter"; break;
    case asio::kInvalidMode: meaning = "invalid mode"; break;
    case asio::kPositionNotAdvancing: meaning = "position not advancing"; break;
    case asio::kNoClock: meaning = "no clock or unsupported rate"; break;
    case asio::kNoMemory: meaning = "out of memory"; break;
    default: break;
  }
  return fmt::format("{} ({})", code, meaning);
}

std::string sample_type_label(std::int32_t type) {
  switch (type) {
    case 0: return "int16-be";
    case 1: return "int24-be";
    case 2: return "int32-be";
    case 3: return "float32-be";
    case 4: return "float64-be";
    case 8: return "int32-be-16";
    case 9: return "int32-be-18";
    case 10: return "int32-be-20";
    case 11: return "int32-be-24";
    case 16: return "int16";
    case 17: return "int24";
    case 18: return "int32";
    case 19: return "float32";
    case 20: return "float64";
    case 24: return "int32-16";
    case 25: return "int32-18";
    case 26: return "int32-20";
    case 27: return "int32-24";
    case 32: return "dsd-lsb";
    case 33: return "dsd-msb";
    case 40: return "dsd-byte";
    default: return fmt::format("type {}", type);
  }
}

std::string message_label(std::int32_t selector) {
  switch (selector) {
    case asio::kSelectorSupported: return "selector supported";
    case asio::kEngineVersion: return "engine version";
    case asio::kResetRequest: return "reset request";
    case asio::kBufferSizeChange: return "buffer size change";
    case asio::kResyncRequest: return "resync request";
    case asio::kLatenciesChanged: return "latencies changed";
    case asio::kSupportsTimeInfo: return "supports time info";
    case asio::kSupportsTimeCode: return "supports time code";
    case asio::kSupportsInputMonitor: return "supports input monitor";
    case asio::kOverload: return "overload";
    default: return fmt::format("selector {}", selector);
  }
}

}  // namespace asiodrv::host
