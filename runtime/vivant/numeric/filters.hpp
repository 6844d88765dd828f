// Filters and regions of images, by the rules of SciPy's ndimage.
#pragma once

#include <cstdint>
#include <vector>

namespace vivant {

enum class Border { reflect, nearest };

// Lines of n values, `stride` apart, at the given places of `in`: each becomes its sums with `weights` (2 radius + 1 of them, the
// middle one at the value itself), which mirror each other, or their negatives if `odd`.
template <class T>
void correlate_lines(const T* in, T* out, const std::vector<int64_t>& places, int64_t n, int64_t stride,
                     const std::vector<double>& weights, bool odd, Border border);

// Numbers from 1 on, by their first pixel row by row, for the 4-connected regions of `mask` (height, width); returns how many.
int32_t label_regions(const bool* mask, int32_t* out, int64_t height, int64_t width);

// Distance of every pixel of `mask` to the nearest one outside it; height + width where there is none.
void distances_inside(const bool* mask, double* out, int64_t height, int64_t width);

}  // namespace vivant
