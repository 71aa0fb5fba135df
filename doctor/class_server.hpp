// Which file programs load for a class: its own, or that of the class it is sent to (TreatAs).
#pragma once

#include <functional>
#include <string>

namespace asiodrv::doctor {

/// One registry of classes: the default value of the key `key` of a class; "" none.
using ClassTexts = std::function<std::string(const std::string& class_id, const char* key)>;

/// What `machine`, the classes of all users, has as the server of `class_id`, or of the class that
/// it sends it to; "" none.
[[nodiscard]] std::string machine_server(const std::string& class_id, const ClassTexts& machine);

/// What `user`, the classes of this user alone, puts in that one's place; "" nothing. Of a class
/// without any server that it is sent to: that class.
[[nodiscard]] std::string user_server(const std::string& class_id, const ClassTexts& machine,
                                      const ClassTexts& user);

}  // namespace asiodrv::doctor
