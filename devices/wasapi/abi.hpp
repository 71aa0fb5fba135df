// The binary interface of WASAPI: interface ids, method order, layouts and codes. Written from
// documented facts, so that the backend and a Windows made of arithmetic are the same code on every
// target; on Windows the pointers are the system's own (com_layout_test proves that they agree).
//
// Method names are ours, their order and types are Windows'. `Text` is UTF-16 ended by 0. What a
// method returns through a pointer to a pointer belongs to the caller: memory by
// System::free_task_memory, interfaces by release().
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(_WIN32) && defined(__i386__)
#define WASAPI_METHOD __stdcall
#else
#define WASAPI_METHOD
#endif

namespace asiodrv::devices::wasapi {

/// HRESULT: negative means failure.
using Hr = std::int32_t;
constexpr Hr hr(std::uint32_t code) noexcept { return static_cast<Hr>(code); }
constexpr bool failed(Hr code) noexcept { return code < 0; }

/// Units of 100 ns.
using ReferenceTime = std::int64_t;
using Text = const char16_t*;
/// An event object of the system.
using EventHandle = void*;

struct Guid {
  std::uint32_t a;
  std::uint16_t b, c;
  std::uint8_t d[8];
  friend constexpr bool operator==(const Guid&, const Guid&) = default;
};
static_assert(sizeof(Guid) == 16);

// --- codes ---------------------------------------------------------------------------------------

inline constexpr Hr kOk = 0;
inline constexpr Hr kFalse = 1;
inline constexpr Hr kNotImplemented = hr(0x80004001);
inline constexpr Hr kNoInterface = hr(0x80004002);
inline constexpr Hr kPointer = hr(0x80004003);
inline constexpr Hr kUnexpected = hr(0x8000FFFF);
inline constexpr Hr kAccessDenied = hr(0x80070005);
inline constexpr Hr kBadHandle = hr(0x80070006);
inline constexpr Hr kOutOfMemory = hr(0x8007000E);
inline constexpr Hr kNotReady = hr(0x80070015);
inline constexpr Hr kGeneralFailure = hr(0x8007001F);
inline constexpr Hr kInvalidArgument = hr(0x80070057);
inline constexpr Hr kInvalidName = hr(0x8007007B);
inline constexpr Hr kNotFound = hr(0x80070490);
inline constexpr Hr kComNotInitialized = hr(0x800401F0);
inline constexpr Hr kClassNotRegistered = hr(0x80040154);
/// Start of an event stream without a handle, as some versions answer it.
inline constexpr Hr kNoEventSeen = hr(0x887C004E);

inline constexpr Hr kNotInitialized = hr(0x88890001);
inline constexpr Hr kAlreadyInitialized = hr(0x88890002);
inline constexpr Hr kWrongEndpointType = hr(0x88890003);
inline constexpr Hr kDeviceInvalidated = hr(0x88890004);
inline constexpr Hr kNotStopped = hr(0x88890005);
inline constexpr Hr kBufferTooLarge = hr(0x88890006);
inline constexpr Hr kOutOfOrder = hr(0x88890007);
inline constexpr Hr kUnsupportedFormat = hr(0x88890008);
inline constexpr Hr kInvalidSize = hr(0x88890009);
inline constexpr Hr kDeviceInUse = hr(0x8889000A);
inline constexpr Hr kBufferOperationPending = hr(0x8889000B);
inline constexpr Hr kThreadNotRegistered = hr(0x8889000C);
inline constexpr Hr kExclusiveNotAllowed = hr(0x8889000E);
inline constexpr Hr kEndpointCreateFailed = hr(0x8889000F);
inline constexpr Hr kServiceNotRunning = hr(0x88890010);
inline constexpr Hr kEventNotExpected = hr(0x88890011);
inline constexpr Hr kExclusiveOnly = hr(0x88890012);
inline constexpr Hr kDurationPeriodNotEqual = hr(0x88890013);
inline constexpr Hr kEventNotSet = hr(0x88890014);
inline constexpr Hr kIncorrectBufferSize = hr(0x88890015);
inline constexpr Hr kBufferSizeError = hr(0x88890016);
inline constexpr Hr kCpuUsageExceeded = hr(0x88890017);
inline constexpr Hr kBufferError = hr(0x88890018);
inline constexpr Hr kNotAligned = hr(0x88890019);
inline constexpr Hr kInvalidPeriod = hr(0x88890020);
inline constexpr Hr kInvalidStreamFlag = hr(0x88890021);
inline constexpr Hr kOffloadNotCapable = hr(0x88890022);
inline constexpr Hr kOutOfOffloadResources = hr(0x88890023);
inline constexpr Hr kOffloadModeOnly = hr(0x88890024);
inline constexpr Hr kNonOffloadModeOnly = hr(0x88890025);
inline constexpr Hr kResourcesInvalidated = hr(0x88890026);
inline constexpr Hr kRawModeUnsupported = hr(0x88890027);
inline constexpr Hr kPeriodicityLocked = hr(0x88890028);
inline constexpr Hr kFormatLocked = hr(0x88890029);
inline constexpr Hr kHeadtrackingEnabled = hr(0x88890030);
inline constexpr Hr kHeadtrackingUnsupported = hr(0x88890040);
inline constexpr Hr kEffectNotAvailable = hr(0x88890041);
inline constexpr Hr kEffectStateReadOnly = hr(0x88890042);
inline constexpr Hr kLoopbackUnsupported = hr(0x88890043);

inline constexpr Hr kBufferEmpty = 0x08890001;  ///< a success
inline constexpr Hr kThreadAlreadyRegistered = 0x08890002;
inline constexpr Hr kPositionStalled = 0x08890003;

// --- formats -------------------------------------------------------------------------------------

enum FormatTag : std::uint16_t { kTagPcm = 1, kTagFloat = 3, kTagExtensible = 0xFFFE };

inline constexpr Guid kSubPcm{0x00000001, 0, 0x10, {0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71}};
inline constexpr Guid kSubFloat{0x00000003, 0, 0x10, {0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71}};

#pragma pack(push, 1)
/// WAVEFORMATEX.
struct WaveFormat {
  std::uint16_t tag;
  std::uint16_t channels;
  std::uint32_t rate_hz;
  std::uint32_t bytes_per_second;
  std::uint16_t bytes_per_frame;
  std::uint16_t bits_per_sample;  ///< of the container
  std::uint16_t extra_bytes;      ///< that follow; 22 for an extensible one
};
/// WAVEFORMATEXTENSIBLE.
struct WaveFormatExtensible {
  WaveFormat base;
  std::uint16_t valid_bits;
  std::uint32_t channel_mask;
  Guid sub_format;
};
#pragma pack(pop)
static_assert(sizeof(WaveFormat) == 18 && sizeof(WaveFormatExtensible) == 40);

// --- properties ----------------------------------------------------------------------------------

struct PropertyKey {
  Guid set;
  std::uint32_t id;
  friend constexpr bool operator==(const PropertyKey&, const PropertyKey&) = default;
};
static_assert(sizeof(PropertyKey) == 20);

enum VariantType : std::uint16_t {
  kVariantEmpty = 0,
  kVariantU4 = 19,
  kVariantText = 31,
  kVariantBlob = 65,
  kVariantGuid = 72
};

/// PROPVARIANT, the types that audio endpoints have. Cleared by System::clear.
struct PropertyValue {
  std::uint16_t type;
  std::uint16_t reserved[3];
  struct Blob {
    std::uint32_t size;
    std::uint8_t* bytes;
  };
  union {
    std::uint32_t u4;
    char16_t* text;
    Guid* guid;
    Blob blob;
  };
};
static_assert(offsetof(PropertyValue, u4) == 8 && sizeof(PropertyValue) == 8 + 2 * sizeof(void*));

inline constexpr Guid kDeviceSet{
    0xa45c254e, 0xdf1c, 0x4efd, {0x80, 0x20, 0x67, 0xd1, 0x46, 0xa8, 0x50, 0xe0}};
inline constexpr PropertyKey kFriendlyName{kDeviceSet, 14};      ///< text: "Speakers (Adapter)"
inline constexpr PropertyKey kDeviceDescription{kDeviceSet, 2};  ///< text: "Speakers"
inline constexpr PropertyKey kAdapterName{
    {0x026e516e, 0xb814, 0x414b, {0x83, 0xcd, 0x85, 0x6d, 0x6f, 0xef, 0x48, 0x22}}, 2};
inline constexpr PropertyKey kContainerId{
    {0x8c7ed206, 0x3f8a, 0x4827, {0xb3, 0xab, 0xae, 0x9e, 0x1f, 0xae, 0xfc, 0x6c}}, 2};
/// Text: the adapter's place in the device tree, "{1}.USB\\VID_1234&PID_5678&MI_00\\...".
inline constexpr PropertyKey kAdapterPath{
    {0xb3f8fa53, 0x0004, 0x438e, {0x90, 0x03, 0x51, 0xa4, 0x6e, 0x13, 0x9b, 0xfc}}, 2};
inline constexpr PropertyKey kFormFactor{
    {0x1da5d803, 0xd492, 0x4edd, {0x8c, 0x23, 0xe0, 0xc0, 0xff, 0xee, 0x7f, 0x0e}}, 0};
/// Blob, a wave format: what was chosen for the device in Windows' sound settings.
inline constexpr PropertyKey kDeviceFormat{
    {0xf19f064d, 0x082c, 0x4e27, {0xbc, 0x73, 0x68, 0x82, 0xa1, 0xbb, 0x8e, 0x4c}}, 0};

// --- enumerations and flags ----------------------------------------------------------------------

enum class Flow : std::int32_t { render = 0, capture = 1, all = 2 };
enum class Role : std::int32_t { console = 0, multimedia = 1, communications = 2 };
enum class ShareMode : std::int32_t { shared = 0, exclusive = 1 };

enum DeviceState : std::uint32_t {
  kActive = 1,
  kDisabled = 2,
  kNotPresent = 4,
  kUnplugged = 8,
  kAllStates = 15
};

enum StreamFlag : std::uint32_t {
  kCrossProcess = 0x00010000,
  kLoopback = 0x00020000,
  kEventCallback = 0x00040000,
  kNoPersist = 0x00080000,
  kRateAdjust = 0x00100000,
  kDefaultQuality = 0x08000000,
  kAutoConvert = 0x80000000,
  kSessionFlags = 0x70000000  ///< what a session's life and its place in the mixer depend on
};

enum BufferFlag : std::uint32_t { kDiscontinuity = 1, kSilent = 2, kTimestampError = 4 };

enum class Category : std::int32_t { other = 0, communications = 3, media = 11 };
enum StreamOption : std::int32_t { kOptionRaw = 1, kOptionMatchFormat = 2 };

enum class DisconnectReason : std::int32_t {
  device_removal = 0,
  server_shutdown = 1,
  format_changed = 2,
  session_logoff = 3,
  session_disconnected = 4,
  exclusive_override = 5
};

/// AudioClientProperties.
struct ClientProperties {
  std::uint32_t size = sizeof(ClientProperties);
  std::int32_t is_offload = 0;
  Category category = Category::other;
  std::int32_t options = 0;
};
static_assert(sizeof(ClientProperties) == 16);

// --- interfaces ----------------------------------------------------------------------------------
// No destructors: they would be a slot of the table. Objects end by release() alone.

struct Unknown {
  static constexpr Guid kId{0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
  virtual Hr WASAPI_METHOD query_interface(const Guid& id, void** object) = 0;
  virtual std::uint32_t WASAPI_METHOD add_ref() = 0;
  virtual std::uint32_t WASAPI_METHOD release() = 0;

 protected:
  ~Unknown() = default;
};

struct PropertyStore : Unknown {
  static constexpr Guid kId{
      0x886d8eeb, 0x8cf2, 0x4446, {0x8d, 0x02, 0xcd, 0xba, 0x1d, 0xbd, 0xcf, 0x99}};
  virtual Hr WASAPI_METHOD count(std::uint32_t* properties) = 0;
  virtual Hr WASAPI_METHOD key_at(std::uint32_t index, PropertyKey* key) = 0;
  virtual Hr WASAPI_METHOD value(const PropertyKey& key, PropertyValue* value) = 0;
  virtual Hr WASAPI_METHOD set_value(const PropertyKey& key, const PropertyValue& value) = 0;
  virtual Hr WASAPI_METHOD commit() = 0;

 protected:
  ~PropertyStore() = default;
};

struct MmDevice : Unknown {
  static constexpr Guid kId{
      0xD666063F, 0x1587, 0x4E43, {0x81, 0xF1, 0xB9, 0x48, 0xE8, 0x07, 0x36, 0x3F}};
  /// `context`: 0x17, any place. `parameters`: null.
  virtual Hr WASAPI_METHOD activate(const Guid& id, std::uint32_t context, void* parameters,
                                    void** object) = 0;
  /// `access`: 0, read only.
  virtual Hr WASAPI_METHOD open_properties(std::uint32_t access, PropertyStore** properties) = 0;
  virtual Hr WASAPI_METHOD id(char16_t** id) = 0;
  virtual Hr WASAPI_METHOD state(std::uint32_t* state) = 0;

 protected:
  ~MmDevice() = default;
};

struct MmEndpoint : Unknown {
  static constexpr Guid kId{
      0x1BE09788, 0x6894, 0x4089, {0x85, 0x86, 0x9A, 0x2A, 0x6C, 0x26, 0x5A, 0xC5}};
  virtual Hr WASAPI_METHOD flow(Flow* flow) = 0;

 protected:
  ~MmEndpoint() = default;
};

struct MmDeviceCollection : Unknown {
  static constexpr Guid kId{
      0x0BD7A1BE, 0x7A1A, 0x44DB, {0x83, 0x97, 0xCC, 0x53, 0x92, 0x38, 0x7B, 0x5E}};
  virtual Hr WASAPI_METHOD count(std::uint32_t* devices) = 0;
  virtual Hr WASAPI_METHOD item(std::uint32_t index, MmDevice** device) = 0;

 protected:
  ~MmDeviceCollection() = default;
};

/// Implemented by us; called on threads of the system, under a lock of its own.
struct NotificationClient : Unknown {
  static constexpr Guid kId{
      0x7991EEC9, 0x7E89, 0x4D85, {0x83, 0x90, 0x6C, 0x70, 0x3C, 0xEC, 0x60, 0xC0}};
  virtual Hr WASAPI_METHOD on_state_changed(Text id, std::uint32_t state) = 0;
  virtual Hr WASAPI_METHOD on_added(Text id) = 0;
  virtual Hr WASAPI_METHOD on_removed(Text id) = 0;
  /// `id` is null when no device is left.
  virtual Hr WASAPI_METHOD on_default_changed(Flow flow, Role role, Text id) = 0;
  virtual Hr WASAPI_METHOD on_property_changed(Text id, PropertyKey key) = 0;

 protected:
  ~NotificationClient() = default;
};

struct MmDeviceEnumerator : Unknown {
  static constexpr Guid kId{
      0xA95664D2, 0x9614, 0x4F35, {0xA7, 0x46, 0xDE, 0x8D, 0xB6, 0x36, 0x17, 0xE6}};
  static constexpr Guid kClassId{
      0xBCDE0395, 0xE52F, 0x467C, {0x8E, 0x3D, 0xC4, 0x57, 0x92, 0x91, 0x69, 0x2E}};
  virtual Hr WASAPI_METHOD enumerate(Flow flow, std::uint32_t states,
                                     MmDeviceCollection** devices) = 0;
  virtual Hr WASAPI_METHOD default_endpoint(Flow flow, Role role, MmDevice** device) = 0;
  virtual Hr WASAPI_METHOD device(Text id, MmDevice** device) = 0;
  virtual Hr WASAPI_METHOD register_notifications(NotificationClient* client) = 0;
  virtual Hr WASAPI_METHOD unregister_notifications(NotificationClient* client) = 0;

 protected:
  ~MmDeviceEnumerator() = default;
};

struct AudioClient : Unknown {
  static constexpr Guid kId{
      0x1CB9AD4C, 0xDBFA, 0x4C32, {0xB1, 0x78, 0xC2, 0xF5, 0x68, 0xA7, 0x03, 0xB2}};
  virtual Hr WASAPI_METHOD initialize(ShareMode mode, std::uint32_t flags, ReferenceTime duration,
                                      ReferenceTime periodicity, const WaveFormat* format,
                                      const Guid* session) = 0;
  virtual Hr WASAPI_METHOD buffer_size(std::uint32_t* frames) = 0;
  virtual Hr WASAPI_METHOD stream_latency(ReferenceTime* latency) = 0;
  virtual Hr WASAPI_METHOD current_padding(std::uint32_t* frames) = 0;
  virtual Hr WASAPI_METHOD is_format_supported(ShareMode mode, const WaveFormat* format,
                                               WaveFormat** closest) = 0;
  virtual Hr WASAPI_METHOD mix_format(WaveFormat** format) = 0;
  virtual Hr WASAPI_METHOD device_period(ReferenceTime* standard, ReferenceTime* least) = 0;
  virtual Hr WASAPI_METHOD start() = 0;
  virtual Hr WASAPI_METHOD stop() = 0;
  virtual Hr WASAPI_METHOD reset() = 0;
  virtual Hr WASAPI_METHOD set_event_handle(EventHandle event) = 0;
  virtual Hr WASAPI_METHOD service(const Guid& id, void** service) = 0;

 protected:
  ~AudioClient() = default;
};

struct AudioClient2 : AudioClient {
  static constexpr Guid kId{
      0x726778CD, 0xF60A, 0x4EDA, {0x82, 0xDE, 0xE4, 0x76, 0x10, 0xCD, 0x78, 0xAA}};
  virtual Hr WASAPI_METHOD is_offload_capable(Category category, std::int32_t* capable) = 0;
  virtual Hr WASAPI_METHOD set_client_properties(const ClientProperties* properties) = 0;
  virtual Hr WASAPI_METHOD buffer_size_limits(const WaveFormat* format, std::int32_t event_driven,
                                              ReferenceTime* least, ReferenceTime* most) = 0;

 protected:
  ~AudioClient2() = default;
};

struct AudioClient3 : AudioClient2 {
  static constexpr Guid kId{
      0x7ED4EE07, 0x8E67, 0x4CD4, {0x8C, 0x1A, 0x2B, 0x7A, 0x59, 0x87, 0xAD, 0x42}};
  /// All periods in frames.
  virtual Hr WASAPI_METHOD shared_engine_period(const WaveFormat* format, std::uint32_t* standard,
                                                std::uint32_t* fundamental, std::uint32_t* least,
                                                std::uint32_t* most) = 0;
  virtual Hr WASAPI_METHOD current_engine_period(WaveFormat** format, std::uint32_t* period) = 0;
  virtual Hr WASAPI_METHOD initialize_shared(std::uint32_t flags, std::uint32_t period,
                                             const WaveFormat* format, const Guid* session) = 0;

 protected:
  ~AudioClient3() = default;
};

struct RenderClient : Unknown {
  static constexpr Guid kId{
      0xF294ACFC, 0x3146, 0x4483, {0xA7, 0xBF, 0xAD, 0xDC, 0xA7, 0xC2, 0x60, 0xE2}};
  virtual Hr WASAPI_METHOD buffer(std::uint32_t frames, std::uint8_t** data) = 0;
  virtual Hr WASAPI_METHOD release_buffer(std::uint32_t frames, std::uint32_t flags) = 0;

 protected:
  ~RenderClient() = default;
};

struct CaptureClient : Unknown {
  static constexpr Guid kId{
      0xC8ADBD64, 0xE71E, 0x48A0, {0xA4, 0xDE, 0x18, 0x5C, 0x39, 0x5C, 0xD3, 0x17}};
  /// `qpc`: when the first frame was recorded, in units of 100 ns of the performance counter.
  virtual Hr WASAPI_METHOD buffer(std::uint8_t** data, std::uint32_t* frames, std::uint32_t* flags,
                                  std::uint64_t* position, std::uint64_t* qpc) = 0;
  virtual Hr WASAPI_METHOD release_buffer(std::uint32_t frames) = 0;
  virtual Hr WASAPI_METHOD next_packet_size(std::uint32_t* frames) = 0;

 protected:
  ~CaptureClient() = default;
};

struct AudioClock : Unknown {
  static constexpr Guid kId{
      0xCD63314F, 0x3FBA, 0x4A1B, {0x81, 0x2C, 0xEF, 0x96, 0x35, 0x87, 0x28, 0xE7}};
  virtual Hr WASAPI_METHOD frequency(std::uint64_t* frequency) = 0;
  virtual Hr WASAPI_METHOD position(std::uint64_t* position, std::uint64_t* qpc) = 0;
  virtual Hr WASAPI_METHOD characteristics(std::uint32_t* characteristics) = 0;

 protected:
  ~AudioClock() = default;
};

struct SessionEvents : Unknown {
  static constexpr Guid kId{
      0x24918ACC, 0x64B3, 0x37C1, {0x8C, 0xA9, 0x74, 0xA6, 0x6E, 0x99, 0x57, 0xA8}};
  virtual Hr WASAPI_METHOD on_display_name_changed(Text name, const Guid* context) = 0;
  virtual Hr WASAPI_METHOD on_icon_path_changed(Text path, const Guid* context) = 0;
  virtual Hr WASAPI_METHOD on_simple_volume_changed(float volume, std::int32_t mute,
                                                    const Guid* context) = 0;
  virtual Hr WASAPI_METHOD on_channel_volume_changed(std::uint32_t channels, float* volumes,
                                                     std::uint32_t channel,
                                                     const Guid* context) = 0;
  virtual Hr WASAPI_METHOD on_grouping_changed(const Guid* group, const Guid* context) = 0;
  virtual Hr WASAPI_METHOD on_state_changed(std::int32_t state) = 0;
  virtual Hr WASAPI_METHOD on_disconnected(DisconnectReason reason) = 0;

 protected:
  ~SessionEvents() = default;
};

struct SessionControl : Unknown {
  static constexpr Guid kId{
      0xF4B1A599, 0x7266, 0x4319, {0xA8, 0xCA, 0xE7, 0x0A, 0xCB, 0x11, 0xE8, 0xCD}};
  virtual Hr WASAPI_METHOD state(std::int32_t* state) = 0;
  virtual Hr WASAPI_METHOD display_name(char16_t** name) = 0;
  virtual Hr WASAPI_METHOD set_display_name(Text name, const Guid* context) = 0;
  virtual Hr WASAPI_METHOD icon_path(char16_t** path) = 0;
  virtual Hr WASAPI_METHOD set_icon_path(Text path, const Guid* context) = 0;
  virtual Hr WASAPI_METHOD grouping(Guid* group) = 0;
  virtual Hr WASAPI_METHOD set_grouping(const Guid* group, const Guid* context) = 0;
  /// Counts a reference on `events`, which unregister_events gives back.
  virtual Hr WASAPI_METHOD register_events(SessionEvents* events) = 0;
  virtual Hr WASAPI_METHOD unregister_events(SessionEvents* events) = 0;

 protected:
  ~SessionControl() = default;
};

}  // namespace asiodrv::devices::wasapi
