// Sound at times between its samples: one dot product per output, with the filter of its phase.
#pragma once
#include <cstdint>

namespace vivant {

// out[i] = the sum over t of samples[first[i] + t] * filters[phase[i] * taps + t].
void filter_at(const float* samples, const int64_t* first, const int64_t* phase, const float* filters, int taps, int count, float* out);

}  // namespace vivant
