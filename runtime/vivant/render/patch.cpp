#include "patch.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "raster.hpp"

namespace vivant {
namespace {

constexpr float kSeen = 0.5f / 255.0f;  // less opacity changes no byte
constexpr float kBorderPx = 4.0f;       // over which a mask fades towards the patch's border
constexpr float kFar = 1e6f;            // px; nothing of a frame is further away

// Four neighbours of a place between pixels, and their shares.
struct Between {
    int x0, x1, y0, y1;
    float fx, fy;
    Between(float x, float y, int width, int height) {
        x = bounded(x - 0.5f, 0.0f, float(width - 1));
        y = bounded(y - 0.5f, 0.0f, float(height - 1));
        x0 = int(x), y0 = int(y);
        x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
        fx = x - float(x0), fy = y - float(y0);
    }
    template <class At> float mix(At at) const {
        const float top = at(x0, y0) + fx * (at(x1, y0) - at(x0, y0)), low = at(x0, y1) + fx * (at(x1, y1) - at(x0, y1));
        return top + fy * (low - top);
    }
};

float smoothstep(float t) {
    t = bounded(t, 0.0f, 1.0f);
    return t * t * (3.0f - 2.0f * t);
}

// Squared distance from each px of a row to an edge, kept where it is the least so far; and whether the row's px are within.
void meet_edge(const float* from, const float* to, float y, int width, float* squared, uint8_t* within) {
    const float dx = to[0] - from[0], dy = to[1] - from[1], length = std::max(dx * dx + dy * dy, 1e-12f), up = y - from[1];
    for (int i = 0; i < width; ++i) {
        const float right = float(i) + 0.5f - from[0];
        const float along = std::min(std::max((right * dx + up * dy) / length, 0.0f), 1.0f);
        const float ex = right - along * dx, ey = up - along * dy;
        squared[i] = std::min(squared[i], ex * ex + ey * ey);
    }
    if ((from[1] > y) == (to[1] > y)) return;
    const float crossing = from[0] + up * dx / dy;
    for (int i = 0; i < width; ++i) within[i] ^= float(i) + 0.5f < crossing;
}

// First and last px along one side of a frame that a patch may touch.
void span(float low, float high, int length, int& first, int& last) {
    first = std::clamp(int(std::floor(bounded(low, -kFar, kFar))), 0, length);
    last = std::clamp(int(std::ceil(bounded(high, -kFar, kFar))), 0, length);
}

}  // namespace

void lift_patch(const uint8_t* frame, int frame_width, int frame_height, const PatchPlace& p, int width, int height, float* colours) {
    const size_t plane = size_t(width) * height;
    for (int j = 0; j < height; ++j)
        for (int i = 0; i < width; ++i) {
            const float x = float(i) + 0.5f, y = float(j) + 0.5f;
            const Between at(p.a * x - p.b * y + p.left, p.b * x + p.a * y + p.top, frame_width, frame_height);
            for (int c = 0; c < 3; ++c)
                colours[c * plane + size_t(j) * width + i] =
                    at.mix([&](int u, int v) { return float(frame[(size_t(v) * frame_width + u) * 4 + c]); }) / 255.0f;
        }
}

void patch_mask(const float* outline, int count, float reach_px, int width, int height, float* mask) {
    std::vector<float> squared(width);
    std::vector<uint8_t> within(width);
    for (int j = 0; j < height; ++j, mask += width) {
        std::fill(squared.begin(), squared.end(), kFar);
        std::fill(within.begin(), within.end(), uint8_t(0));
        for (int k = 0; k < count; ++k)
            meet_edge(outline + 2 * k, outline + 2 * ((k + 1) % count), float(j) + 0.5f, width, squared.data(), within.data());
        const float above = float(std::min(j, height - 1 - j));
        for (int i = 0; i < width; ++i) {
            const float border = std::min(above, float(std::min(i, width - 1 - i)));
            const float near = within[i] ? 1.0f : smoothstep(1.0f - std::sqrt(squared[i]) / reach_px);
            mask[i] = near * smoothstep(border / kBorderPx);
        }
    }
}

void lay_patch(uint8_t* frame, int frame_width, int frame_height, const PatchPlace& p, const float* painted, int width, int height) {
    const float size = p.a * p.a + p.b * p.b, w = float(width), h = float(height);
    if (!(size > 1e-12f)) return;
    const float a = p.a / size, b = -p.b / size;  // the way back
    const float xs[4] = {0, p.a * w, -p.b * h, p.a * w - p.b * h}, ys[4] = {0, p.b * w, p.a * h, p.b * w + p.a * h};
    int left, right, top, bottom;
    span(p.left + *std::min_element(xs, xs + 4), p.left + *std::max_element(xs, xs + 4), frame_width, left, right);
    span(p.top + *std::min_element(ys, ys + 4), p.top + *std::max_element(ys, ys + 4), frame_height, top, bottom);
    const size_t plane = size_t(width) * height;
    for (int v = top; v < bottom; ++v)
        for (int u = left; u < right; ++u) {
            const float du = float(u) + 0.5f - p.left, dv = float(v) + 0.5f - p.top;
            const float x = a * du - b * dv, y = b * du + a * dv;
            if (!(x >= 0.0f && x <= w && y >= 0.0f && y <= h)) continue;
            const Between at(x, y, width, height);
            const auto sample = [&](int c) { return at.mix([&](int i, int j) { return painted[c * plane + size_t(j) * width + i]; }); };
            const float opacity = std::min(sample(3), 1.0f);
            if (!(opacity >= kSeen)) continue;
            uint8_t* pixel = frame + (size_t(v) * frame_width + u) * 4;
            for (int c = 0; c < 3; ++c) {
                const float now = float(pixel[c]), then = bounded(sample(c), 0.0f, 1.0f) * 255.0f;
                pixel[c] = uint8_t(now + opacity * (then - now) + 0.5f);
            }
        }
}

}  // namespace vivant
