#include <fmt/format.h>
#include <windows.h>

#include <cstdio>
#include <string>

#include "bench/event_round_trip.hpp"

namespace asiodrv::bench {
namespace {

constexpr DWORD kLimitMs = 5000;

/// Two auto-reset events, named after the process that asks.
struct Events {
  HANDLE ask = nullptr;
  HANDLE answer = nullptr;

  explicit Events(const std::string& name)
      : ask(CreateEventA(nullptr, FALSE, FALSE, fmt::format("Local\\{}-ask", name).c_str())),
        answer(CreateEventA(nullptr, FALSE, FALSE, fmt::format("Local\\{}-answer", name).c_str())) {
  }
  ~Events() {
    CloseHandle(ask);
    CloseHandle(answer);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
};

std::int64_t now_ns() {
  LARGE_INTEGER ticks{}, frequency{};
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&frequency);
  const std::int64_t whole = ticks.QuadPart / frequency.QuadPart;
  const std::int64_t rest = ticks.QuadPart % frequency.QuadPart;
  return whole * 1'000'000'000 + rest * 1'000'000'000 / frequency.QuadPart;
}

std::int64_t cpu_used_ns(HANDLE process) {
  FILETIME created{}, ended{}, kernel{}, user{};
  GetProcessTimes(process, &created, &ended, &kernel, &user);
  const auto ns = [](const FILETIME& time) {
    return ((std::int64_t{time.dwHighDateTime} << 32) | time.dwLowDateTime) * 100;
  };
  return ns(kernel) + ns(user);
}

}  // namespace

bool event_round_trips(int rounds, const std::function<void(std::int64_t)>& report,
                       std::int64_t& cpu_ns) {
  const std::int64_t before = cpu_used_ns(GetCurrentProcess());
  const std::string name = fmt::format("event-bench-{}", GetCurrentProcessId());
  const Events events(name);
  char program[MAX_PATH];
  GetModuleFileNameA(nullptr, program, MAX_PATH);
  std::string command = fmt::format("\"{}\" --answer {} {}", program, name, rounds);
  STARTUPINFOA startup{};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION process{};
  if (CreateProcessA(program, command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr,
                     &startup, &process) == 0) {
    std::fprintf(stderr, "event_bench: the answering process did not start\n");
    return false;
  }
  bool answered = true;
  for (int round = 0; round < rounds && answered; ++round) {
    const std::int64_t start = now_ns();
    SetEvent(events.ask);
    answered = WaitForSingleObject(events.answer, kLimitMs) == WAIT_OBJECT_0;
    report(now_ns() - start);
    Sleep(1);
  }
  WaitForSingleObject(process.hProcess, kLimitMs);
  cpu_ns = cpu_used_ns(GetCurrentProcess()) - before + cpu_used_ns(process.hProcess);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return answered;
}

int answer_round_trips(const char* name, int rounds) {
  SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL);
  const Events events(name);
  for (int round = 0; round < rounds; ++round) {
    if (WaitForSingleObject(events.ask, kLimitMs) != WAIT_OBJECT_0) return 1;
    SetEvent(events.answer);
  }
  return 0;
}

}  // namespace asiodrv::bench
