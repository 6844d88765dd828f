// Patch: a small upright picture of a part of a face, cut out of a frame, and laid back into it.
#pragma once
#include <cstdint>

namespace vivant {

// Where a patch lies in a frame: patch point (x, y) is at (a x - b y + left, b x + a y + top) of the frame, px; a similarity.
struct PatchPlace {
    float a, b, left, top;
};

// Cuts out: `colours` becomes 3 planes of width * height in 0..1, bilinear between the frame's pixels (4 bytes each); beyond its
// border the frame repeats.
void lift_patch(const uint8_t* frame, int frame_width, int frame_height, const PatchPlace& place, int width, int height, float* colours);

// Share of each px of a patch, 0..1: 1 within the outline, `count` points (x, y) in px, and less outside, smoothly, down to 0 at
// `reach_px` from it; also 0 at the patch's own border.
void patch_mask(const float* outline, int count, float reach_px, int width, int height, float* mask);

// Lays `painted` (3 planes of colour in 0..1, one of opacity) back, as far as its opacity says. Pixels without any stay as they are,
// to the bit, and so does every alpha.
void lay_patch(uint8_t* frame, int frame_width, int frame_height, const PatchPlace& place, const float* painted, int width, int height);

}  // namespace vivant
