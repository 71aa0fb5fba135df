#include "doctor/facts_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <type_traits>

namespace asiodrv::doctor {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxEntries = 4096;  // of any list
constexpr int kMaxDepth = 12;

template <class T>
struct IsKnown : std::false_type {};
template <class T>
struct IsKnown<Known<T>> : std::true_type {
  using Value = T;
};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

// --- one list of members per structure, for both directions --------------------------------------

template <class Visitor, class T>
void visit(Visitor& v, T& object);

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

template <class T>
constexpr bool kPlain = std::is_arithmetic_v<T> || std::is_same_v<T, std::string>;

// --- writing -------------------------------------------------------------------------------------

template <class T>
json written(const T& value);

struct Writer {
  json object = json::object();
  template <class T>
  void operator()(const char* name, const T& value) {
    object[name] = written(value);
  }
};

template <class T>
json written(const T& value) {
  if constexpr (IsKnown<T>::value) {
    return value.known() ? written(*value) : json{{"unknown", value.why()}};
  } else if constexpr (IsVector<T>::value) {
    json list = json::array();
    for (const auto& each : value) list.push_back(written(each));
    return list;
  } else if constexpr (kPlain<T>) {
    return value;
  } else {
    Writer writer;
    visit(writer, value);
    return std::move(writer.object);
  }
}

// --- reading -------------------------------------------------------------------------------------

/// Reads what is there; the first mistake is kept, with the way to it.
struct Reader {
  const json& object;
  std::string where;
  std::string& mistake;

  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = object.find(name);
    if (found == object.end() || !mistake.empty()) return;
    read(*found, where + "/" + name, value);
  }

  void refuse(const std::string& at, const char* wanted) const {
    if (mistake.empty()) mistake = fmt::format("{} must be {}", at, wanted);
  }

  template <class T>
  void read(const json& from, const std::string& at, T& value) {
    if constexpr (IsKnown<T>::value) {
      if (from.is_object() && from.contains("unknown")) {
        const json& why = from["unknown"];
        if (!why.is_string()) return refuse(at + "/unknown", "text");
        value = T::unknown(why.template get<std::string>());
        return;
      }
      typename IsKnown<T>::Value inner{};
      read(from, at, inner);
      value = T(std::move(inner));
    } else if constexpr (IsVector<T>::value) {
      if (!from.is_array()) return refuse(at, "a list");
      if (from.size() > kMaxEntries) return refuse(at, "a list of at most 4096 entries");
      value.resize(from.size());
      for (std::size_t i = 0; i < from.size(); ++i) {
        read(from[i], fmt::format("{}/{}", at, i), value[i]);
      }
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!from.is_boolean()) return refuse(at, "true or false");
      value = from.template get<bool>();
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (!from.is_number_unsigned() || from.template get<std::uint64_t>() > UINT32_MAX) {
        return refuse(at, "a whole number of at most 32 bits");
      }
      value = from.template get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!from.is_string()) return refuse(at, "text");
      value = from.template get<std::string>();
    } else {
      if (!from.is_object()) return refuse(at, "an object");
      Reader inner{from, at, mistake};
      visit(inner, value);
    }
  }
};

}  // namespace

json to_json(const Facts& facts) { return written(facts); }

Result<Facts> parse_facts(std::string_view text) {
  if (text.size() > kMaxFactsBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("The facts are larger than {} bytes, which no machine has. Record them "
                            "anew with \"asio-driver doctor --json\".",
                            kMaxFactsBytes));
  }
  json document;
  try {
    document =
        json::parse(text, [](int depth, json::parse_event_t, json&) { return depth <= kMaxDepth; });
  } catch (const json::parse_error& error) {
    return fail(ErrorCode::malformed,
                fmt::format("The facts are no JSON from byte {} on. Record them anew with "
                            "\"asio-driver doctor --json\".",
                            error.byte));
  }
  const json* recorded = &document;
  if (document.is_object() && document.contains("facts")) recorded = &document["facts"];
  if (!recorded->is_object() || !recorded->contains("system")) {
    return fail(ErrorCode::malformed,
                "This JSON holds no facts. Record them with \"asio-driver doctor --json\".");
  }
  Facts facts;
  std::string mistake;
  Reader reader{*recorded, "facts", mistake};
  visit(reader, facts);
  if (mistake.empty()) return facts;
  return fail(ErrorCode::malformed, "The facts cannot be used: " + mistake + ".");
}

}  // namespace asiodrv::doctor
