#include "filter.hpp"

namespace vivant {

// Eight sums side by side, added in a fixed order: the same to the bit with any instruction set.
constexpr int kLanes = 8;

void filter_at(const float* samples, const int64_t* first, const int64_t* phase, const float* filters, int taps, int count, float* out) {
    for (int i = 0; i < count; ++i) {
        const float* s = samples + first[i];
        const float* f = filters + phase[i] * taps;
        float sums[kLanes] = {};
        int t = 0;
        for (; t + kLanes <= taps; t += kLanes)
            for (int lane = 0; lane < kLanes; ++lane) sums[lane] += s[t + lane] * f[t + lane];
        for (int lane = 0; t + lane < taps; ++lane) sums[lane] += s[t + lane] * f[t + lane];
        for (int half = kLanes / 2; half > 0; half /= 2)
            for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
        out[i] = sums[0];
    }
}

}  // namespace vivant
