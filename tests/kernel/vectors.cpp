// Prints what the kernel's vector code makes of numbers from one generator: the same text from every instruction set.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "encoder.hpp"
#include "raster.hpp"
#include "simd.hpp"
#include "watermark.hpp"

using namespace vivant;

namespace {

uint32_t state = 20261129;

uint32_t next() { return (state = state * 1664525u + 1013904223u) >> 8; }

// FNV-1a
uint32_t hash(const void* data, size_t n) {
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < n; ++i) sum = (sum ^ static_cast<const uint8_t*>(data)[i]) * 16777619u;
    return sum;
}

// Through the four bytes that every path stores, each byte of a lane.
void tell_4(std::vector<uint8_t>& into, U16x8 lanes) {
    for (const U16x8 bytes : {shift_right<8>(lanes), shift_right<8>(shift_left<8>(lanes))}) {
        uint8_t four[4];
        store_4_bytes(four, bytes);
        into.insert(into.end(), four, four + 4);
    }
}

void tell(std::vector<uint8_t>& into, U16x8 lanes) {
    tell_4(into, lanes);
    tell_4(into, high_half(lanes));
}

uint32_t operations() {
    std::vector<uint8_t> told;
    for (int round = 0; round < 2000; ++round) {
        uint8_t bytes[16];
        float floats[8];
        for (uint8_t& byte : bytes) byte = uint8_t(next());
        for (float& value : floats) value = float(next() % 130560) / 4 - 16320;
        const U16x8 a = widen_8_bytes(bytes), b = widen_8_bytes(bytes + 8), weight = splat(uint16_t(next() % 129));
        const U16x8 wide = a * splat(uint16_t(next()));
        for (const U16x8 value : {a + b, a - b, wide, mul_high(wide, b * splat(257)), lerp(a, b, weight)}) tell(told, value);
        for (const U16x8 value : {widen_4_bytes(bytes), splat_lane_3(wide)}) tell_4(told, value);  // one pixel
        for (float& value : floats) value = std::fabs(value);
        const F32x4 four = load_4_floats(floats), other = bounded(four * 0.7f - load_4_floats(floats + 4), 0.0f, 9000.0f);
        tell(told, narrow_shifted<1>(rounded(four + four) + truncated(other)));
    }
    return hash(told.data(), told.size());
}

// Coloured triangles of all shapes, over each other.
uint32_t triangles() {
    constexpr int kSide = 64;
    std::vector<uint8_t> texels(kSide * kSide * 4), pixels(kSide * kSide * 4);
    for (uint8_t& byte : texels) byte = uint8_t(next());
    const Texture texture{texels.data(), kSide, kSide};
    const auto part = [](float most) { return most * float(next() % 2001) / 2000; };
    for (int round = 0; round < 2000; ++round) {
        Corner corners[3];
        for (Corner& corner : corners) {
            corner = {part(kSide + 20) - 10, part(kSide + 20) - 10, part(kSide), part(kSide), {}};
            for (float& factor : corner.rgba) factor = part(1.5f);
            corner.rgba[3] = part(1.0f);
        }
        const auto draw = round % 2 ? draw_triangle<true, true> : draw_triangle<true, false>;
        draw({pixels.data(), kSide, kSide}, texture, corners[0], corners[1], corners[2]);
    }
    return hash(pixels.data(), pixels.size());
}

uint32_t watermark(int width, int height, int channels) {
    std::vector<float> pattern(size_t(kMarkCells) * kMarkCells);
    for (float& cell : pattern) cell = next() % 2 ? 1.0f : -1.0f;
    std::vector<uint8_t> pixels(size_t(width) * height * channels);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = uint8_t(i / 7 % 3 ? next() : next() % 2 * 255);
    Watermark(pattern.data(), width, height, channels).apply(pixels.data());
    return hash(pixels.data(), pixels.size());
}

float number(float most) { return most * (float(next() % 2001) / 1000 - 1); }

std::vector<float> numbers(size_t n, float most) {
    std::vector<float> made(n);
    for (float& value : made) value = number(most);
    return made;
}

Linear layer(int inputs, int outputs, float most) {
    std::vector<int16_t> weights(size_t(inputs) * outputs);
    for (int16_t& weight : weights) weight = int16_t(next());
    const std::vector<float> scale = numbers(outputs, most / 32768), bias = numbers(outputs, 0.3f);
    return Linear(inputs, outputs, weights.data(), scale.data(), bias.data());
}

// What eleven ticks leave in the memory, which no function of a library has rounded, and the probabilities to five digits.
void tell_encoder(int at_once) {
    constexpr int kInputs = 41, kWidth = 32, kPhones = 24, kTicks = 11;
    state = 1;
    const Linear enter = layer(kInputs, kWidth, 0.5f), leave = layer(kWidth, 2 * kPhones, 0.5f);
    std::vector<EncoderBlock> blocks;
    for (const int dilation : {1, 2}) {
        const std::vector<float> taps = numbers(Encoder::kTaps * kWidth, 0.3f);
        const Linear widen = layer(kWidth, 3 * kWidth, 0.5f), narrow = layer(3 * kWidth, kWidth, 0.3f);
        blocks.push_back({dilation, taps, widen, narrow});
    }
    const Encoder encoder(enter, blocks, leave, kPhones);
    const std::vector<float> levels = numbers(kTicks * kInputs, 1.5f);
    std::vector<float> memory(size_t(encoder.memory_ticks()) * kWidth), told(kTicks * 2 * kPhones);
    for (int t = 0; t < kTicks; t += at_once)
        encoder.hear(levels.data() + t * kInputs, std::min(at_once, kTicks - t), memory.data(), told.data() + t * 2 * kPhones);
    std::printf("encoder %08x", hash(memory.data(), memory.size() * sizeof(float)));
    for (const float probability : told) std::printf(" %.5f", probability);
    std::printf("\n");
}

}  // namespace

int main() {
    std::printf("operations %08x\ntriangles %08x\n", operations(), triangles());
    for (const int channels : {3, 4})
        for (const int width : {64, 257, 512})
            std::printf("watermark %d %d %08x\n", width, channels, watermark(width, 130, channels));
    for (const int at_once : {1, 4, 11}) tell_encoder(at_once);
}
