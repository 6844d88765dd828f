// Frames in the layouts that others want: straight from RGBA, alpha left out.
#pragma once
#include <cstdint>

namespace vivant {

// 3 bytes per px.
void rgba_to_rgb(const uint8_t* rgba, int width, int height, uint8_t* out);

// Planes Y (width * height), U and V (a quarter each); BT.601, limited range, chroma the mean of 2 x 2 px. Sides must be even.
void rgba_to_i420(const uint8_t* rgba, int width, int height, uint8_t* out);

}  // namespace vivant
