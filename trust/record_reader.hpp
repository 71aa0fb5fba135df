// Reads members of a JSON object that a stranger wrote. The first mistake is kept, with its place;
// after it everything reads as empty.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "trust/known.hpp"

namespace asiodrv::trust {

class RecordReader {
 public:
  RecordReader(const nlohmann::json& object, std::string where, std::string& mistake)
      : object_(object), where_(std::move(where)), mistake_(mistake) {
    if (!object.is_object()) wrong({}, "an object");
  }

  /// For members that would read as "nothing was found" when they are missing.
  void need(std::initializer_list<const char*> names) const {
    for (const char* const name : names) {
      if (member(name) == nullptr) wrong(name, "there");
    }
  }

  [[nodiscard]] std::string text(const char* name) const {
    const nlohmann::json* const found = member(name);
    if (found == nullptr) return {};
    if (found->is_string()) return found->get<std::string>();
    wrong(name, "a text");
    return {};
  }
  [[nodiscard]] bool yes(const char* name, bool otherwise = false) const {
    const nlohmann::json* const found = member(name);
    if (found == nullptr) return otherwise;
    if (found->is_boolean()) return found->get<bool>();
    wrong(name, "true or false");
    return otherwise;
  }
  template <class T>
  [[nodiscard]] T number(const char* name) const {
    const nlohmann::json* const found = member(name);
    return found == nullptr ? T{} : number_in<T>(*found, name);
  }
  [[nodiscard]] double real(const char* name) const {
    const nlohmann::json* const found = member(name);
    if (found == nullptr) return 0;
    if (found->is_number()) return found->get<double>();
    wrong(name, "a number");
    return 0;
  }
  /// The index of the member's text among `names`.
  template <class Enum, std::size_t count>
  [[nodiscard]] Enum choice(const char* name, const char* const (&names)[count]) const {
    const std::string word = text(name);
    for (std::size_t index = 0; index < count; ++index) {
      if (word == names[index]) return static_cast<Enum>(index);
    }
    wrong(name, "one of the documented words");
    return Enum{};
  }

  /// `read` makes one entry of a RecordReader.
  template <class T, class Read>
  [[nodiscard]] std::vector<T> list(const char* name, const Read& read) const {
    const nlohmann::json* const found = member(name);
    return found == nullptr ? std::vector<T>() : list_in<T>(*found, name, read);
  }
  [[nodiscard]] std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> words;
    const nlohmann::json* const found = member(name);
    if (found == nullptr) return words;
    if (!found->is_array()) wrong(name, "a list of texts");
    if (found->is_array()) {
      for (const nlohmann::json& each : *found) {
        if (!each.is_string()) wrong(name, "a list of texts");
        if (each.is_string()) words.push_back(each.get<std::string>());
      }
    }
    return words;
  }

  /// A fact that may not be known; `read` makes it out of the JSON value and the member's name.
  template <class T, class Read>
  [[nodiscard]] Known<T> known(const char* name, const Read& read) const {
    const nlohmann::json* const found = member(name);
    if (found == nullptr || found->is_null()) return Known<T>::unknown("it is not in the record");
    if (found->is_object()) {
      const auto why = found->find("not_known");
      if (why != found->end()) {
        return Known<T>::unknown(why->is_string() ? why->template get<std::string>() : "no reason");
      }
    }
    return Known<T>(read(*found, name));
  }
  template <class T>
  [[nodiscard]] Known<T> known_number(const char* name) const {
    return known<T>(name, [this](const nlohmann::json& value, const char* member_name) {
      return number_in<T>(value, member_name);
    });
  }
  template <class T, class Read>
  [[nodiscard]] Known<T> known_object(const char* name, const Read& read) const {
    return known<T>(name, [&](const nlohmann::json& value, const char* member_name) {
      return read(RecordReader(value, path(member_name), mistake_));
    });
  }
  template <class T, class Read>
  [[nodiscard]] Known<std::vector<T>> known_list(const char* name, const Read& read) const {
    return known<std::vector<T>>(name, [&](const nlohmann::json& value, const char* member_name) {
      return list_in<T>(value, member_name, read);
    });
  }
  [[nodiscard]] RecordReader object(const char* name) const {
    static const nlohmann::json kNothing = nlohmann::json::object();
    const nlohmann::json* const found = member(name);
    return {found == nullptr ? kNothing : *found, path(name), mistake_};
  }

  void wrong(const char* name, const char* wanted) const {
    if (mistake_.empty()) mistake_ = fmt::format("{} must be {}", path(name), wanted);
  }

 private:
  [[nodiscard]] const nlohmann::json* member(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::string path(const char* name) const {
    if (name == nullptr) return where_.empty() ? "the record" : where_;
    return where_.empty() ? name : where_ + "." + name;
  }
  template <class T>
  [[nodiscard]] T number_in(const nlohmann::json& value, const char* name) const {
    if (value.is_number_unsigned()) {
      const auto wide = value.get<std::uint64_t>();
      if (wide <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
        return static_cast<T>(wide);
      }
    } else if (value.is_number_integer() && std::numeric_limits<T>::is_signed) {
      return static_cast<T>(value.get<std::int64_t>());
    }
    wrong(name, "a whole number of its range");
    return T{};
  }
  template <class T, class Read>
  [[nodiscard]] std::vector<T> list_in(const nlohmann::json& value, const char* name,
                                       const Read& read) const {
    std::vector<T> entries;
    if (!value.is_array()) {
      wrong(name, "a list");
      return entries;
    }
    for (const nlohmann::json& each : value) {
      entries.push_back(
          read(RecordReader(each, fmt::format("{}[{}]", path(name), entries.size()), mistake_)));
    }
    return entries;
  }

  const nlohmann::json& object_;
  std::string where_;
  std::string& mistake_;
};

}  // namespace asiodrv::trust
