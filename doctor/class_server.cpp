#include "doctor/class_server.hpp"

#include "doctor/installed_files.hpp"

namespace asiodrv::doctor {
namespace {

constexpr const char* kServer = "InprocServer32";

/// Where `texts` sends `class_id`; "" nowhere, or to itself.
std::string sent_to(const std::string& class_id, const ClassTexts& texts) {
  const std::string target = texts(class_id, "TreatAs");
  return same_text(target, class_id) ? std::string() : target;
}

}  // namespace

std::string machine_server(const std::string& class_id, const ClassTexts& machine) {
  const std::string target = sent_to(class_id, machine);
  return machine(target.empty() ? class_id : target, kServer);
}

std::string user_server(const std::string& class_id, const ClassTexts& machine,
                        const ClassTexts& user) {
  const std::string target = sent_to(class_id, user);
  if (target.empty()) return user(class_id, kServer);
  for (const ClassTexts* const texts : {&user, &machine}) {
    std::string server = (*texts)(target, kServer);
    if (!server.empty()) return server;
  }
  return target;
}

}  // namespace asiodrv::doctor
