// Sound at times between its samples: one dot product per output, with the filter of its phase.
#pragma once
#include <cstdint>

namespace vivant {

struct FilterBank {
    const float* weights;  // phases * taps
    int64_t phases, taps;
};

// out[i] = the sum over t of samples[first[i] + t] * bank.weights[phase[i] * taps + t]. Throws std::invalid_argument when an
// output lies outside of the `n` samples or the phases.
void filter_at(const float* samples, int64_t n, const int64_t* first, const int64_t* phase, const FilterBank& bank, int64_t count,
               float* out);

}  // namespace vivant
