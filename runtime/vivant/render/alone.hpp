// What keeps scratch memory to one thread.
#pragma once
#include <atomic>
#include <stdexcept>

namespace vivant {

// Holds `busy` while it lives. Throws std::runtime_error when somebody else holds it: waiting would hide a mistake.
class Alone {
  public:
    explicit Alone(std::atomic_flag& busy) : busy_(busy) {
        if (busy_.test_and_set(std::memory_order_acquire)) throw std::runtime_error("another thread is using it; each needs its own");
    }
    ~Alone() { busy_.clear(std::memory_order_release); }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

  private:
    std::atomic_flag& busy_;
};

}  // namespace vivant
