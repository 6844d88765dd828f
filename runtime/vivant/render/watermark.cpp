#include "watermark.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "simd.hpp"

namespace vivant {

namespace {

// Grey levels for a pattern of mean square 1: what a smooth cell gets, what each level of texture adds, and the most.
constexpr float kLeast = 1.0f, kPerLevel = 0.7f, kMost = 3.5f;
// Root mean square that a frame may change by, of 255: 42.05 dB, rounding to whole levels (1 / 12) included.
constexpr float kFrameRms = 1.99f;
constexpr float kDeltaUnits = 32.0f;
constexpr int kWeightBits = 6, kDeltaShift = kWeightBits + 5;

// How far a cell stands out from both neighbours; 0 between them.
inline float bump(float over_first, float over_second) {
    return over_first * over_second > 0 ? std::min(std::fabs(over_first), std::fabs(over_second)) : 0.0f;
}

// Rounded and saturated, eight values at a time.
void add(const int16_t* delta, uint8_t* values, size_t n) {
    size_t i = 0;
#if VIVANT_SSE2
    const __m128i half = _mm_set1_epi16(1 << (kDeltaShift - 1)), zero = _mm_setzero_si128();
    const auto sum_of_8 = [&](__m128i bytes, const int16_t* by) {
        const __m128i whole = _mm_srai_epi16(_mm_add_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(by)), half), kDeltaShift);
        return _mm_add_epi16(bytes, whole);
    };
    for (; i + 16 <= n; i += 16) {
        __m128i* at = reinterpret_cast<__m128i*>(values + i);
        const __m128i bytes = _mm_loadu_si128(at);
        _mm_storeu_si128(at, _mm_packus_epi16(sum_of_8(_mm_unpacklo_epi8(bytes, zero), delta + i),
                                              sum_of_8(_mm_unpackhi_epi8(bytes, zero), delta + i + 8)));
    }
#elif VIVANT_NEON
    for (; i + 8 <= n; i += 8) {
        const int16x8_t bytes = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(values + i)));
        vst1_u8(values + i, vqmovun_s16(vaddq_s16(bytes, vrshrq_n_s16(vld1q_s16(delta + i), kDeltaShift))));
    }
#endif
    for (; i < n; ++i) {
        const int sum = values[i] + ((delta[i] + (1 << (kDeltaShift - 1))) >> kDeltaShift);
        values[i] = uint8_t(std::min(255, std::max(0, sum)));
    }
}

// What cannot be seen carries no colour, so that it compresses and blends as before.
void clear_transparent(uint8_t* rgba, int n_pixels) {
    int i = 0;
#if VIVANT_SSE2
    for (; i + 4 <= n_pixels; i += 4) {
        __m128i* at = reinterpret_cast<__m128i*>(rgba + 4 * i);
        const __m128i pixels = _mm_loadu_si128(at);
        const __m128i clear = _mm_cmpeq_epi32(_mm_srli_epi32(pixels, 24), _mm_setzero_si128());
        if (_mm_movemask_epi8(clear) != 0) _mm_storeu_si128(at, _mm_andnot_si128(clear, pixels));
    }
#elif VIVANT_NEON
    const uint8x16_t alpha = vreinterpretq_u8_u32(vdupq_n_u32(0xFF000000));
    for (; i + 4 <= n_pixels; i += 4) {
        const uint8x16_t pixels = vld1q_u8(rgba + 4 * i);
        const uint32x4_t seen = vtstq_u32(vreinterpretq_u32_u8(pixels), vreinterpretq_u32_u8(alpha));
        vst1q_u8(rgba + 4 * i, vandq_u8(pixels, vreinterpretq_u8_u32(seen)));
    }
#endif
    for (; i < n_pixels; ++i)
        if (rgba[4 * i + 3] == 0) std::memset(rgba + 4 * i, 0, 3);
}

}  // namespace

Watermark::Watermark(const float* pattern, int width, int height, int channels)
    : width_(width), height_(height), channels_(channels), pattern_(pattern, pattern + kMarkCells * kMarkCells),
      brightness_(pattern_.size()), strong_(pattern_.size()), deltas_(pattern_.size()), columns_(taps(width)), rows_(taps(height)),
      column_edges_(edges(width)), row_edges_(edges(height)), sums_(size_t(width) * channels), upper_(sums_.size()),
      lower_(sums_.size()), mixed_(sums_.size()) {
    for (float cell : pattern_)
        if (!(std::fabs(cell) <= kMostMark)) throw std::invalid_argument("a cell of the pattern is out of range");
    for (size_t i = 0; i < pattern_.size(); ++i) deltas_[i] = int16_t(std::lrint(pattern_[i] * kDeltaUnits));
    double squares = 0;
    visit_rows([&](int, const int16_t* delta) {
        for (int i = 0; i < width_; ++i) squares += double(delta[i * channels_]) * delta[i * channels_];
    });
    most_rms_ = kFrameRms / float(std::sqrt(squares / (double(width_) * height_))) * float(1 << kDeltaShift);
}

// Where each pixel lies between the centres of cells.
std::vector<Watermark::Tap> Watermark::taps(int length) {
    std::vector<Tap> found(length);
    for (int i = 0; i < length; ++i) {
        const float at = std::clamp((i + 0.5f) * kMarkCells / length - 0.5f, 0.0f, kMarkCells - 1.0f);
        const int cell = std::min(int(at), kMarkCells - 2);
        found[i] = {cell, int(std::lround((at - cell) * (1 << kWeightBits)))};
    }
    return found;
}

std::vector<int> Watermark::edges(int length) {
    std::vector<int> found(kMarkCells + 1);
    for (int i = 0; i <= kMarkCells; ++i) found[i] = int(int64_t(i) * length / kMarkCells);
    return found;
}

// Mean brightness of every cell; frames smaller than the grid repeat their pixels.
void Watermark::measure(const uint8_t* pixels) {
    const size_t stride = size_t(width_) * channels_;
    for (int row = 0; row < kMarkCells; ++row) {
        const int top = row_edges_[row], bottom = std::max(top + 1, row_edges_[row + 1]);
        std::fill(sums_.begin(), sums_.end(), uint16_t(0));
        uint16_t* sums = sums_.data();
        for (int y = top; y < bottom; ++y) {
            const uint8_t* line = pixels + stride * y;
            for (size_t i = 0; i < stride; ++i) sums[i] = uint16_t(sums[i] + line[i]);
        }
        for (int column = 0; column < kMarkCells; ++column) {
            const int left = column_edges_[column], right = std::max(left + 1, column_edges_[column + 1]);
            uint32_t total = 0;
            for (const uint16_t* p = sums + left * channels_; p < sums + right * channels_; p += channels_)
                total += p[0] + 2u * p[1] + p[2];
            brightness_[row * kMarkCells + column] = float(total) / float(4 * (bottom - top) * (right - left));
        }
    }
}

// The pattern at the strength that each cell hides. Texture is what rises or falls from both neighbours: shading is none, and
// beside the edge of something a smooth wall stays a smooth wall. Frames full of texture get less of it, so that none changes too much.
void Watermark::modulate() {
    float squares = 0;
    for (int row = 0; row < kMarkCells; ++row) {
        const float* here = &brightness_[row * kMarkCells];
        const float* above = row > 0 ? here - kMarkCells : here;
        const float* below = row + 1 < kMarkCells ? here + kMarkCells : here;
        const float* pattern = &pattern_[row * kMarkCells];
        float* strong = &strong_[row * kMarkCells];
        for (int column = 0; column < kMarkCells; ++column) {
            const float value = here[column], left = here[std::max(column - 1, 0)],
                        right = here[std::min(column + 1, kMarkCells - 1)];
            const float texture = bump(value - left, value - right) + bump(value - above[column], value - below[column]);
            strong[column] = pattern[column] * std::min(kMost, kLeast + kPerLevel * texture);
            squares += strong[column] * strong[column];
        }
    }
    const float rms = std::sqrt(squares / float(strong_.size())), share = std::min(1.0f, most_rms_ / std::max(rms, 1e-6f));
    for (size_t i = 0; i < strong_.size(); ++i)
        deltas_[i] = int16_t(std::lrint(std::clamp(strong_[i] * share, -kMostMark, kMostMark) * kDeltaUnits));
}

// A row of cells at the resolution of the frame, once per channel, zero for alpha.
void Watermark::expand(int cell_row, std::vector<int16_t>& into) const {
    const int16_t* cells = &deltas_[cell_row * kMarkCells];
    int16_t* out = into.data();
    for (const Tap& tap : columns_) {
        const int mixed = cells[tap.cell] * ((1 << kWeightBits) - tap.weight) + cells[tap.cell + 1] * tap.weight;
        const int16_t delta = int16_t((mixed + (1 << (kWeightBits - 1))) >> kWeightBits);
        out[0] = out[1] = out[2] = delta;
        if (channels_ == 4) out[3] = 0;
        out += channels_;
    }
}

// Every row of the frame in turn, with what to add to its values in 1 / 2^kDeltaShift grey level.
template <typename Visit> void Watermark::visit_rows(Visit visit) {
    const size_t stride = size_t(width_) * channels_;
    int expanded = -1;
    for (int y = 0; y < height_; ++y) {
        const Tap tap = rows_[y];
        if (tap.cell != expanded) {
            if (tap.cell == expanded + 1 && expanded >= 0)
                upper_.swap(lower_);
            else
                expand(tap.cell, upper_);
            expand(tap.cell + 1, lower_);
            expanded = tap.cell;
        }
        const int16_t *upper = upper_.data(), *lower = lower_.data();
        int16_t* mixed = mixed_.data();
        const int16_t weight = int16_t(tap.weight), rest = int16_t((1 << kWeightBits) - tap.weight);
        for (size_t i = 0; i < stride; ++i) mixed[i] = int16_t(upper[i] * rest + lower[i] * weight);
        visit(y, mixed);
    }
}

void Watermark::mark(uint8_t* pixels) {
    measure(pixels);
    modulate();
    const size_t stride = size_t(width_) * channels_;
    visit_rows([&](int y, const int16_t* delta) {
        add(delta, pixels + stride * y, stride);
        if (channels_ == 4) clear_transparent(pixels + stride * y, width_);
    });
}

#if VIVANT_AVX2
__attribute__((target("avx2"), flatten)) void Watermark::mark_avx2(uint8_t* pixels) { mark(pixels); }
#endif

void Watermark::apply(uint8_t* pixels) {
    const Alone alone(busy_);
#if VIVANT_AVX2
    if (__builtin_cpu_supports("avx2")) return mark_avx2(pixels);
#endif
    mark(pixels);
}

}  // namespace vivant
