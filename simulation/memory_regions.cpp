#include "simulation/memory_regions.hpp"

#include <atomic>
#include <cstring>
#include <new>

namespace asiodrv::simulation {
namespace {

constexpr std::align_val_t kPage{4096};

}  // namespace

struct MemoryRegions::Memory {
  explicit Memory(std::size_t size)
      : bytes(static_cast<std::byte*>(::operator new(size, kPage)), size) {
    std::memset(bytes.data(), 0, size);
  }
  ~Memory() { ::operator delete(bytes.data(), kPage); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::span<std::byte> bytes;
  std::function<void()> on_wait;
};

class MemoryRegions::Bell final : public ports::Doorbell {
 public:
  Bell(std::shared_ptr<Memory> memory, std::size_t offset)
      : memory_(std::move(memory)),
        word_(*reinterpret_cast<std::uint32_t*>(memory_->bytes.data() + offset)) {}

  void ring(std::uint32_t count) RT_SAFE override {
    std::atomic_ref(word_).store(count, std::memory_order_release);
  }
  [[nodiscard]] std::uint32_t count() const RT_SAFE override {
    return std::atomic_ref(word_).load(std::memory_order_acquire);
  }
  std::uint32_t wait_change(std::uint32_t seen, Instant, nanoseconds) RT_SAFE override {
    if (count() == seen && memory_->on_wait) memory_->on_wait();
    return count();
  }
  void interrupt() RT_SAFE override {}

 private:
  std::shared_ptr<Memory> memory_;
  std::uint32_t& word_;
};

class MemoryRegions::Region final : public ports::SharedRegion {
 public:
  Region(std::shared_ptr<Memory> memory, std::string token)
      : memory_(std::move(memory)), token_(std::move(token)) {}

  [[nodiscard]] std::span<std::byte> bytes() const noexcept override { return memory_->bytes; }
  [[nodiscard]] const std::string& token() const noexcept override { return token_; }
  [[nodiscard]] Result<std::unique_ptr<ports::Doorbell>> doorbell(std::size_t offset,
                                                                  const char*) override {
    return std::make_unique<Bell>(memory_, offset);
  }

 private:
  std::shared_ptr<Memory> memory_;
  std::string token_;
};

Result<std::unique_ptr<ports::SharedRegion>> MemoryRegions::create(std::size_t bytes) {
  const std::string token = "memory-" + std::to_string(next_++);
  auto memory = std::make_shared<Memory>(bytes);
  regions_[token] = memory;
  return std::make_unique<Region>(std::move(memory), token);
}

Result<std::unique_ptr<ports::SharedRegion>> MemoryRegions::open(const std::string& token,
                                                                 std::size_t bytes) {
  const auto found = regions_.find(token);
  if (found == regions_.end()) return fail(ErrorCode::not_found, "No such region: " + token);
  if (found->second->bytes.size() < bytes) {
    return fail(ErrorCode::invalid_argument, "The region is smaller than promised.");
  }
  return std::make_unique<Region>(found->second, token);
}

void MemoryRegions::set_on_wait(const std::string& token, std::function<void()> turn) {
  const auto found = regions_.find(token);
  if (found != regions_.end()) found->second->on_wait = std::move(turn);
}

}  // namespace asiodrv::simulation
