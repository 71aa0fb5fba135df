#include "host/testing/fake_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace asiodrv::host {
namespace {

struct Key {
  std::string_view name;
  std::int32_t FakeOptions::*value;
};

constexpr Key kKeys[] = {{"type", &FakeOptions::type},
                         {"inputs", &FakeOptions::inputs},
                         {"outputs", &FakeOptions::outputs},
                         {"time_info", &FakeOptions::time_info},
                         {"extra_delay", &FakeOptions::extra_delay},
                         {"drop_every", &FakeOptions::drop_every},
                         {"flip_every", &FakeOptions::flip_every},
                         {"skip_every", &FakeOptions::skip_every},
                         {"repeat_half_every", &FakeOptions::repeat_half_every},
                         {"late_every", &FakeOptions::late_every},
                         {"swap", &FakeOptions::swap},
                         {"reset_every", &FakeOptions::reset_every},
                         {"any_channel", &FakeOptions::any_channel},
                         {"crash_on_null", &FakeOptions::crash_on_null},
                         {"keep_callbacks", &FakeOptions::keep_callbacks},
                         {"hang_in_stop", &FakeOptions::hang_in_stop},
                         {"wrong_state", &FakeOptions::wrong_state}};

bool assign(FakeOptions& options, std::string_view name, std::string_view value) {
  for (const Key& key : kKeys) {
    if (key.name != name) continue;
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) return false;
    options.*key.value = number;
    return true;
  }
  return false;
}

}  // namespace

Result<FakeOptions> parse_fake_options(const std::string& text) {
  FakeOptions options;
  std::string_view left = text;
  while (!left.empty()) {
    const std::string_view item = left.substr(0, left.find(','));
    left.remove_prefix(std::min(item.size() + 1, left.size()));
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos ||
        !assign(options, item.substr(0, equals), item.substr(equals + 1))) {
      std::string known;
      for (const Key& key : kKeys) known += fmt::format(" {}", key.name);
      return fail(ErrorCode::malformed,
                  fmt::format("'{}' is not KEY=NUMBER with one of these keys:{}.", item, known));
    }
  }
  return options;
}

}  // namespace asiodrv::host
