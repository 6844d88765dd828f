#include "watermark.hpp"

#include <algorithm>
#include <cmath>

namespace vivant {

namespace {

// Grey levels for a pattern of mean square 1: what a smooth cell gets, what each level of difference to the neighbours adds, and
// the most. The most bounds the peak signal-to-noise ratio of every frame: see tests/unit/test_render_watermark.py.
constexpr float kLeast = 1.8f, kPerLevel = 0.25f, kMost = 2.42f;
constexpr float kDeltaUnits = 32.0f;
constexpr int kWeightBits = 6, kDeltaShift = kWeightBits + 5;

inline uint8_t added(uint8_t value, int16_t delta) { return uint8_t(std::min(255, std::max(0, int(value) + int(delta)))); }

}  // namespace

Watermark::Watermark(const float* pattern, int width, int height, int channels)
    : width_(width), height_(height), channels_(channels), pattern_(pattern, pattern + kMarkCells * kMarkCells),
      brightness_(pattern_.size()), deltas_(pattern_.size()), columns_(taps(width)), rows_(taps(height)),
      column_edges_(edges(width)), row_edges_(edges(height)), sums_(size_t(width) * channels), upper_(sums_.size()),
      lower_(sums_.size()) {}

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

// The pattern at the strength that each cell hides.
void Watermark::modulate() {
    for (int row = 0; row < kMarkCells; ++row) {
        const float* here = &brightness_[row * kMarkCells];
        const float* above = row > 0 ? here - kMarkCells : here;
        const float* below = row + 1 < kMarkCells ? here + kMarkCells : here;
        for (int column = 0; column < kMarkCells; ++column) {
            const float value = here[column], left = here[std::max(column - 1, 0)],
                        right = here[std::min(column + 1, kMarkCells - 1)];
            const float busy = std::fabs(value - left) + std::fabs(value - right) + std::fabs(value - above[column]) +
                               std::fabs(value - below[column]);
            const float strength = std::min(kMost, kLeast + kPerLevel * busy * 0.25f);
            const float delta = std::clamp(pattern_[row * kMarkCells + column] * strength, -8.0f, 8.0f);
            deltas_[row * kMarkCells + column] = int16_t(std::lrint(delta * kDeltaUnits));
        }
    }
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

void Watermark::apply(uint8_t* pixels) {
    measure(pixels);
    modulate();
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
        uint8_t* line = pixels + stride * y;
        const int16_t *upper = upper_.data(), *lower = lower_.data();
        const int16_t weight = int16_t(tap.weight), rest = int16_t((1 << kWeightBits) - tap.weight);
        for (size_t i = 0; i < stride; ++i) {
            const int16_t mixed = int16_t(upper[i] * rest + lower[i] * weight + (1 << (kDeltaShift - 1)));
            line[i] = added(line[i], int16_t(mixed >> kDeltaShift));
        }
    }
}

}  // namespace vivant
