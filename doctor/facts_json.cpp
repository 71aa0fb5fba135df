#include "doctor/facts_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <type_traits>

#include "doctor/facts_members.hpp"

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
  } catch (const json::out_of_range&) {  // "1e999", by the parser as well, and no parse_error
    return fail(ErrorCode::malformed,
                "A number in the facts is too large. Record them anew with \"asio-driver doctor "
                "--json\".");
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
