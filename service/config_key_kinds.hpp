// The kinds of keys that a configuration has: what each accepts, and how its value is stored. Only
// config_key_table.cpp needs them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/wire/control.hpp"
#include "core/wire/section.hpp"
#include "service/config_keys.hpp"

namespace asiodrv::service::kinds {

using nlohmann::json;

/// Reaches a value of a Config, const or not.
template <auto... Path>
struct At {
  template <class AnyConfig>
  auto& operator()(AnyConfig& config, std::size_t /*member*/) const {
    return (config.*....*Path);
  }
};

/// The same in one of its members.
template <auto... Path>
struct AtMember {
  template <class AnyConfig>
  auto& operator()(AnyConfig& config, std::size_t member) const {
    return (config.members.at(member).*....*Path);
  }
};

struct Row {
  const char* section;
  const char* name;
  const char* unit;
  Effect effect;
  const char* meaning;
};

/// `check` gives the value to store, or nothing.
template <class Field, class Check>
ConfigKey key_of(const Row& row, KeyType type, std::string accepted, Field field, Check check) {
  ConfigKey key{row.section,         row.name, row.unit, row.effect, row.meaning, type,
                std::move(accepted), nullptr,  nullptr};
  key.take = [field, check](Config& config, std::size_t member, const json& value) {
    auto checked = check(value);
    if (!checked) return false;
    field(config, member) = std::move(*checked);
    return true;
  };
  key.show = [field](const Config& config, std::size_t member) -> json {
    return field(config, member);
  };
  return key;
}

inline std::optional<std::uint32_t> whole_number(const json& value, std::uint32_t low,
                                                 std::uint32_t high) {
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (number < low || number > high) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

template <class Field>
ConfigKey integer(const Row& row, std::uint32_t low, std::uint32_t high, Field field) {
  return key_of(row, KeyType::integer, fmt::format("a whole number from {} to {}", low, high),
                field, [low, high](const json& value) { return whole_number(value, low, high); });
}

template <class Field>
ConfigKey power_of_two(const Row& row, Field field) {
  return key_of(row, KeyType::integer,
                fmt::format("a power of two from {} to {}", wire::kMinFrames, wire::kMaxFrames),
                field, [](const json& value) {
                  const auto number = whole_number(value, wire::kMinFrames, wire::kMaxFrames);
                  return number && std::has_single_bit(*number) ? number : std::nullopt;
                });
}

template <class Field>
ConfigKey real(const Row& row, double low, double high, Field field) {
  return key_of(row, KeyType::real, fmt::format("a number from {} to {}", low, high), field,
                [low, high](const json& value) -> std::optional<double> {
                  if (!value.is_number()) return std::nullopt;
                  const auto number = value.get<double>();
                  if (!(number >= low && number <= high)) return std::nullopt;  // also nan
                  return number;
                });
}

template <class Field>
ConfigKey flag(const Row& row, Field field) {
  return key_of(row, KeyType::flag, "true or false", field,
                [](const json& value) -> std::optional<bool> {
                  if (!value.is_boolean()) return std::nullopt;
                  return value.get<bool>();
                });
}

template <class Value>
struct Choice {
  std::string name;
  Value value;
};

template <class Field, class Value>
ConfigKey choice(const Row& row, std::vector<Choice<Value>> choices, Field field) {
  std::string accepted;
  for (const auto& each : choices) {
    accepted += fmt::format("{}\"{}\"", accepted.empty() ? "" : " or ", each.name);
  }
  ConfigKey key = key_of(row, KeyType::text, std::move(accepted), field,
                         [choices](const json& value) -> std::optional<Value> {
                           for (const auto& each : choices) {
                             if (value == each.name) return each.value;
                           }
                           return std::nullopt;
                         });
  key.show = [field, choices](const Config& config, std::size_t member) -> json {
    for (const auto& each : choices) {
      if (each.value == field(config, member)) return each.name;
    }
    return nullptr;
  };
  return key;
}

inline std::optional<std::string> short_text(const json& value) {
  if (!value.is_string()) return std::nullopt;
  auto text = value.get<std::string>();
  if (text.size() > wire::kMaxNameBytes) return std::nullopt;
  return text;
}

template <class Field>
ConfigKey text(const Row& row, Field field) {
  return key_of(row, KeyType::text,
                fmt::format("a text in quotes, at most {} bytes", wire::kMaxNameBytes), field,
                short_text);
}

template <class Field>
ConfigKey file(const Row& row, Field field) {
  return key_of(row, KeyType::file, "a file name in quotes, or \"\"", field,
                [](const json& value) -> std::optional<std::string> {
                  if (!value.is_string()) return std::nullopt;
                  return value.get<std::string>();
                });
}

/// `may_be_empty`: single texts of the list.
template <class Field>
ConfigKey texts(const Row& row, std::string accepted, std::size_t most, bool may_be_empty,
                Field field) {
  return key_of(row, KeyType::texts, std::move(accepted), field,
                [most, may_be_empty](const json& value) -> std::optional<std::vector<std::string>> {
                  if (!value.is_array() || value.size() > most) return std::nullopt;
                  std::vector<std::string> list;
                  for (const json& element : value) {
                    auto each = short_text(element);
                    if (!each || (each->empty() && !may_be_empty)) return std::nullopt;
                    list.push_back(std::move(*each));
                  }
                  return list;
                });
}

/// People count channels from 1, a Config from 0.
template <class Field>
ConfigKey channel_numbers(const Row& row, Field field) {
  ConfigKey key = key_of(row, KeyType::integers,
                         "a list of different channel numbers from 1 to 1024, like [3, 4, 1, 2]",
                         field, [](const json& value) -> std::optional<std::vector<std::uint32_t>> {
                           if (!value.is_array() || value.size() > wire::kMaxChannels)
                             return std::nullopt;
                           std::vector<std::uint32_t> channels;
                           for (const json& element : value) {
                             const auto number = whole_number(element, 1, wire::kMaxChannels);
                             if (!number || std::find(channels.begin(), channels.end(),
                                                      *number - 1) != channels.end()) {
                               return std::nullopt;
                             }
                             channels.push_back(*number - 1);
                           }
                           return channels;
                         });
  key.show = [field](const Config& config, std::size_t member) -> json {
    json numbers = json::array();
    for (const std::uint32_t channel : field(config, member)) numbers.push_back(channel + 1);
    return numbers;
  };
  return key;
}

}  // namespace asiodrv::service::kinds
