#include "service/manager/event_log.hpp"

#include <windows.h>

#include <memory>

#include "platform/windows/text.hpp"

namespace asiodrv::service::manager {
namespace {

constexpr WORD type_of(Event event) noexcept {
  switch (severity_of(event)) {
    case EventSeverity::information: return EVENTLOG_INFORMATION_TYPE;
    case EventSeverity::warning: return EVENTLOG_WARNING_TYPE;
    case EventSeverity::error: return EVENTLOG_ERROR_TYPE;
  }
  return EVENTLOG_ERROR_TYPE;
}

void close_source(void* source) noexcept {
  if (source != nullptr) DeregisterEventSource(source);
}

}  // namespace

EventSink make_event_sink(const std::string& source) {
  const std::shared_ptr<void> handle(
      RegisterEventSourceW(nullptr, platform::to_wide(source).c_str()), close_source);
  return [handle](Event event, const std::string& detail) {
    if (!handle) return;
    const std::wstring text = platform::to_wide(detail);
    const wchar_t* strings[] = {text.c_str()};
    ReportEventW(handle.get(), type_of(event), 0, event_identifier(event), nullptr, 1, 0, strings,
                 nullptr);
  };
}

}  // namespace asiodrv::service::manager
