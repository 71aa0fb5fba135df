#include "platform/posix/endpoint.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "core/base/product.hpp"
#include "platform/names.hpp"

namespace asiodrv::platform {
namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

/// A real folder (not a link to one) that nobody else may enter.
bool is_private_folder(const std::string& path) noexcept {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == geteuid() && (status.st_mode & 0077U) == 0;
}

Endpoint inside(const std::string& folder, const std::string& instance) {
  const std::string stem =
      folder + "/" + kProduct.id + (instance.empty() ? std::string() : "-" + instance);
  return {stem + ".sock", stem + ".lock"};
}

}  // namespace

Result<Endpoint> find_endpoint(const std::string& instance, bool create) {
  if (auto usable = check_instance(instance); !usable) return tl::unexpected(usable.error());
  const std::string user = std::to_string(geteuid());
  const char* announced = std::getenv("XDG_RUNTIME_DIR");
  for (const std::string& folder :
       {std::string(announced != nullptr ? announced : ""), "/run/user/" + user}) {
    if (folder.empty() || folder[0] != '/' || !is_private_folder(folder)) continue;
    const Endpoint endpoint = inside(folder, instance);
    if (endpoint.socket_path.size() <= kMaxPath) return endpoint;
  }

  const std::string fallback = "/tmp/asiodrv-" + user;
  if (create) (void)mkdir(fallback.c_str(), 0700);  // an existing one is judged like a new one
  if (is_private_folder(fallback)) return inside(fallback, instance);
  if (access(fallback.c_str(), F_OK) != 0) {
    return fail(ErrorCode::not_found, "There is no runtime folder for this user.");
  }
  return fail(ErrorCode::access_denied,
              "The folder " + fallback +
                  " is not a folder of this user with mode 0700. Remove it, or set "
                  "XDG_RUNTIME_DIR to a private folder.");
}

}  // namespace asiodrv::platform
