#include "trust/windows/process_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "platform/windows/handle.hpp"
#include "platform/windows/library.hpp"
#include "platform/windows/text.hpp"
#include "trust/connection_table.hpp"
#include "trust/windows/system_facts.hpp"

namespace asiodrv::trust {
namespace {

using platform::UniqueHandle;

constexpr DWORD kMaxModules = 4096;
constexpr DWORD kMaxTableBytes = 64U << 20;
constexpr int kTries = 8;  // tables and lists change while they are read

constexpr ULONG kIpv4 = 2, kIpv6 = 23;  // AF_INET, AF_INET6: no network header is included
constexpr int kTcpOwners = 5;           // TCP_TABLE_OWNER_PID_ALL
constexpr int kUdpOwners = 1;           // UDP_TABLE_OWNER_PID

using TableCall = DWORD WINAPI(void*, DWORD*, BOOL, ULONG, int, ULONG);

/// What is loaded into `process`; nothing where the system does not say.
std::optional<std::vector<HMODULE>> loaded_into(HANDLE process, const ModuleCalls& calls) {
  std::vector<HMODULE> handles(kMaxModules);
  const auto room = static_cast<DWORD>(handles.size() * sizeof(HMODULE));
  DWORD needed = 0;
  BOOL listed = FALSE;
  for (int attempt = 0; attempt < kTries && listed == FALSE; ++attempt) {
    listed = calls.list(process, handles.data(), room, &needed, LIST_MODULES_ALL);
  }
  if (listed == FALSE || needed > room) return std::nullopt;
  handles.resize(needed / sizeof(HMODULE));
  return handles;
}

Module nameless_module(HMODULE handle, DWORD error) {
  Module module;
  module.path = fmt::format("(the one at {:#x})", reinterpret_cast<std::uintptr_t>(handle));
  module.signature_code = Known<std::uint32_t>::unknown(
      fmt::format("its name could not be read, Windows error {}", error));
  return module;
}

Known<std::vector<Module>> modules_of_process(const FileContext& context, std::uint32_t id) {
  const UniqueHandle process(OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, id));
  if (!process) {
    return Known<std::vector<Module>>::unknown(fmt::format(
        "the process does not let this account look (Windows error {})", GetLastError()));
  }
  return modules_of(context, process.get());
}

Result<std::vector<std::byte>> read_table(TableCall* call, ULONG family, int kind) {
  std::vector<std::byte> table(std::size_t{64} << 10);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    auto bytes = static_cast<DWORD>(table.size());
    const DWORD error = call(table.data(), &bytes, FALSE, family, kind, 0);
    if (error == NO_ERROR) return table;
    if (error != ERROR_INSUFFICIENT_BUFFER || bytes > kMaxTableBytes) {
      return fail(ErrorCode::internal,
                  fmt::format("the system does not list them (Windows error {})", error));
    }
    table.resize(std::size_t{bytes} + 4096);
  }
  return fail(ErrorCode::internal, "the system's list changes too fast");
}

/// iphlpapi reads the system's table and opens nothing; it is loaded here and nowhere else.
Known<std::vector<Connection>> connections_of_process(const FileContext& context,
                                                      std::uint32_t id) {
  using Connections = Known<std::vector<Connection>>;
  if (context.wine) return Connections::unknown("Wine does not say whose they are");
  auto* const tcp = platform::system_function<TableCall>(L"iphlpapi.dll", "GetExtendedTcpTable");
  auto* const udp = platform::system_function<TableCall>(L"iphlpapi.dll", "GetExtendedUdpTable");
  if (tcp == nullptr || udp == nullptr) {
    return Connections::unknown("the system's list could not be loaded");
  }
  const struct {
    TableCall* call;
    ULONG family;
    int kind;
    TableKind layout;
  } tables[] = {{tcp, kIpv4, kTcpOwners, TableKind::tcp4},
                {tcp, kIpv6, kTcpOwners, TableKind::tcp6},
                {udp, kIpv4, kUdpOwners, TableKind::udp4},
                {udp, kIpv6, kUdpOwners, TableKind::udp6}};
  std::vector<Connection> all;
  for (const auto& each : tables) {
    const auto table = read_table(each.call, each.family, each.kind);
    if (!table) return Connections::unknown(table.error().message);
    auto found = connections_of(*table, each.layout, id);
    if (!found) return Connections::unknown(found.error().message);
    std::move(found->begin(), found->end(), std::back_inserter(all));
  }
  return all;
}

std::uint64_t ticks(FILETIME time) {
  return std::uint64_t{time.dwHighDateTime} << 32 | std::uint64_t{time.dwLowDateTime};
}

/// Processor time so far, in units of 100 ns.
std::optional<std::uint64_t> used_so_far(HANDLE process) {
  FILETIME created{}, ended{}, kernel{}, user{};
  if (!GetProcessTimes(process, &created, &ended, &kernel, &user)) return std::nullopt;
  return ticks(kernel) + ticks(user);
}

std::int64_t counter() {
  LARGE_INTEGER now{};
  QueryPerformanceCounter(&now);
  return now.QuadPart;
}

/// `process` stays the same one: while its handle is open, its id is not given to another.
Known<Processor> processor_of(HANDLE process, std::uint32_t sample_ms) {
  LARGE_INTEGER frequency{};
  QueryPerformanceFrequency(&frequency);
  const std::int64_t begin = counter();
  const auto before = used_so_far(process);
  const DWORD waited = WaitForSingleObject(process, sample_ms);
  const auto after = used_so_far(process);
  const std::int64_t end = counter();
  if (waited == WAIT_OBJECT_0) return Known<Processor>::unknown("it ended meanwhile");
  if (!before || !after || end <= begin || frequency.QuadPart <= 0) {
    return Known<Processor>::unknown("the system does not say");
  }
  const double seconds = static_cast<double>(end - begin) / static_cast<double>(frequency.QuadPart);
  const double used = static_cast<double>(*after - *before) * 1e-7;
  return Processor{100.0 * used / seconds, static_cast<std::uint32_t>(seconds * 1000.0)};
}

}  // namespace

Known<std::vector<Module>> modules_of(const FileContext& context, HANDLE process,
                                      const ModuleCalls& calls) {
  const auto handles = loaded_into(process, calls);
  if (!handles || handles->empty()) {  // the program itself is always among them
    return Known<std::vector<Module>>::unknown(handles ? "their list is empty"
                                                       : "their list could not be read");
  }
  std::vector<Module> modules;
  std::vector<HMODULE> nameless;
  DWORD error = ERROR_SUCCESS;
  for (const HMODULE handle : *handles) {
    std::wstring path(32'768, L'\0');
    const DWORD length =
        calls.name_of(process, handle, path.data(), static_cast<DWORD>(path.size()));
    if (length == 0) {
      error = GetLastError();
      nameless.push_back(handle);
      continue;
    }
    Module module;
    module.path = platform::to_utf8({path.data(), length});
    module.place = classify(module.path, context.folders);
    module.signature_code =
        context.wine && module.place == PlaceKind::system
            ? Known<std::uint32_t>::unknown("Wine's own libraries carry no signatures")
            : signature_code_of(context, module.path);
    modules.push_back(std::move(module));
  }
  if (nameless.empty()) return modules;
  const auto now = loaded_into(process, calls);
  for (const HMODULE handle : nameless) {
    const bool unloaded = now && std::find(now->begin(), now->end(), handle) == now->end();
    if (!unloaded) modules.push_back(nameless_module(handle, error));
  }
  return modules;
}

Result<ProcessFacts> look_at_process(const FileContext& context, std::uint32_t id,
                                     std::uint32_t sample_ms) {
  const UniqueHandle process(
      OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, id));
  if (!process) {
    return fail(ErrorCode::not_found,
                fmt::format("There is no process {}, or this account may not look at it.", id));
  }
  ProcessFacts facts;
  facts.id = id;
  facts.processor = processor_of(process.get(), sample_ms);
  facts.modules = modules_of_process(context, id);
  facts.connections = connections_of_process(context, id);
  facts.clients = Known<std::uint32_t>::unknown("it is not this product's service");
  return facts;
}

}  // namespace asiodrv::trust
