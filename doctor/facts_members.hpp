// The members of all facts by their names, once, for writing and for reading: a visitor is called
// with the name and the member of each.
#pragma once

#include <type_traits>

#include "doctor/facts.hpp"

namespace asiodrv::doctor {

template <class Visitor>
void members(Visitor& v, auto& o, const ProbeResult*) {
  v("end", o.end);
  v("detail", o.detail);
}
template <class Visitor>
void members(Visitor& v, auto& o, const Registration*) {
  v("listed", o.listed);
  v("listed_class", o.listed_class);
  v("other_name", o.other_name);
  v("path", o.path);
  v("threading_model", o.threading_model);
  v("user_path", o.user_path);
  v("file_exists", o.file_exists);
  v("machine", o.machine);
  v("version", o.version);
  v("in_our_folder", o.in_our_folder);
  v("file_in_folder", o.file_in_folder);
  v("load", o.load);
}
template <class Visitor>
void members(Visitor& v, auto& o, const OtherDriver*) {
  v("name", o.name);
  v("bits", o.bits);
  v("class", o.driver_class);
  v("path", o.path);
  v("file_exists", o.file_exists);
  v("machine", o.machine);
  v("probe", o.probe);
}
template <class Visitor>
void members(Visitor& v, auto& o, const ServiceFacts*) {
  v("reach", o.reach);
  v("reach_error", o.reach_error);
  v("version", o.version);
  v("start_mode", o.start_mode);
}
template <class Visitor>
void members(Visitor& v, auto& o, const ConfigurationFacts*) {
  v("path", o.path);
  v("state", o.state);
  v("error", o.error);
  v("in_force", o.in_force);
  v("backend", o.backend);
  v("output", o.output);
  v("input", o.input);
  v("mode", o.mode);
  v("formats", o.formats);
  v("buffer_sizes", o.buffer_sizes);
  v("prefer_exclusive", o.prefer_exclusive);
  v("min_frames", o.min_frames);
  v("max_frames", o.max_frames);
  v("output_name", o.output_name);
  v("input_name", o.input_name);
}
template <class Visitor>
void members(Visitor& v, auto& o, const Endpoint*) {
  v("id", o.id);
  v("name", o.name);
  v("description", o.description);
  v("usb", o.usb);
  v("output", o.output);
  v("state", o.state);
  v("default", o.is_default);
  v("exclusive_allowed", o.exclusive_allowed);
  v("rate_hz", o.rate_hz);
}
template <class Visitor>
void members(Visitor& v, auto& o, const OpenAttempt*) {
  v("ok", o.ok);
  v("error", o.error);
  v("code", o.code);
  v("message", o.message);
}
template <class Visitor>
void members(Visitor& v, auto& o, const DeviceFacts*) {
  v("backend", o.backend);
  v("name", o.name);
  v("present", o.present);
  v("lost", o.lost);
  v("clock_lost", o.clock_lost);
  v("rate_hz", o.rate_hz);
  v("min_period_frames", o.min_period_frames);
  v("rates_hz", o.rates_hz);
  v("open", o.open);
}
template <class Visitor>
void members(Visitor& v, auto& o, const Client*) {
  v("program", o.program);
  v("rate_hz", o.rate_hz);
  v("buffer_frames", o.buffer_frames);
  v("running", o.running);
}
template <class Visitor>
void members(Visitor& v, auto& o, const SystemFacts*) {
  v("name", o.name);
  v("elevated", o.elevated);
  v("remote_session", o.remote_session);
  v("audio_service", o.audio_service);
  v("endpoint_builder", o.endpoint_builder);
  v("microphone_policy", o.microphone_policy);
  v("microphone_device", o.microphone_device);
  v("microphone_user", o.microphone_user);
  v("microphone_desktop", o.microphone_desktop);
  v("power_plan", o.power_plan);
  v("processor_percent", o.processor_percent);
  v("reserved_percent", o.reserved_percent);
}
template <class Visitor>
void members(Visitor& v, auto& o, const Facts*) {
  v("program_version", o.program_version);
  v("program_path", o.program_path);
  v("registration_64", o.registration[0]);
  v("registration_32", o.registration[1]);
  v("others", o.others);
  v("others_listed", o.others_listed);
  v("service", o.service);
  v("configuration", o.configuration);
  v("endpoints", o.endpoints);
  v("endpoints_listed", o.endpoints_listed);
  v("device", o.device);
  v("clients", o.clients);
  v("system", o.system);
}

template <class Visitor, class T>
void visit(Visitor& v, T& object) {
  members(v, object, static_cast<const std::remove_const_t<T>*>(nullptr));
}

}  // namespace asiodrv::doctor
