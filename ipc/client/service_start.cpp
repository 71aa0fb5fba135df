#include "ipc/client/service_start.hpp"

#include <string>
#include <utility>

namespace asiodrv::ipc {

/// What became of an attempt so far.
enum class StartVerdict {
  asking,
  starting,
  running,
  started,
  off,
  stopped,
  no_service,
  nothing_to_start,
  denied,
  failed
};

namespace {

using ports::MutexLock;
using std::chrono::seconds;

/// What was asked for so long ago and is not there will not come.
constexpr nanoseconds kComesUpWithin = seconds{10};
constexpr nanoseconds kThreadEnds = seconds{35};  // StartService gives up after 30 s

bool under_way(StartVerdict verdict) noexcept {
  return verdict == StartVerdict::asking || verdict == StartVerdict::starting;
}

/// For the agent's log: why it is not the registered service that runs.
std::string_view agents_reason(StartVerdict verdict) noexcept {
  switch (verdict) {
    case StartVerdict::no_service: return "no service is registered with Windows";
    case StartVerdict::nothing_to_start: return "this user has no service before the next sign-in";
    case StartVerdict::denied: return "Windows does not let this user start the service";
    case StartVerdict::failed: return "the registered service could not be started";
    case StartVerdict::asking:
    case StartVerdict::starting:
    case StartVerdict::running:
    case StartVerdict::started: return "the registered service does not serve this session";
    case StartVerdict::off:
    case StartVerdict::stopped: break;
  }
  return "";
}

StartVerdict judge(const Result<ports::InstalledServiceFacts>& facts, Need need) noexcept {
  if (!facts) {
    return facts.error().code == ErrorCode::not_found ? StartVerdict::no_service
                                                      : StartVerdict::failed;
  }
  if (facts->switched_off) return StartVerdict::off;
  if (facts->running) return StartVerdict::running;
  if (need == Need::again && facts->was_stopped) return StartVerdict::stopped;
  return facts->can_start ? StartVerdict::starting : StartVerdict::nothing_to_start;
}

StartVerdict judge(const Result<>& started) noexcept {
  if (started) return StartVerdict::started;
  switch (started.error().code) {
    case ErrorCode::access_denied: return StartVerdict::denied;
    case ErrorCode::already_exists: return StartVerdict::running;
    case ErrorCode::not_found: return StartVerdict::nothing_to_start;
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_state:
    case ErrorCode::unsupported:
    case ErrorCode::out_of_memory:
    case ErrorCode::limit_reached:
    case ErrorCode::timed_out:
    case ErrorCode::disconnected:
    case ErrorCode::malformed:
    case ErrorCode::version_mismatch:
    case ErrorCode::device_gone:
    case ErrorCode::device_busy:
    case ErrorCode::format_refused:
    case ErrorCode::service_absent:
    case ErrorCode::internal: return StartVerdict::failed;
  }
  return StartVerdict::failed;
}

}  // namespace

struct ServiceStart::State {
  State(ports::Threads& threads, std::unique_ptr<ports::InstalledService> service)
      : installed(std::move(service)), changed(threads.make_signal()) {}

  void set(StartVerdict now) {
    {
      const MutexLock lock(mutex);
      verdict = now;
    }
    changed->signal();
  }
  StartVerdict get() {
    const MutexLock lock(mutex);
    return verdict;
  }
  void ask(Need need) {
    const StartVerdict found = judge(installed->look(), need);
    set(found);
    if (found == StartVerdict::starting) set(judge(installed->start()));
  }

  const std::unique_ptr<ports::InstalledService> installed;  // of the thread, while there is one
  const std::unique_ptr<ports::Signal> changed;
  ports::Mutex mutex;  // guards what follows
  StartVerdict verdict = StartVerdict::asking;
};

ServiceStart::ServiceStart(ports::Clock& clock, ports::Threads& threads,
                           std::unique_ptr<ports::InstalledService> installed,
                           StartAgent start_agent)
    : clock_(clock),
      threads_(threads),
      start_agent_(std::move(start_agent)),
      state_(std::make_shared<State>(threads, std::move(installed))) {}

ServiceStart::~ServiceStart() {
  if (thread_) thread_->join(clock_.now() + kThreadEnds);
}

Result<> ServiceStart::operator()(Need need) {
  if (!state_->installed) return start_agent_("");
  const MutexLock lock(asking_);
  const Instant now = clock_.now();
  if (has_tried_ && now < service_tried_ + kComesUpWithin) {
    return start_agent_(agents_reason(state_->get()));
  }
  if (thread_) {
    // The system still holds up the last attempt: another one would only wait behind it. A thread
    // that has given its answer is about to end.
    const bool held_up = under_way(state_->get());
    if (!thread_->join(held_up ? now : now + kPatience)) {
      return start_agent_(agents_reason(state_->get()));
    }
    thread_.reset();
  }
  if (auto begun = begin(need); !begun) return start_agent_(agents_reason(StartVerdict::failed));
  return conclude();
}

void ServiceStart::reached() {
  const MutexLock lock(asking_);
  has_tried_ = false;
}

Result<> ServiceStart::begin(Need need) {
  state_->set(StartVerdict::asking);
  (void)state_->changed->wait(clock_.now());  // of an attempt before
  auto thread = threads_.start("asiodrv-start", ports::ThreadRole::control,
                               [state = state_, need] { state->ask(need); });
  if (!thread) return refusal(thread);
  thread_ = std::move(*thread);
  return {};
}

/// Waits for an answer for a while, and does what it says.
Result<> ServiceStart::conclude() {
  const Instant deadline = clock_.now() + kPatience;
  StartVerdict verdict = state_->get();
  while (under_way(verdict)) {
    if (!state_->changed->wait(deadline)) break;
    verdict = state_->get();
  }
  switch (verdict) {
    case StartVerdict::off:
      return fail(ErrorCode::service_absent,
                  "The audio service is switched off. To switch it on: asio-driver service "
                  "set-start demand");
    case StartVerdict::stopped:
      return fail(ErrorCode::service_absent,
                  "The audio service was stopped. To start it: asio-driver service start");
    case StartVerdict::asking:
    case StartVerdict::starting:
    case StartVerdict::running:
    case StartVerdict::started:
      has_tried_ = true;
      service_tried_ = clock_.now();
      return {};
    case StartVerdict::no_service:
    case StartVerdict::nothing_to_start:
    case StartVerdict::denied:
    case StartVerdict::failed: break;
  }
  return start_agent_(agents_reason(verdict));
}

}  // namespace asiodrv::ipc
