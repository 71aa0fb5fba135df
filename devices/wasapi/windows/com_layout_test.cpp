// Proves abi.hpp against the system's own headers: ids, sizes and codes are compared, and each
// method is called through our interface on an object of a class derived from theirs (or the other
// way round, for what Windows calls), to see that the right one is reached with its arguments.
#include <initguid.h>  // before the others: defines the ids
// The line between keeps the order.
#include <audioclient.h>
#include <audiopolicy.h>
#include <functiondiscoverykeys_devpkey.h>
#include <gtest/gtest.h>
#include <mmdeviceapi.h>

#include <cstring>
#include <string>

#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi {
namespace {

/// Where the last call arrived: the method and the sum of what its arguments are.
struct Arrival {
  std::string method;
  std::uint64_t sum = 0;
};
Arrival g_arrival;

template <class T>
std::uint64_t number(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<std::uint64_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

template <class... T>
HRESULT reach(const char* method, T... values) {
  g_arrival = {method, (std::uint64_t{0} + ... + number(values))};
  return 77;
}

/// A distinct pointer for argument `n`.
template <class T>
T* fake(std::uint64_t n) {
  return reinterpret_cast<T*>(n << 12);
}

#define REACHED(name, expected_sum, call)   \
  do {                                      \
    g_arrival = {};                         \
    EXPECT_EQ(call, 77);                    \
    EXPECT_EQ(g_arrival.method, name);      \
    EXPECT_EQ(g_arrival.sum, expected_sum); \
  } while (false)

template <class Theirs>
struct Counted : Theirs {
  HRESULT STDMETHODCALLTYPE QueryInterface(REFIID id, void** object) override {
    return reach("QueryInterface", &id, object);
  }
  ULONG STDMETHODCALLTYPE AddRef() override { return reach("AddRef"), 2; }
  ULONG STDMETHODCALLTYPE Release() override { return reach("Release"), 1; }
};

template <class Ours, class Theirs>
Ours& as_ours(Theirs& object) {
  void* volatile unknown = &object;  // the compiler must not know whose table it is
  return *static_cast<Ours*>(unknown);
}

template <class Ours>
void expect_unknown(Ours& object) {
  REACHED("QueryInterface", 0x3000U, object.query_interface(*fake<Guid>(1), fake<void*>(2)));
  EXPECT_EQ(object.add_ref(), 2U);
  EXPECT_EQ(g_arrival.method, "AddRef");
  EXPECT_EQ(object.release(), 1U);
  EXPECT_EQ(g_arrival.method, "Release");
}

struct Store final : Counted<IPropertyStore> {
  HRESULT STDMETHODCALLTYPE GetCount(DWORD* a) override { return reach("GetCount", a); }
  HRESULT STDMETHODCALLTYPE GetAt(DWORD a, PROPERTYKEY* b) override { return reach("GetAt", a, b); }
  HRESULT STDMETHODCALLTYPE GetValue(REFPROPERTYKEY a, PROPVARIANT* b) override {
    return reach("GetValue", &a, b);
  }
  HRESULT STDMETHODCALLTYPE SetValue(REFPROPERTYKEY a, REFPROPVARIANT b) override {
    return reach("SetValue", &a, &b);
  }
  HRESULT STDMETHODCALLTYPE Commit() override { return reach("Commit"); }
};

TEST(com_layout, property_store) {
  Store real;
  auto& ours = as_ours<PropertyStore>(real);
  expect_unknown(ours);
  REACHED("GetCount", 0x1000U, ours.count(fake<std::uint32_t>(1)));
  REACHED("GetAt", 0x1005U, ours.key_at(5, fake<PropertyKey>(1)));
  REACHED("GetValue", 0x3000U, ours.value(*fake<PropertyKey>(1), fake<PropertyValue>(2)));
  REACHED("SetValue", 0x3000U, ours.set_value(*fake<PropertyKey>(1), *fake<PropertyValue>(2)));
  REACHED("Commit", 0U, ours.commit());
}

struct Device final : Counted<IMMDevice> {
  HRESULT STDMETHODCALLTYPE Activate(REFIID a, DWORD b, PROPVARIANT* c, void** d) override {
    return reach("Activate", &a, b, c, d);
  }
  HRESULT STDMETHODCALLTYPE OpenPropertyStore(DWORD a, IPropertyStore** b) override {
    return reach("OpenPropertyStore", a, b);
  }
  HRESULT STDMETHODCALLTYPE GetId(LPWSTR* a) override { return reach("GetId", a); }
  HRESULT STDMETHODCALLTYPE GetState(DWORD* a) override { return reach("GetState", a); }
};

TEST(com_layout, device) {
  Device real;
  auto& ours = as_ours<MmDevice>(real);
  expect_unknown(ours);
  REACHED("Activate", 0x6017U, ours.activate(*fake<Guid>(1), 0x17, fake<void>(2), fake<void*>(3)));
  REACHED("OpenPropertyStore", 0x1000U, ours.open_properties(0, fake<PropertyStore*>(1)));
  REACHED("GetId", 0x1000U, ours.id(fake<char16_t*>(1)));
  REACHED("GetState", 0x1000U, ours.state(fake<std::uint32_t>(1)));
}

struct Endpoint final : Counted<IMMEndpoint> {
  HRESULT STDMETHODCALLTYPE GetDataFlow(EDataFlow* a) override { return reach("GetDataFlow", a); }
};

struct Collection final : Counted<IMMDeviceCollection> {
  HRESULT STDMETHODCALLTYPE GetCount(UINT* a) override { return reach("GetCount", a); }
  HRESULT STDMETHODCALLTYPE Item(UINT a, IMMDevice** b) override { return reach("Item", a, b); }
};

TEST(com_layout, endpoint_and_collection) {
  Endpoint endpoint;
  expect_unknown(as_ours<MmEndpoint>(endpoint));
  REACHED("GetDataFlow", 0x1000U, as_ours<MmEndpoint>(endpoint).flow(fake<Flow>(1)));
  Collection collection;
  auto& ours = as_ours<MmDeviceCollection>(collection);
  expect_unknown(ours);
  REACHED("GetCount", 0x1000U, ours.count(fake<std::uint32_t>(1)));
  REACHED("Item", 0x1003U, ours.item(3, fake<MmDevice*>(1)));
}

struct Enumerator final : Counted<IMMDeviceEnumerator> {
  HRESULT STDMETHODCALLTYPE EnumAudioEndpoints(EDataFlow a, DWORD b,
                                               IMMDeviceCollection** c) override {
    return reach("EnumAudioEndpoints", a, b, c);
  }
  HRESULT STDMETHODCALLTYPE GetDefaultAudioEndpoint(EDataFlow a, ERole b, IMMDevice** c) override {
    return reach("GetDefaultAudioEndpoint", a, b, c);
  }
  HRESULT STDMETHODCALLTYPE GetDevice(LPCWSTR a, IMMDevice** b) override {
    return reach("GetDevice", a, b);
  }
  HRESULT STDMETHODCALLTYPE
  RegisterEndpointNotificationCallback(IMMNotificationClient* a) override {
    return reach("Register", a);
  }
  HRESULT STDMETHODCALLTYPE
  UnregisterEndpointNotificationCallback(IMMNotificationClient* a) override {
    return reach("Unregister", a);
  }
};

TEST(com_layout, enumerator) {
  Enumerator real;
  auto& ours = as_ours<MmDeviceEnumerator>(real);
  expect_unknown(ours);
  REACHED("EnumAudioEndpoints", 0x1011U,
          ours.enumerate(Flow::all, 15, fake<MmDeviceCollection*>(1)));
  REACHED("GetDefaultAudioEndpoint", 0x1003U,
          ours.default_endpoint(Flow::capture, Role::communications, fake<MmDevice*>(1)));
  REACHED("GetDevice", 0x3000U, ours.device(fake<char16_t>(1), fake<MmDevice*>(2)));
  REACHED("Register", 0x1000U, ours.register_notifications(fake<NotificationClient>(1)));
  REACHED("Unregister", 0x1000U, ours.unregister_notifications(fake<NotificationClient>(1)));
}

struct Client final : Counted<IAudioClient3> {
  HRESULT STDMETHODCALLTYPE Initialize(AUDCLNT_SHAREMODE a, DWORD b, REFERENCE_TIME c,
                                       REFERENCE_TIME d, const WAVEFORMATEX* e,
                                       LPCGUID f) override {
    return reach("Initialize", a, b, c, d, e, f);
  }
  HRESULT STDMETHODCALLTYPE GetBufferSize(UINT32* a) override { return reach("GetBufferSize", a); }
  HRESULT STDMETHODCALLTYPE GetStreamLatency(REFERENCE_TIME* a) override {
    return reach("GetStreamLatency", a);
  }
  HRESULT STDMETHODCALLTYPE GetCurrentPadding(UINT32* a) override {
    return reach("GetCurrentPadding", a);
  }
  HRESULT STDMETHODCALLTYPE IsFormatSupported(AUDCLNT_SHAREMODE a, const WAVEFORMATEX* b,
                                              WAVEFORMATEX** c) override {
    return reach("IsFormatSupported", a, b, c);
  }
  HRESULT STDMETHODCALLTYPE GetMixFormat(WAVEFORMATEX** a) override {
    return reach("GetMixFormat", a);
  }
  HRESULT STDMETHODCALLTYPE GetDevicePeriod(REFERENCE_TIME* a, REFERENCE_TIME* b) override {
    return reach("GetDevicePeriod", a, b);
  }
  HRESULT STDMETHODCALLTYPE Start() override { return reach("Start"); }
  HRESULT STDMETHODCALLTYPE Stop() override { return reach("Stop"); }
  HRESULT STDMETHODCALLTYPE Reset() override { return reach("Reset"); }
  HRESULT STDMETHODCALLTYPE SetEventHandle(HANDLE a) override { return reach("SetEventHandle", a); }
  HRESULT STDMETHODCALLTYPE GetService(REFIID a, void** b) override {
    return reach("GetService", &a, b);
  }
  HRESULT STDMETHODCALLTYPE IsOffloadCapable(AUDIO_STREAM_CATEGORY a, BOOL* b) override {
    return reach("IsOffloadCapable", a, b);
  }
  HRESULT STDMETHODCALLTYPE SetClientProperties(const AudioClientProperties* a) override {
    return reach("SetClientProperties", a);
  }
  HRESULT STDMETHODCALLTYPE GetBufferSizeLimits(const WAVEFORMATEX* a, BOOL b, REFERENCE_TIME* c,
                                                REFERENCE_TIME* d) override {
    return reach("GetBufferSizeLimits", a, b, c, d);
  }
  HRESULT STDMETHODCALLTYPE GetSharedModeEnginePeriod(const WAVEFORMATEX* a, UINT32* b, UINT32* c,
                                                      UINT32* d, UINT32* e) override {
    return reach("GetSharedModeEnginePeriod", a, number(b) * 2, number(c) * 3, number(d) * 5, e);
  }
  HRESULT STDMETHODCALLTYPE GetCurrentSharedModeEnginePeriod(WAVEFORMATEX** a, UINT32* b) override {
    return reach("GetCurrentSharedModeEnginePeriod", a, number(b) * 2);
  }
  HRESULT STDMETHODCALLTYPE InitializeSharedAudioStream(DWORD a, UINT32 b, const WAVEFORMATEX* c,
                                                        LPCGUID d) override {
    return reach("InitializeSharedAudioStream", number(a) * 2, b, c, number(d) * 2);
  }
};

TEST(com_layout, audio_client) {
  Client real;
  auto& ours = as_ours<AudioClient3>(real);
  expect_unknown(ours);
  const auto* format = fake<WaveFormat>(1);
  REACHED("Initialize", 0x3000U + 1 + 0x10 + 0x20 + 0x40,
          ours.initialize(ShareMode::exclusive, 0x10, 0x20, 0x40, format, fake<Guid>(2)));
  REACHED("GetBufferSize", 0x1000U, ours.buffer_size(fake<std::uint32_t>(1)));
  REACHED("GetStreamLatency", 0x1000U, ours.stream_latency(fake<ReferenceTime>(1)));
  REACHED("GetCurrentPadding", 0x1000U, ours.current_padding(fake<std::uint32_t>(1)));
  REACHED("IsFormatSupported", 0x3001U,
          ours.is_format_supported(ShareMode::exclusive, format, fake<WaveFormat*>(2)));
  REACHED("GetMixFormat", 0x1000U, ours.mix_format(fake<WaveFormat*>(1)));
  REACHED("GetDevicePeriod", 0x3000U,
          ours.device_period(fake<ReferenceTime>(1), fake<ReferenceTime>(2)));
  REACHED("Start", 0U, ours.start());
  REACHED("Stop", 0U, ours.stop());
  REACHED("Reset", 0U, ours.reset());
  REACHED("SetEventHandle", 0x1000U, ours.set_event_handle(fake<void>(1)));
  REACHED("GetService", 0x3000U, ours.service(*fake<Guid>(1), fake<void*>(2)));
  REACHED("IsOffloadCapable", 0x100BU,
          ours.is_offload_capable(Category::media, fake<std::int32_t>(1)));
  REACHED("SetClientProperties", 0x1000U, ours.set_client_properties(fake<ClientProperties>(1)));
  REACHED("GetBufferSizeLimits", 0x7001U,
          ours.buffer_size_limits(format, 1, fake<ReferenceTime>(2), fake<ReferenceTime>(4)));
  REACHED("GetSharedModeEnginePeriod", 0x1000U * (1 + 2 * 2 + 3 * 3 + 4 * 5 + 5),
          ours.shared_engine_period(format, fake<std::uint32_t>(2), fake<std::uint32_t>(3),
                                    fake<std::uint32_t>(4), fake<std::uint32_t>(5)));
  REACHED("GetCurrentSharedModeEnginePeriod", 0x1000U * (1 + 4),
          ours.current_engine_period(fake<WaveFormat*>(1), fake<std::uint32_t>(2)));
  REACHED("InitializeSharedAudioStream", 0x5000U + 2 * 0x10 + 7,
          ours.initialize_shared(0x10, 7, format, fake<Guid>(2)));
}

struct Render final : Counted<IAudioRenderClient> {
  HRESULT STDMETHODCALLTYPE GetBuffer(UINT32 a, BYTE** b) override {
    return reach("GetBuffer", a, b);
  }
  HRESULT STDMETHODCALLTYPE ReleaseBuffer(UINT32 a, DWORD b) override {
    return reach("ReleaseBuffer", number(a) * 2, b);
  }
};

struct Capture final : Counted<IAudioCaptureClient> {
  HRESULT STDMETHODCALLTYPE GetBuffer(BYTE** a, UINT32* b, DWORD* c, UINT64* d,
                                      UINT64* e) override {
    return reach("GetBuffer", a, number(b) * 2, number(c) * 3, number(d) * 5, e);
  }
  HRESULT STDMETHODCALLTYPE ReleaseBuffer(UINT32 a) override { return reach("ReleaseBuffer", a); }
  HRESULT STDMETHODCALLTYPE GetNextPacketSize(UINT32* a) override {
    return reach("GetNextPacketSize", a);
  }
};

struct Time final : Counted<IAudioClock> {
  HRESULT STDMETHODCALLTYPE GetFrequency(UINT64* a) override { return reach("GetFrequency", a); }
  HRESULT STDMETHODCALLTYPE GetPosition(UINT64* a, UINT64* b) override {
    return reach("GetPosition", number(a) * 2, b);
  }
  HRESULT STDMETHODCALLTYPE GetCharacteristics(DWORD* a) override {
    return reach("GetCharacteristics", a);
  }
};

TEST(com_layout, services_of_a_stream) {
  Render render;
  auto& to_render = as_ours<RenderClient>(render);
  expect_unknown(to_render);
  REACHED("GetBuffer", 0x1009U, to_render.buffer(9, fake<std::uint8_t*>(1)));
  REACHED("ReleaseBuffer", 20U, to_render.release_buffer(9, 2));
  Capture capture;
  auto& to_capture = as_ours<CaptureClient>(capture);
  expect_unknown(to_capture);
  REACHED("GetBuffer", 0x1000U * (1 + 4 + 9 + 20 + 5),
          to_capture.buffer(fake<std::uint8_t*>(1), fake<std::uint32_t>(2), fake<std::uint32_t>(3),
                            fake<std::uint64_t>(4), fake<std::uint64_t>(5)));
  REACHED("ReleaseBuffer", 9U, to_capture.release_buffer(9));
  REACHED("GetNextPacketSize", 0x1000U, to_capture.next_packet_size(fake<std::uint32_t>(1)));
  Time time;
  auto& to_time = as_ours<AudioClock>(time);
  expect_unknown(to_time);
  REACHED("GetFrequency", 0x1000U, to_time.frequency(fake<std::uint64_t>(1)));
  REACHED("GetPosition", 0x4000U, to_time.position(fake<std::uint64_t>(1), fake<std::uint64_t>(2)));
  REACHED("GetCharacteristics", 0x1000U, to_time.characteristics(fake<std::uint32_t>(1)));
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
