#include "filter.hpp"

#include <stdexcept>

namespace vivant {

// Eight sums side by side, added in a fixed order: the same to the bit with any instruction set.
constexpr int kLanes = 8;

void filter_at(const float* samples, int64_t n, const int64_t* first, const int64_t* phase, const FilterBank& bank, int64_t count,
               float* out) {
    const int64_t taps = bank.taps;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t at = first[i], row = phase[i];  // read once: the arrays may be another thread's, too
        if (at < 0 || at > n - taps || row < 0 || row >= bank.phases)
            throw std::invalid_argument("an output lies outside the samples");
        const float* s = samples + at;
        const float* f = bank.weights + row * taps;
        float sums[kLanes] = {};
        int64_t t = 0;
        for (; t + kLanes <= taps; t += kLanes)
            for (int lane = 0; lane < kLanes; ++lane) sums[lane] += s[t + lane] * f[t + lane];
        for (int lane = 0; t + lane < taps; ++lane) sums[lane] += s[t + lane] * f[t + lane];
        for (int half = kLanes / 2; half > 0; half /= 2)
            for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
        out[i] = sums[0];
    }
}

}  // namespace vivant
