// The other direction and the bare numbers: what Windows calls on objects of ours, ids, sizes,
// codes, flags and keys.
#include <initguid.h>  // before the others: defines the ids
// The line between keeps the order.
#include <audioclient.h>
#include <audiopolicy.h>
#include <devpkey.h>
#include <functiondiscoverykeys_devpkey.h>
#include <gtest/gtest.h>
#include <mmdeviceapi.h>
#include <mmreg.h>

#include <cstring>
#include <string>

#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi {
namespace {

std::string arrived;
Hr reach(std::string method) {
  arrived = std::move(method);
  return 77;
}

/// Ids that only ask for their first letter to be looked at.
std::string letter(Text id) {
  return id == nullptr ? "null" : std::string(1, static_cast<char>(*id));
}

struct Watcher final : NotificationClient {
  Hr WASAPI_METHOD query_interface(const Guid&, void**) override { return reach("query"); }
  std::uint32_t WASAPI_METHOD add_ref() override { return reach("add_ref"), 2; }
  std::uint32_t WASAPI_METHOD release() override { return reach("release"), 1; }
  Hr WASAPI_METHOD on_state_changed(Text id, std::uint32_t state) override {
    return reach("state " + letter(id) + std::to_string(state));
  }
  Hr WASAPI_METHOD on_added(Text id) override { return reach("added " + letter(id)); }
  Hr WASAPI_METHOD on_removed(Text id) override { return reach("removed " + letter(id)); }
  Hr WASAPI_METHOD on_default_changed(Flow flow, Role role, Text id) override {
    return reach("default " + std::to_string(static_cast<int>(flow)) +
                 std::to_string(static_cast<int>(role)) + letter(id));
  }
  Hr WASAPI_METHOD on_property_changed(Text id, PropertyKey key) override {
    return reach("property " + letter(id) + (key == kDeviceFormat ? " format" : " other"));
  }
};

TEST(com_callback, notifications_reach_our_object) {
  Watcher ours;
  void* volatile unknown = &ours;  // the compiler must not know whose table it is
  auto& theirs = *static_cast<IMMNotificationClient*>(unknown);
  EXPECT_EQ(theirs.QueryInterface(IID_IUnknown, nullptr), 77);
  EXPECT_EQ(arrived, "query");
  EXPECT_EQ(theirs.AddRef(), 2U);
  EXPECT_EQ(arrived, "add_ref");
  EXPECT_EQ(theirs.Release(), 1U);
  EXPECT_EQ(arrived, "release");
  theirs.OnDeviceStateChanged(L"x", 8);
  EXPECT_EQ(arrived, "state x8");
  theirs.OnDeviceAdded(L"a");
  EXPECT_EQ(arrived, "added a");
  theirs.OnDeviceRemoved(L"r");
  EXPECT_EQ(arrived, "removed r");
  theirs.OnDefaultDeviceChanged(eCapture, eCommunications, nullptr);
  EXPECT_EQ(arrived, "default 12null");
  theirs.OnPropertyValueChanged(L"p", PKEY_AudioEngine_DeviceFormat);
  EXPECT_EQ(arrived, "property p format");
}

template <class Ours>
void expect_id(const IID& theirs) {
  EXPECT_EQ(std::memcmp(&Ours::kId, &theirs, sizeof theirs), 0);
}

TEST(com_callback, ids_are_windows_own) {
  expect_id<Unknown>(__uuidof(IUnknown));
  expect_id<PropertyStore>(__uuidof(IPropertyStore));
  expect_id<MmDevice>(__uuidof(IMMDevice));
  expect_id<MmEndpoint>(__uuidof(IMMEndpoint));
  expect_id<MmDeviceCollection>(__uuidof(IMMDeviceCollection));
  expect_id<NotificationClient>(__uuidof(IMMNotificationClient));
  expect_id<MmDeviceEnumerator>(__uuidof(IMMDeviceEnumerator));
  expect_id<AudioClient>(__uuidof(IAudioClient));
  expect_id<AudioClient2>(__uuidof(IAudioClient2));
  expect_id<AudioClient3>(__uuidof(IAudioClient3));
  expect_id<RenderClient>(__uuidof(IAudioRenderClient));
  expect_id<CaptureClient>(__uuidof(IAudioCaptureClient));
  expect_id<AudioClock>(__uuidof(IAudioClock));
  expect_id<SessionEvents>(__uuidof(IAudioSessionEvents));
  expect_id<SessionControl>(__uuidof(IAudioSessionControl));
  EXPECT_EQ(std::memcmp(&MmDeviceEnumerator::kClassId, &__uuidof(MMDeviceEnumerator), 16), 0);
}

void expect_key(const PropertyKey& ours, const PROPERTYKEY& theirs) {
  EXPECT_EQ(std::memcmp(&ours, &theirs, sizeof theirs), 0);
}

TEST(com_callback, keys_and_subformats_are_windows_own) {
  expect_key(kFriendlyName, PKEY_Device_FriendlyName);
  expect_key(kDeviceDescription, PKEY_Device_DeviceDesc);
  expect_key(kAdapterName, PKEY_DeviceInterface_FriendlyName);
  EXPECT_EQ(std::memcmp(&kContainerId, &DEVPKEY_Device_ContainerId, sizeof kContainerId), 0);
  expect_key(kFormFactor, PKEY_AudioEndpoint_FormFactor);
  expect_key(kDeviceFormat, PKEY_AudioEngine_DeviceFormat);
  EXPECT_EQ(kSubPcm.a, static_cast<std::uint32_t>(WAVE_FORMAT_PCM));
  EXPECT_EQ(kSubFloat.a, static_cast<std::uint32_t>(WAVE_FORMAT_IEEE_FLOAT));
}

TEST(com_callback, layouts_are_windows_own) {
  static_assert(sizeof(WaveFormat) == sizeof(WAVEFORMATEX));
  static_assert(sizeof(WaveFormatExtensible) == sizeof(WAVEFORMATEXTENSIBLE));
  static_assert(sizeof(PropertyKey) == sizeof(PROPERTYKEY));
  static_assert(sizeof(PropertyValue) == sizeof(PROPVARIANT));
  static_assert(sizeof(ClientProperties) == sizeof(AudioClientProperties));
  static_assert(offsetof(WaveFormat, bytes_per_second) == offsetof(WAVEFORMATEX, nAvgBytesPerSec));
  static_assert(offsetof(WaveFormat, bytes_per_frame) == offsetof(WAVEFORMATEX, nBlockAlign));
  static_assert(offsetof(WaveFormat, bits_per_sample) == offsetof(WAVEFORMATEX, wBitsPerSample));
  static_assert(offsetof(WaveFormat, extra_bytes) == offsetof(WAVEFORMATEX, cbSize));
  static_assert(offsetof(WaveFormatExtensible, valid_bits) ==
                offsetof(WAVEFORMATEXTENSIBLE, Samples));
  static_assert(offsetof(WaveFormatExtensible, channel_mask) ==
                offsetof(WAVEFORMATEXTENSIBLE, dwChannelMask));
  static_assert(offsetof(WaveFormatExtensible, sub_format) ==
                offsetof(WAVEFORMATEXTENSIBLE, SubFormat));
  static_assert(offsetof(PropertyValue, blob) == offsetof(PROPVARIANT, blob));
  static_assert(offsetof(PropertyValue::Blob, bytes) == offsetof(BLOB, pBlobData));
  EXPECT_EQ(kVariantText, VT_LPWSTR);
  EXPECT_EQ(kVariantBlob, VT_BLOB);
  EXPECT_EQ(kVariantGuid, VT_CLSID);
  EXPECT_EQ(kVariantU4, VT_UI4);
  EXPECT_EQ(kVariantEmpty, VT_EMPTY);
}

TEST(com_callback, codes_and_flags_are_windows_own) {
  EXPECT_EQ(kNotInitialized, AUDCLNT_E_NOT_INITIALIZED);
  EXPECT_EQ(kDeviceInvalidated, AUDCLNT_E_DEVICE_INVALIDATED);
  EXPECT_EQ(kDeviceInUse, AUDCLNT_E_DEVICE_IN_USE);
  EXPECT_EQ(kExclusiveNotAllowed, AUDCLNT_E_EXCLUSIVE_MODE_NOT_ALLOWED);
  EXPECT_EQ(kServiceNotRunning, AUDCLNT_E_SERVICE_NOT_RUNNING);
  EXPECT_EQ(kNotAligned, AUDCLNT_E_BUFFER_SIZE_NOT_ALIGNED);
  EXPECT_EQ(kInvalidPeriod, AUDCLNT_E_INVALID_DEVICE_PERIOD);
  EXPECT_EQ(kBufferError, AUDCLNT_E_BUFFER_ERROR);
  EXPECT_EQ(kResourcesInvalidated, AUDCLNT_E_RESOURCES_INVALIDATED);
  EXPECT_EQ(kPeriodicityLocked, AUDCLNT_E_ENGINE_PERIODICITY_LOCKED);
  EXPECT_EQ(kBufferEmpty, AUDCLNT_S_BUFFER_EMPTY);
  EXPECT_EQ(kAccessDenied, E_ACCESSDENIED);
  EXPECT_EQ(kNotFound, static_cast<Hr>(HRESULT_FROM_WIN32(ERROR_NOT_FOUND)));
  EXPECT_EQ(kEventCallback, static_cast<std::uint32_t>(AUDCLNT_STREAMFLAGS_EVENTCALLBACK));
  EXPECT_EQ(kNoPersist, static_cast<std::uint32_t>(AUDCLNT_STREAMFLAGS_NOPERSIST));
  EXPECT_EQ(kLoopback, static_cast<std::uint32_t>(AUDCLNT_STREAMFLAGS_LOOPBACK));
  EXPECT_EQ(kAutoConvert, static_cast<std::uint32_t>(AUDCLNT_STREAMFLAGS_AUTOCONVERTPCM));
  EXPECT_EQ(kDiscontinuity, static_cast<std::uint32_t>(AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY));
  EXPECT_EQ(kSilent, static_cast<std::uint32_t>(AUDCLNT_BUFFERFLAGS_SILENT));
  EXPECT_EQ(kTimestampError, static_cast<std::uint32_t>(AUDCLNT_BUFFERFLAGS_TIMESTAMP_ERROR));
  EXPECT_EQ(static_cast<int>(ShareMode::exclusive), AUDCLNT_SHAREMODE_EXCLUSIVE);
  EXPECT_EQ(static_cast<int>(Flow::capture), eCapture);
  EXPECT_EQ(static_cast<int>(Role::communications), eCommunications);
  EXPECT_EQ(static_cast<int>(Category::media), AudioCategory_Media);
  EXPECT_EQ(kActive, static_cast<std::uint32_t>(DEVICE_STATE_ACTIVE));
  EXPECT_EQ(kUnplugged, static_cast<std::uint32_t>(DEVICE_STATE_UNPLUGGED));
  EXPECT_EQ(kAllStates, static_cast<std::uint32_t>(DEVICE_STATEMASK_ALL));
}

}  // namespace
}  // namespace asiodrv::devices::wasapi
