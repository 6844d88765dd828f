// Textured triangles into a premultiplied RGBA image: bilinear, watertight, with optional per-vertex colour.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "simd.hpp"

namespace vivant {

struct Image {
    uint8_t* pixels;  // RGBA, premultiplied, rows packed
    int width, height;
};

struct Texture {
    const uint8_t* texels;  // RGBA, premultiplied
    int width, height;
};

struct Corner {
    float x, y;     // screen, px; pixel centres lie at +0.5
    float u, v;     // texels; texel centres lie at +0.5
    float rgba[4];  // factor on the texel, premultiplied by its own alpha; 1 leaves it as it is
};

constexpr float kColourOne = 512.0f;  // fixed-point one of the colour factor, fits 16 bits up to a factor of 2

// Bilinear sample at 16.16 fixed texel coordinates whose integer part is the upper left texel. Lanes 0..3 hold RGBA.
inline U16x8 sample(const Texture& texture, int32_t u, int32_t v) {
    const uint8_t* upper = texture.texels + (static_cast<int64_t>(v >> 16) * texture.width + (u >> 16)) * 4;
    const uint8_t* lower = upper + static_cast<int64_t>(texture.width) * 4;
    const uint16_t fu = static_cast<uint16_t>((u >> 8) & 255), fv = static_cast<uint16_t>((v >> 8) & 255);
    const U16x8 round = splat(128);
    const U16x8 column = shift_right<8>(widen_8_bytes(upper) * splat(static_cast<uint16_t>(256 - fv)) +
                                        widen_8_bytes(lower) * splat(fv) + round);
    const U16x8 weighted = column * pair(static_cast<uint16_t>(256 - fu), fu);
    return shift_right<8>(weighted + high_half(weighted) + round);
}

inline void blend_over(uint8_t* pixel, U16x8 source) {
    const U16x8 rest = splat(255) - splat_lane_3(source);
    const U16x8 product = widen_4_bytes(pixel) * rest + splat(128);
    store_4_bytes(pixel, source + shift_right<8>(product + shift_right<8>(product)));
}

// Walks the pixel centres inside a triangle. Two triangles that share an edge compute its crossing with each row from the
// same two points in the same order, so no pixel between them is missed or drawn twice.
template <bool kColoured, bool kOpaque>
void draw_triangle(const Image& image, const Texture& texture, const Corner& a, const Corner& b, const Corner& c) {
    const Corner* top = &a;
    const Corner* middle = &b;
    const Corner* bottom = &c;
    if (middle->y < top->y) std::swap(middle, top);
    if (bottom->y < middle->y) std::swap(bottom, middle);
    if (middle->y < top->y) std::swap(middle, top);

    const float area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if (!(std::fabs(area) > 1e-6f)) return;
    const float inverse = 1.0f / area;
    const auto along_x = [&](float fa, float fb, float fc) { return ((fb - fa) * (c.y - a.y) - (fc - fa) * (b.y - a.y)) * inverse; };
    const auto along_y = [&](float fa, float fb, float fc) { return ((fc - fa) * (b.x - a.x) - (fb - fa) * (c.x - a.x)) * inverse; };
    const float du_dx = along_x(a.u, b.u, c.u), du_dy = along_y(a.u, b.u, c.u);
    const float dv_dx = along_x(a.v, b.v, c.v), dv_dy = along_y(a.v, b.v, c.v);
    const int32_t step_u = static_cast<int32_t>(du_dx * 65536.0f), step_v = static_cast<int32_t>(dv_dx * 65536.0f);
    const int32_t last_u = (texture.width - 1) * 65536 - 1, last_v = (texture.height - 1) * 65536 - 1;

    float colour_dx[4] = {0, 0, 0, 0}, colour_dy[4] = {0, 0, 0, 0};
    if constexpr (kColoured)
        for (int i = 0; i < 4; ++i) {
            colour_dx[i] = along_x(a.rgba[i], b.rgba[i], c.rgba[i]) * kColourOne;
            colour_dy[i] = along_y(a.rgba[i], b.rgba[i], c.rgba[i]) * kColourOne;
        }

    const auto slope = [](const Corner* from, const Corner* to) { return (to->x - from->x) / (to->y - from->y); };
    const int first_row = std::max(0, static_cast<int>(std::ceil(top->y - 0.5f)));
    const int end_row = std::min(image.height, static_cast<int>(std::ceil(bottom->y - 0.5f)));
    for (int row = first_row; row < end_row; ++row) {
        const float y = static_cast<float>(row) + 0.5f;
        const Corner* short_from = y < middle->y ? top : middle;
        const Corner* short_to = y < middle->y ? middle : bottom;
        float x0 = top->x + (y - top->y) * slope(top, bottom);
        float x1 = short_from->x + (y - short_from->y) * slope(short_from, short_to);
        if (x1 < x0) std::swap(x0, x1);
        const int begin = std::max(0, static_cast<int>(std::ceil(x0 - 0.5f)));
        const int end = std::min(image.width, static_cast<int>(std::ceil(x1 - 0.5f)));
        if (begin >= end) continue;

        const float dx = static_cast<float>(begin) + 0.5f - a.x, dy = y - a.y;
        int32_t u = static_cast<int32_t>((a.u + dx * du_dx + dy * du_dy - 0.5f) * 65536.0f);
        int32_t v = static_cast<int32_t>((a.v + dx * dv_dx + dy * dv_dy - 0.5f) * 65536.0f);
        float colour[4] = {0, 0, 0, 0};
        if constexpr (kColoured)
            for (int i = 0; i < 4; ++i) colour[i] = a.rgba[i] * kColourOne + dx * colour_dx[i] + dy * colour_dy[i];

        uint8_t* pixel = image.pixels + (static_cast<int64_t>(row) * image.width + begin) * 4;
        for (int x = begin; x < end; ++x, pixel += 4, u += step_u, v += step_v) {
            U16x8 texel = sample(texture, std::clamp(u, 0, last_u), std::clamp(v, 0, last_v));
            if constexpr (kColoured) {
                for (float& channel : colour) channel = std::clamp(channel, 0.0f, 2.0f * kColourOne);
                texel = mul_high(shift_left<7>(texel), from_4_floats(colour));
                for (int i = 0; i < 4; ++i) colour[i] += colour_dx[i];
            }
            if constexpr (kOpaque)
                store_4_bytes(pixel, texel);
            else
                blend_over(pixel, texel);
        }
    }
}

}  // namespace vivant
