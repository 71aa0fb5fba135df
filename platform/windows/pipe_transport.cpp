// The control stream over a named pipe whose name carries the user and the session, so that fast
// user switching and several sign-ins of one user never meet.
//
// Who may serve: pipe names are the whole machine's, and anybody can take one first. The client
// therefore asks the system for the owner of the pipe before it sends a byte; an ordinary account
// can make nobody but itself an owner. Who may connect: the access list says (security.hpp), and
// the server asks the system for the client's user as well.
#include <windows.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "core/base/product.hpp"
#include "core/ports/transport.hpp"
#include "platform/monotonic.hpp"
#include "platform/names.hpp"
#include "platform/platform.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/pipe_connection.hpp"
#include "platform/windows/security.hpp"
#include "platform/windows/sleeper.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform {
namespace {

constexpr DWORD kPipeBuffer = 64 * 1024;
constexpr std::int64_t kMillisecond = 1'000'000;

/// Names of one installation's endpoint, and whose it is.
struct Address {
  UserIdentity identity;
  std::wstring pipe;
  std::wstring lock;
};

Result<Address> address_of(const std::string& instance) {
  if (auto usable = check_instance(instance); !usable) return tl::unexpected(usable.error());
  auto identity = current_identity();
  if (!identity) return tl::unexpected(identity.error());
  std::wstring stem =
      to_wide(kProduct.id) + L"-" + identity->user_sid + L"-" + std::to_wstring(identity->session);
  if (!instance.empty()) stem += L"-" + to_wide(instance);
  return Address{std::move(*identity), L"\\\\.\\pipe\\" + stem, L"Local\\" + stem};
}

/// The user behind a connected client: from the token it came with, else from its process. The
/// token is identification only; it is put off again on every path.
std::optional<std::wstring> user_of_client(HANDLE pipe, DWORD process) {
  if (ImpersonateNamedPipeClient(pipe) != 0) {
    HANDLE raw = nullptr;
    const bool opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &raw) != 0;
    const bool reverted = RevertToSelf() != 0;
    const UniqueHandle token(opened ? raw : nullptr);
    if (!reverted) std::abort();  // going on as somebody else would be worse
    if (token) {
      if (auto user = user_of_token(token.get())) return user;
    }
  }
  return user_of_process(process);
}

class PipeListener final : public ports::Listener {
 public:
  PipeListener(Address address, SecurityAttributes security, UniqueHandle lock) noexcept
      : address_(std::move(address)), security_(std::move(security)), lock_(std::move(lock)) {}

  ~PipeListener() override { drop_instance(); }

  /// Makes the first instance. Errors: access_denied (the name is taken), internal.
  Result<> open() { return arm(FILE_FLAG_FIRST_PIPE_INSTANCE); }

  Result<std::unique_ptr<ports::Connection>> accept(Instant deadline) override {
    for (;;) {
      if (!waiting_) {
        if (auto armed = arm(0); !armed) return tl::unexpected(armed.error());
      }
      const std::array<HANDLE, 2> watched{stop_.get(), connected_.get()};
      const int index = wait_any(watched.data(), 2, deadline);
      if (index == 0) return fail(ErrorCode::disconnected, "The endpoint was shut down.");
      if (index < 0) return fail(ErrorCode::timed_out, "No client came in time.");
      UniqueHandle pipe = take_connected();
      // The next instance exists before this one is served: the name is never free for others.
      // Where that fails, this client is served all the same and the next accept reports it.
      (void)arm(0);
      if (!pipe) continue;
      ports::PeerIdentity peer = identify(pipe.get());
      return std::make_unique<PipeConnection>(std::move(pipe), std::move(peer));
    }
  }

  void shutdown() noexcept override { SetEvent(stop_.get()); }

 private:
  /// Makes an instance and lets a client connect to it.
  Result<> arm(DWORD first) {
    UniqueHandle pipe(CreateNamedPipeW(
        address_.pipe.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first,
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, kPipeBuffer, kPipeBuffer, 0, security_.get()));
    if (!pipe) return system_failure("The service's pipe could not be made", GetLastError());
    for (;;) {
      operation_ = {};
      operation_.hEvent = connected_.get();
      ResetEvent(connected_.get());
      pending_ = false;
      if (ConnectNamedPipe(pipe.get(), &operation_) != 0) break;
      const DWORD error = GetLastError();
      if (error == ERROR_PIPE_CONNECTED) {
        SetEvent(connected_.get());
        break;
      }
      if (error == ERROR_IO_PENDING) {
        pending_ = true;
        break;
      }
      // ERROR_NO_DATA: a client came and left already; the instance can serve another one.
      if (error != ERROR_NO_DATA || DisconnectNamedPipe(pipe.get()) == 0) {
        return system_failure("The service's pipe does not listen", error);
      }
    }
    waiting_ = std::move(pipe);
    return {};
  }

  /// The instance that a client has connected to; none when that client has left again.
  UniqueHandle take_connected() noexcept {
    DWORD nothing = 0;
    const bool good =
        !pending_ || GetOverlappedResult(waiting_.get(), &operation_, &nothing, FALSE) != 0;
    pending_ = false;
    UniqueHandle taken = std::move(waiting_);
    return good ? std::move(taken) : UniqueHandle();
  }

  void drop_instance() noexcept {
    if (waiting_ && pending_) {
      DWORD nothing = 0;
      CancelIoEx(waiting_.get(), &operation_);
      GetOverlappedResult(waiting_.get(), &operation_, &nothing, TRUE);
    }
    waiting_.reset();
  }

  [[nodiscard]] ports::PeerIdentity identify(HANDLE pipe) const {
    ports::PeerIdentity peer;
    ULONG process = 0;
    if (GetNamedPipeClientProcessId(pipe, &process) == 0) process = 0;
    peer.process_id = process;
    peer.same_user = user_of_client(pipe, process) == address_.identity.user_sid;
    peer.image_path = image_of_process(process);
    return peer;
  }

  Address address_;
  SecurityAttributes security_;
  UniqueHandle lock_;
  UniqueHandle waiting_;  // the instance that the next client gets
  OVERLAPPED operation_{};
  bool pending_ = false;  // operation_ is the system's
  UniqueHandle connected_ = make_event(true);
  UniqueHandle stop_ = make_event(true);
};

class PipeTransport final : public ports::Transport {
 public:
  explicit PipeTransport(std::string instance) noexcept : instance_(std::move(instance)) {}

  Result<std::unique_ptr<ports::Listener>> listen() override {
    auto address = address_of(instance_);
    if (!address) return tl::unexpected(address.error());
    auto for_lock = SecurityAttributes::parse(object_sddl(address->identity));
    if (!for_lock) return tl::unexpected(for_lock.error());
    auto for_pipe = SecurityAttributes::parse(pipe_sddl(address->identity));
    if (!for_pipe) return tl::unexpected(for_pipe.error());

    // The first-instance flag keeps others from the name, but Wine does not enforce it; a named
    // object that exists as long as its one holder does decides between two services everywhere.
    UniqueHandle lock(CreateMutexW(for_lock->get(), FALSE, address->lock.c_str()));
    const DWORD error = GetLastError();
    if (!lock) return system_failure("The service's lock could not be made", error);
    if (error == ERROR_ALREADY_EXISTS) {
      return fail(ErrorCode::already_exists, "Another service of this user already runs.");
    }
    auto listener =
        std::make_unique<PipeListener>(std::move(*address), std::move(*for_pipe), std::move(lock));
    if (auto opened = listener->open(); !opened) return tl::unexpected(opened.error());
    return listener;
  }

  Result<std::unique_ptr<ports::Connection>> connect(Instant deadline) override {
    const auto address = address_of(instance_);
    if (!address) return tl::unexpected(address.error());
    for (;;) {
      UniqueHandle pipe(open_pipe(address->pipe));
      if (pipe) return judge(std::move(pipe), address->identity);
      const DWORD error = GetLastError();
      if (error == ERROR_FILE_NOT_FOUND) {
        return fail(ErrorCode::service_absent, "The service does not run.");
      }
      if (error != ERROR_PIPE_BUSY) {
        return system_failure("The service's pipe refuses the connection", error);
      }
      const std::int64_t left = time_left(deadline).count();
      if (left == 0) return fail(ErrorCode::timed_out, "The service is too busy to answer.");
      // Another client may be quicker: waiting says only that one more attempt makes sense.
      WaitNamedPipeW(address->pipe.c_str(),
                     static_cast<DWORD>(std::clamp<std::int64_t>(left / kMillisecond, 1, 100)));
    }
  }

 private:
  static HANDLE open_pipe(const std::wstring& name) noexcept {
    // No more than the access list grants to the logon: generic write would ask for the right to
    // create instances. Identification: the server learns who we are and can do nothing with it.
    constexpr DWORD kAccess = FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES |
                              FILE_WRITE_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE;
    constexpr DWORD kFlags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    return CreateFileW(name.c_str(), kAccess, 0, nullptr, OPEN_EXISTING, kFlags, nullptr);
  }

  /// Decides whether the server is ours, before a byte is sent.
  static Result<std::unique_ptr<ports::Connection>> judge(UniqueHandle pipe,
                                                          const UserIdentity& identity) {
    ULONG process = 0;
    ULONG session = 0;
    if (GetNamedPipeServerProcessId(pipe.get(), &process) == 0) process = 0;
    if (owner_of(pipe.get()) != identity.user_sid) {
      return fail(ErrorCode::access_denied,
                  "The service's pipe belongs to another user; nothing was sent.");
    }
    if (GetNamedPipeServerSessionId(pipe.get(), &session) == 0 || session != identity.session) {
      return fail(ErrorCode::access_denied,
                  "The service's pipe is served from another session; nothing was sent.");
    }
    ports::PeerIdentity peer{process, true, image_of_process(process)};
    return std::make_unique<PipeConnection>(std::move(pipe), std::move(peer));
  }

  std::string instance_;
};

}  // namespace

std::unique_ptr<ports::Transport> make_transport(const std::string& instance) {
  return std::make_unique<PipeTransport>(instance);
}

}  // namespace asiodrv::platform
