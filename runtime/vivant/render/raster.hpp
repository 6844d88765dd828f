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

// All finite and of a size at which sums, products and whole numbers cannot overflow: see kMostPx and Scene::require_sound.
struct Corner {
    float x, y;     // screen, px; pixel centres lie at +0.5
    float u, v;     // texels; texel centres lie at +0.5
    float rgba[4];  // factor on the texel, premultiplied by its own alpha; 1 leaves it as it is
};

constexpr float kMostPx = 1e6f;        // of a corner's place, either way
constexpr float kMostFactor = 16.0f;   // of a corner's colour
constexpr int kMostTexels = 1 << 14;   // along a side of a texture; places in it are 16.16

constexpr float kColourOne = 512.0f;  // fixed-point one of the colour factor, fits 16 bits up to a factor of 2
constexpr int kColourFraction = 12;    // further bits while stepping along a row

// Bilinear sample at 16.16 fixed texel coordinates whose integer part is the upper left texel. Lanes 0..3 hold RGBA.
inline U16x8 sample(const Texture& texture, int32_t u, int32_t v) {
    const uint8_t* upper = texture.texels + (static_cast<int64_t>(v >> 16) * texture.width + (u >> 16)) * 4;
    const uint8_t* lower = upper + static_cast<int64_t>(texture.width) * 4;
    const U16x8 fu = splat(static_cast<uint16_t>((u >> 9) & 127)), fv = splat(static_cast<uint16_t>((v >> 9) & 127));
    const U16x8 columns = lerp(widen_8_bytes(upper), widen_8_bytes(lower), fv);
    return lerp(columns, high_half(columns), fu);
}

inline void blend_over(uint8_t* pixel, U16x8 source) {
    const U16x8 rest = splat(255) - splat_lane_3(source);
    const U16x8 product = widen_4_bytes(pixel) * rest + splat(128);
    store_4_bytes(pixel, source + shift_right<8>(product + shift_right<8>(product)));
}

// Like std::clamp, but defined for every float: what is no number becomes `low`.
inline float bounded(float x, float low, float high) { return std::min(high, std::max(low, x)); }

inline int ceil_int(float x) {  // std::ceil is a library call on a plain x86-64
    const int truncated = static_cast<int>(x);
    return truncated + (x > static_cast<float>(truncated));
}

struct Span {
    int32_t at, step;  // 16.16
};

// Texel coordinates along a row. Slivers have wild gradients: where an end would leave the texture, the step is bent. Sums of
// floats round: `last` leaves room for it at one end of the texture, and at the other the first place is moved by a hair.
inline Span span(float first, float gradient, int32_t steps, float last) {
    const float end = first + gradient * static_cast<float>(steps);
    if (!(first >= 0.0f && first <= last && end >= 0.0f && end <= last)) {
        first = bounded(first, 0.0f, last);
        gradient = steps > 0 ? (bounded(end, 0.0f, last) - first) / static_cast<float>(steps) : 0.0f;
    }
    const int32_t step = static_cast<int32_t>(bounded(gradient, -last, last) * 65536.0f);
    return {std::max(static_cast<int32_t>(first * 65536.0f), -step * steps), step};
}

struct ColourSpan {
    I32x4 at, step;  // kColourOne with kColourFraction further bits
};

// A value that is given at the corners and changes evenly between them.
struct Plane {
    float at_a, dx, dy;  // per px

    float at(float x, float y) const { return at_a + x * dx + y * dy; }  // px from corner a
};

// Factors on the texels along a row, each held between 0 and 2.
inline ColourSpan colour_span(const Plane (&rgba)[4], float x, float y, int32_t steps) {
    constexpr float scale = kColourOne * (1 << kColourFraction), most = 2.0f * scale - 1.0f;
    const float whole_steps = static_cast<float>(steps), inverse_steps = steps > 0 ? 1.0f / whole_steps : 0.0f;
    float first[4], step[4];
    for (int i = 0; i < 4; ++i) {
        const float at_begin = rgba[i].at(x, y), at_end = at_begin + whole_steps * rgba[i].dx;
        first[i] = bounded(at_begin * scale, 0.0f, most);
        const float exact = (bounded(at_end * scale, 0.0f, most) - first[i]) * inverse_steps;
        step[i] = static_cast<float>(static_cast<int32_t>(exact));  // towards zero: steps that add up never pass the end
    }
    return {round_4_floats(first), round_4_floats(step)};
}

template <bool kColoured, bool kOpaque>
void draw_span(uint8_t* pixel, int count, const Texture& texture, Span u, Span v, ColourSpan colour) {
    for (const uint8_t* end = pixel + 4 * count; pixel != end; pixel += 4, u.at += u.step, v.at += v.step) {
        U16x8 texel = sample(texture, u.at, v.at);
        if constexpr (kColoured) {
            texel = mul_high(shift_left<7>(texel), narrow_shifted<kColourFraction>(colour.at));
            colour.at = colour.at + colour.step;
        }
        if constexpr (kOpaque)
            store_4_bytes(pixel, texel);
        else
            blend_over(pixel, texel);
    }
}

struct Crossing {
    float left, right;
};

// The sides of a triangle from above. Two triangles that share an edge compute its crossing with each row from the same two
// points in the same order, so no pixel between them is missed or drawn twice.
struct Edges {
    const Corner *top, *middle, *bottom;
    float long_slope, upper_slope, lower_slope;

    Edges(const Corner& a, const Corner& b, const Corner& c) : top(&a), middle(&b), bottom(&c) {
        if (middle->y < top->y) std::swap(middle, top);
        if (bottom->y < middle->y) std::swap(bottom, middle);
        if (middle->y < top->y) std::swap(middle, top);
        const auto slope = [](const Corner* from, const Corner* to) { return (to->x - from->x) / (to->y - from->y); };
        long_slope = slope(top, bottom), upper_slope = slope(top, middle), lower_slope = slope(middle, bottom);
    }

    Crossing at(float y) const {
        const float x0 = top->x + (y - top->y) * long_slope;
        const float x1 = y < middle->y ? top->x + (y - top->y) * upper_slope : middle->x + (y - middle->y) * lower_slope;
        return x1 < x0 ? Crossing{x1, x0} : Crossing{x0, x1};
    }
};

// Walks the pixel centres inside a triangle.
template <bool kColoured, bool kOpaque>
void draw_triangle(const Image& image, const Texture& texture, const Corner& a, const Corner& b, const Corner& c) {
    const float area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if (!(std::fabs(area) > 1e-6f)) return;
    const float inverse = 1.0f / area;
    const auto plane = [&](float fa, float fb, float fc) {
        return Plane{fa, ((fb - fa) * (c.y - a.y) - (fc - fa) * (b.y - a.y)) * inverse,
                     ((fc - fa) * (b.x - a.x) - (fb - fa) * (c.x - a.x)) * inverse};
    };
    const Plane u = plane(a.u, b.u, c.u), v = plane(a.v, b.v, c.v);
    Plane rgba[4]{};
    if constexpr (kColoured)
        for (int i = 0; i < 4; ++i) rgba[i] = plane(a.rgba[i], b.rgba[i], c.rgba[i]);
    // A hair inside the last texel pair, so that rounding along a row cannot step beyond it.
    const float last_u = static_cast<float>(texture.width) - 1.02f, last_v = static_cast<float>(texture.height) - 1.02f;

    const Edges edges(a, b, c);
    const int end_row = std::min(image.height, ceil_int(edges.bottom->y - 0.5f));
    for (int row = std::max(0, ceil_int(edges.top->y - 0.5f)); row < end_row; ++row) {
        const Crossing crossing = edges.at(static_cast<float>(row) + 0.5f);
        const int begin = std::max(0, ceil_int(crossing.left - 0.5f));
        const int steps = std::min(image.width, ceil_int(crossing.right - 0.5f)) - begin - 1;
        if (steps < 0) continue;

        const float x = static_cast<float>(begin) + 0.5f - a.x, y = static_cast<float>(row) + 0.5f - a.y;
        ColourSpan colour{};
        if constexpr (kColoured) colour = colour_span(rgba, x, y, steps);
        const Span along_u = span(u.at(x, y) - 0.5f, u.dx, steps, last_u);
        const Span along_v = span(v.at(x, y) - 0.5f, v.dx, steps, last_v);
        uint8_t* first = image.pixels + (static_cast<int64_t>(row) * image.width + begin) * 4;
        draw_span<kColoured, kOpaque>(first, steps + 1, texture, along_u, along_v, colour);
    }
}

}  // namespace vivant
