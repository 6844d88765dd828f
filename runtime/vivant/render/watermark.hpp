// Adds a session's invisible mark to finished frames. The pattern is the session's own and stays the same from frame to frame,
// so nothing flickers; only its strength follows what the picture can hide. See provenance/watermark_code.py for what the pattern says.
#pragma once
#include <cstdint>
#include <vector>

#include "alone.hpp"

namespace vivant {

constexpr int kMarkCells = 128;      // cells on each side of a frame, whatever its size
constexpr float kMostMark = 8.0f;  // of a pattern; also grey levels that a frame may change by

class Watermark {
public:
    // `pattern` has kMarkCells * kMarkCells values of mean square 1, none beyond +-kMostMark; `channels` is 3 or 4 (the fourth,
    // alpha, is left alone). Throws std::invalid_argument for another pattern.
    Watermark(const float* pattern, int width, int height, int channels);

    // Change the pixels in place. Allocates nothing. Throws std::runtime_error when another thread is in it.
    void apply(uint8_t* pixels);

    int width() const { return width_; }
    int height() const { return height_; }
    int channels() const { return channels_; }

private:
    struct Tap {
        int32_t cell;     // the nearer-to-zero neighbour
        int32_t weight;   // of the next cell, 0 .. 64
    };
    void mark(uint8_t* pixels);
    void mark_avx2(uint8_t* pixels);
    static std::vector<Tap> taps(int length);
    static std::vector<int> edges(int length);
    void measure(const uint8_t* pixels);
    void modulate();
    void expand(int cell_row, std::vector<int16_t>& into) const;
    template <typename Visit> void visit_rows(Visit visit);

    int width_, height_, channels_;
    float most_rms_;  // of the deltas of all cells
    std::vector<float> pattern_, brightness_, strong_;
    std::vector<int16_t> deltas_;  // per cell, in 1 / 32 grey level
    std::vector<Tap> columns_, rows_;
    std::vector<int> column_edges_, row_edges_;
    std::vector<uint16_t> sums_;
    std::vector<int16_t> upper_, lower_, mixed_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

}  // namespace vivant
