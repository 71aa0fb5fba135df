// A Studio with a device of four inputs and two outputs, and few words to edit it.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "service/studio.hpp"

namespace asiodrv::service::testing {

inline Studio make_studio(
    std::initializer_list<std::pair<const char*, std::uint32_t>> cables = {}) {
  Studio studio;
  studio.set_device({"box-1", "Box", 4, 2});
  for (const auto& [name, channels] : cables) {
    const auto added = studio.add_cable(name, channels);
    EXPECT_TRUE(added) << added.error().message;
  }
  return studio;
}

/// Reads and sets one route; `change` holds the settings.
inline Result<> connect(Studio& studio, const std::string& from, const std::string& to,
                        RouteChange change = {}) {
  auto source = studio.parse_end(from, Role::source);
  if (!source) return tl::unexpected<Error>(source.error());
  auto sink = studio.parse_end(to, Role::sink);
  if (!sink) return tl::unexpected<Error>(sink.error());
  change.ends = {std::move(*source), std::move(*sink)};
  return studio.set_routes({std::move(change)});
}

inline RouteChange with_gain(double db) {
  RouteChange change;
  change.gain_db = db;
  return change;
}

inline RouteChange with_solo(bool solo = true) {
  RouteChange change;
  change.solo = solo;
  return change;
}

/// A program whose channels are the first so many that it sees.
inline SessionPorts session(const Studio& studio, std::uint32_t id, const std::string& program,
                            std::uint32_t inputs, std::uint32_t outputs) {
  SessionPorts ports{id, program, {}, {}};
  for (std::uint32_t i = 0; i < inputs; ++i) {
    ports.inputs.push_back(studio.partner(Role::sink, i).value());
  }
  for (std::uint32_t i = 0; i < outputs; ++i) {
    ports.outputs.push_back(studio.partner(Role::source, i).value());
  }
  return ports;
}

inline engine::Port program_port(std::uint32_t id, std::uint32_t index) {
  return {engine::Node::client, id, index};
}

}  // namespace asiodrv::service::testing
