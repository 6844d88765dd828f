#include "filters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vivant {

namespace {

constexpr int kLanes = 8;  // lines side by side, so that the compiler can use vectors; each is summed as if it were alone

// Where place i of a line of n lies when it goes on beyond its ends.
int64_t folded(int64_t i, int64_t n, Border border) {
    if (border == Border::nearest) return std::clamp<int64_t>(i, 0, n - 1);
    const int64_t period = ((i % (2 * n)) + 2 * n) % (2 * n);
    return period < n ? period : 2 * n - 1 - period;
}

int32_t root_of(std::vector<int32_t>& parents, int32_t region) {
    while (parents[region] != region) region = parents[region] = parents[parents[region]];
    return region;
}

// Squared distance along one row, given for each place the squared distance `column` along its column: the lower envelope of
// parabolas (Felzenszwalb and Huttenlocher 2012).
void lower_envelope(const std::vector<double>& column, std::vector<double>& out) {
    const int64_t n = int64_t(column.size());
    std::vector<int64_t> at;
    std::vector<double> from;
    for (int64_t q = 0; q < n; ++q) {
        if (column[q] == std::numeric_limits<double>::infinity()) continue;
        double start = -std::numeric_limits<double>::infinity();
        while (!at.empty()) {
            const int64_t v = at.back();
            start = ((column[q] + double(q * q)) - (column[v] + double(v * v))) / double(2 * (q - v));
            if (start > from.back()) break;
            at.pop_back(), from.pop_back();
            start = -std::numeric_limits<double>::infinity();
        }
        at.push_back(q), from.push_back(start);
    }
    for (int64_t x = 0, k = 0; x < n && !at.empty(); ++x) {
        while (k + 1 < int64_t(at.size()) && from[k + 1] < double(x)) ++k;
        out[x] = column[at[k]] + double((x - at[k]) * (x - at[k]));
    }
}

}  // namespace

template <class T>
void correlate_lines(const T* in, T* out, const std::vector<int64_t>& places, int64_t n, int64_t stride,
                     const std::vector<double>& weights, bool odd, Border border) {
    const int64_t radius = int64_t(weights.size() / 2), count = int64_t(places.size());
    std::vector<int64_t> source(n + 2 * radius);
    for (int64_t i = 0; i < n + 2 * radius; ++i) source[i] = stride * folded(i - radius, n, border);
    std::vector<double> padded((n + 2 * radius) * kLanes);
    const double sign = odd ? -1.0 : 1.0;
    for (int64_t first = 0; first < count; first += kLanes) {
        int64_t base[kLanes];
        for (int lane = 0; lane < kLanes; ++lane) base[lane] = places[std::min(first + lane, count - 1)];
        for (int64_t i = 0; i < n + 2 * radius; ++i)
            for (int lane = 0; lane < kLanes; ++lane) padded[i * kLanes + lane] = double(in[base[lane] + source[i]]);
        const int lanes = int(std::min<int64_t>(kLanes, count - first));
        for (int64_t i = 0; i < n; ++i) {
            const double* middle = padded.data() + (i + radius) * kLanes;
            double sums[kLanes];
            for (int lane = 0; lane < kLanes; ++lane) sums[lane] = middle[lane] * weights[radius];
            for (int64_t k = radius; k > 0; --k) {  // from far to near, as SciPy does
                const double weight = weights[radius - k];
                const double *before = middle - k * kLanes, *after = middle + k * kLanes;
                for (int lane = 0; lane < kLanes; ++lane) sums[lane] += (before[lane] + sign * after[lane]) * weight;
            }
            for (int lane = 0; lane < lanes; ++lane) out[base[lane] + i * stride] = T(sums[lane]);
        }
    }
}

template void correlate_lines(const float*, float*, const std::vector<int64_t>&, int64_t, int64_t, const std::vector<double>&, bool,
                              Border);
template void correlate_lines(const double*, double*, const std::vector<int64_t>&, int64_t, int64_t, const std::vector<double>&,
                              bool, Border);

int32_t label_regions(const bool* mask, int32_t* out, int64_t height, int64_t width) {
    std::vector<int32_t> parents(1, 0);
    for (int64_t i = 0; i < height * width; ++i) {
        const int32_t above = mask[i] && i >= width ? out[i - width] : 0, before = mask[i] && i % width ? out[i - 1] : 0;
        out[i] = 0;
        if (!mask[i]) continue;
        if (above && before) {
            const int32_t a = root_of(parents, above), b = root_of(parents, before);
            parents[std::max(a, b)] = std::min(a, b);
            out[i] = std::min(a, b);
        } else if (above || before) {
            out[i] = above + before;
        } else {
            out[i] = int32_t(parents.size());
            parents.push_back(out[i]);
        }
    }
    std::vector<int32_t> numbers(parents.size(), 0);
    int32_t count = 0;
    for (int32_t region = 1; region < int32_t(parents.size()); ++region)  // a root is the lowest of its region
        numbers[region] = parents[region] == region ? ++count : numbers[root_of(parents, region)];
    for (int64_t i = 0; i < height * width; ++i) out[i] = numbers[out[i]];
    return count;
}

void distances_inside(const bool* mask, double* out, int64_t height, int64_t width) {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    for (int64_t x = 0; x < width; ++x) {  // along columns: down, then up
        double near = kNone;
        for (int64_t y = 0; y < height; ++y) out[y * width + x] = near = mask[y * width + x] ? near + 1.0 : 0.0;
        near = kNone;
        for (int64_t y = height - 1; y >= 0; --y) {
            near = mask[y * width + x] ? near + 1.0 : 0.0;
            out[y * width + x] = std::min(out[y * width + x], near);
        }
    }
    std::vector<double> column(width), row(width);
    for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) column[x] = out[y * width + x] * out[y * width + x];
        std::fill(row.begin(), row.end(), double((height + width) * (height + width)));
        lower_envelope(column, row);
        for (int64_t x = 0; x < width; ++x) out[y * width + x] = std::sqrt(row[x]);
    }
}

}  // namespace vivant
