#include "simulation/fibers/regions.hpp"

#include <cstring>
#include <new>
#include <utility>

namespace asiodrv::simulation {
namespace {

constexpr std::align_val_t kPage{4096};
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

}  // namespace

struct FiberRegions::Memory {
  explicit Memory(std::size_t size)
      : bytes(static_cast<std::byte*>(::operator new(size, kPage)), size) {
    std::memset(bytes.data(), 0, size);
  }
  ~Memory() { ::operator delete(bytes.data(), kPage); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::span<std::byte> bytes;
  std::map<std::size_t, Waiters> lines;  // by offset of the word that is waited for
};

/// One side's handle of one doorbell.
class FiberRegions::Bell final : public ports::Doorbell {
 public:
  Bell(Scheduler& scheduler, std::shared_ptr<Memory> memory, std::size_t offset)
      : scheduler_(scheduler),
        memory_(std::move(memory)),
        word_(*reinterpret_cast<volatile std::uint32_t*>(memory_->bytes.data() + offset)),
        line_(memory_->lines[offset]) {}

  void ring(std::uint32_t count) RT_SAFE override {
    word_ = count;
    wake_all();
  }
  [[nodiscard]] std::uint32_t count() const RT_SAFE override { return word_; }
  std::uint32_t wait_change(std::uint32_t seen, Instant deadline, nanoseconds) RT_SAFE override {
    while (word_ == seen && !interrupted_ && scheduler_.now() < deadline) {
      Waiters::Node node{&scheduler_.running(), nullptr};
      line_.add(node);
      (void)scheduler_.park(deadline);
      line_.remove(node);
    }
    interrupted_ = false;
    return word_;
  }
  void interrupt() RT_SAFE override {
    interrupted_ = true;
    wake_all();
  }

 private:
  void wake_all() RT_SAFE {
    for (Waiters::Node* node = line_.first; node != nullptr; node = node->next) {
      scheduler_.unpark(*node->fiber);
    }
  }

  Scheduler& scheduler_;
  const std::shared_ptr<Memory> memory_;
  volatile std::uint32_t& word_;
  Waiters& line_;
  bool interrupted_ = false;
};

class FiberRegions::Region final : public ports::SharedRegion {
 public:
  Region(Scheduler& scheduler, std::shared_ptr<Memory> memory, std::string token)
      : scheduler_(scheduler), memory_(std::move(memory)), token_(std::move(token)) {}

  [[nodiscard]] std::span<std::byte> bytes() const noexcept override { return memory_->bytes; }
  [[nodiscard]] const std::string& token() const noexcept override { return token_; }
  [[nodiscard]] Result<std::unique_ptr<ports::Doorbell>> doorbell(std::size_t offset,
                                                                  const char*) override {
    return std::make_unique<Bell>(scheduler_, memory_, offset);
  }

 private:
  Scheduler& scheduler_;
  const std::shared_ptr<Memory> memory_;
  const std::string token_;
};

Result<std::unique_ptr<ports::SharedRegion>> FiberRegions::create(std::size_t bytes) {
  if (bytes == 0 || bytes > kMaxBytes) {
    return fail(ErrorCode::limit_reached, "A region has 1 byte to 1 GiB.");
  }
  if (failing_ > 0) {
    --failing_;
    ++failed_;
    return fail(ErrorCode::out_of_memory, "The system has no memory for a region.");
  }
  std::string token = "fiber-" + std::to_string(next_++);
  auto memory = std::make_shared<Memory>(bytes);
  std::erase_if(regions_, [](const auto& each) { return each.second.expired(); });
  regions_[token] = memory;
  return std::make_unique<Region>(scheduler_, std::move(memory), std::move(token));
}

Result<std::unique_ptr<ports::SharedRegion>> FiberRegions::open(const std::string& token,
                                                                std::size_t bytes) {
  const auto found = regions_.find(token);
  auto memory = found != regions_.end() ? found->second.lock() : nullptr;
  if (!memory) return fail(ErrorCode::not_found, "There is no region " + token + ".");
  if (memory->bytes.size() < bytes) {
    return fail(ErrorCode::invalid_argument, "The region is smaller than promised.");
  }
  return std::make_unique<Region>(scheduler_, std::move(memory), token);
}

std::size_t FiberRegions::live() {
  std::erase_if(regions_, [](const auto& each) { return each.second.expired(); });
  return regions_.size();
}

}  // namespace asiodrv::simulation
