#include "convert.hpp"

#include <cstddef>

namespace vivant {

void rgba_to_rgb(const uint8_t* rgba, int width, int height, uint8_t* out) {
    const size_t count = size_t(width) * height;
    for (size_t i = 0; i < count; ++i) {
        out[3 * i] = rgba[4 * i];
        out[3 * i + 1] = rgba[4 * i + 1];
        out[3 * i + 2] = rgba[4 * i + 2];
    }
}

// The weights are BT.601's in 1/256; both chroma rows sum to 0, so that greys stay grey.
void rgba_to_i420(const uint8_t* rgba, int width, int height, uint8_t* out) {
    const int half = width / 2;
    uint8_t* u_plane = out + size_t(width) * height;
    uint8_t* v_plane = u_plane + size_t(half) * (height / 2);
    for (int row = 0; row < height; ++row) {
        const uint8_t* p = rgba + size_t(row) * width * 4;
        uint8_t* y = out + size_t(row) * width;
        for (int i = 0; i < width; ++i) y[i] = uint8_t((66 * p[4 * i] + 129 * p[4 * i + 1] + 25 * p[4 * i + 2] + 4224) >> 8);
    }
    for (int row = 0; row < height / 2; ++row) {
        const uint8_t* top = rgba + size_t(2 * row) * width * 4;
        const uint8_t* low = top + size_t(width) * 4;
        for (int i = 0; i < half; ++i) {
            const uint8_t *a = top + 8 * i, *b = low + 8 * i;
            const int red = a[0] + a[4] + b[0] + b[4], green = a[1] + a[5] + b[1] + b[5], blue = a[2] + a[6] + b[2] + b[6];
            u_plane[size_t(row) * half + i] = uint8_t((-38 * red - 74 * green + 112 * blue + 131584) >> 10);
            v_plane[size_t(row) * half + i] = uint8_t((112 * red - 94 * green - 18 * blue + 131584) >> 10);
        }
    }
}

}  // namespace vivant
