#include "encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "simd.hpp"

namespace vivant {

namespace {

constexpr int kPanel = 8, kTicksAtOnce = 4;
constexpr int kMostDilation = 1024;  // chosen: a memory of 80 s a block
constexpr float kTiny = 1e-5f;  // under the root of a layer's variance, as in training

// Outputs of one panel for `n` ticks. Each is one sum from the first input to the last, so that no instruction set and no number
// of ticks changes a bit.
template <class Floats, int n> void multiply(const int16_t* panel, const float* x, int inputs, Floats* sums) {
    Floats sum[n] = {};
    for (int k = 0; k < inputs; ++k) {
        Floats weights;
        widen_8_ints(panel + kPanel * k, weights);
        for (int t = 0; t < n; ++t) sum[t] = sum[t] + weights * x[t * inputs + k];
    }
    for (int t = 0; t < n; ++t) sums[t] = sum[t];
}

template <class Floats> void multiply(const int16_t* panel, const float* x, int inputs, int n, Floats* sums) {
    switch (n) {
        case 1: return multiply<Floats, 1>(panel, x, inputs, sums);
        case 2: return multiply<Floats, 2>(panel, x, inputs, sums);
        case 3: return multiply<Floats, 3>(panel, x, inputs, sums);
        default: return multiply<Floats, 4>(panel, x, inputs, sums);
    }
}

// Eight sums side by side, added in a fixed order.
template <class F> float sum_of(int n, F value) {
    float sums[8] = {};
    for (int i = 0; i < n; i += 8)
        for (int lane = 0; lane < 8; ++lane) sums[lane] += value(i + lane);
    for (int half = 4; half > 0; half /= 2)
        for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    return sums[0];
}

// Layer normalisation without gains, which the next layer's weights hold; `n` is a multiple of 8.
void normalise(float* x, int n) {
    const float mean = sum_of(n, [&](int i) { return x[i]; }) / float(n);
    const float variance = sum_of(n, [&](int i) { return (x[i] - mean) * (x[i] - mean); }) / float(n);
    const float gain = 1.0f / std::sqrt(variance + kTiny);
    for (int i = 0; i < n; ++i) x[i] = (x[i] - mean) * gain;
}

// x times the normal distribution's share below x. That share is 1/2 + x p(x^2) / q(x^2) up to 5, fitted to it by weighted least
// squares; what comes out is off by less than 4e-6.
void gelu(float* x, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        const float clamped = std::min(std::max(x[i], -5.0f), 5.0f), t = clamped * clamped;
        const float p = ((6.25314215e-05f * t + 4.32034454e-03f) * t + 2.93788383e-02f) * t + 3.98966137e-01f;
        const float q = (((3.81633606e-06f * t + 1.50578409e-03f) * t + 2.57217981e-02f) * t + 2.40491418e-01f) * t + 1.0f;
        x[i] *= 0.5f + clamped * p / q;
    }
}

// (n, width) sums over the taps of what lies `dilation` ticks apart, up to each of the ticks after the past.
void look_back(const EncoderBlock& block, const float* whole, int n_ticks, int width, float* seen) {
    for (int t = 0; t < n_ticks; ++t, seen += width) {
        std::fill_n(seen, width, 0.0f);
        for (int tap = 0; tap < Encoder::kTaps; ++tap) {
            const float* past = whole + size_t(t + tap * block.dilation) * width;
            const float* gain = block.taps.data() + tap * width;
            for (int i = 0; i < width; ++i) seen[i] += past[i] * gain[i];
        }
    }
}

void softmax(float* x, int n) {
    const float most = *std::max_element(x, x + n);
    float sum = 0;
    for (int i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - most);
    for (int i = 0; i < n; ++i) x[i] /= sum;
}

int back(const EncoderBlock& block) { return (Encoder::kTaps - 1) * block.dilation; }

void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

}  // namespace

Linear::Linear(int inputs, int outputs, const int16_t* weights, const float* scale, const float* bias)
    : inputs_(inputs), outputs_(outputs), panels_(size_t(inputs) * outputs), scale_(scale, scale + outputs), bias_(bias, bias + outputs) {
    require(outputs % kPanel == 0, "a layer's outputs must be a multiple of 8");
    for (int k = 0; k < inputs; ++k)
        for (int i = 0; i < outputs; ++i)
            panels_[(size_t(i / kPanel) * inputs + k) * kPanel + i % kPanel] = weights[size_t(k) * outputs + i];
}

template <class Floats> void Linear::apply(const float* x, int n_ticks, float* y) const {
    for (int first = 0; first < outputs_; first += kPanel) {
        const int16_t* panel = panels_.data() + size_t(first) * inputs_;
        for (int tick = 0; tick < n_ticks; tick += kTicksAtOnce) {
            const int n = std::min(kTicksAtOnce, n_ticks - tick);
            Floats sums[kTicksAtOnce];
            multiply(panel, x + size_t(tick) * inputs_, inputs_, n, sums);
            for (int t = 0; t < n; ++t) {
                float* out = y + size_t(tick + t) * outputs_ + first;
                std::memcpy(out, &sums[t], sizeof sums[t]);
                for (int i = 0; i < kPanel; ++i) out[i] = out[i] * scale_[first + i] + bias_[first + i];
            }
        }
    }
}

Encoder::Encoder(Linear enter, std::vector<EncoderBlock> blocks, Linear leave, int n_phones)
    : enter_(std::move(enter)), leave_(std::move(leave)), blocks_(std::move(blocks)), n_phones_(n_phones) {
    for (const EncoderBlock& block : blocks_) {
        require(block.dilation > 0 && block.dilation <= kMostDilation, "a block's dilation is out of range");
        require(block.taps.size() == size_t(kTaps) * width(), "a block must look back at every channel");
        require(block.widen.inputs() == width() && block.widen.outputs() == block.narrow.inputs() && block.narrow.outputs() == width(),
                "a block must give what it takes");
        memory_ticks_ += back(block);
    }
    require(leave_.inputs() == width() && n_phones > 0 && leave_.outputs() % n_phones == 0, "the last layer must give whole guesses");
}

template <class Floats> void Encoder::hear_by(const float* levels, int n_ticks, float* memory, float* probabilities) const {
    const int width = this->width();
    const size_t n = size_t(n_ticks) * width;
    std::vector<float> x(n), seen(n), wide, whole;
    enter_.apply<Floats>(levels, n_ticks, x.data());
    for (const EncoderBlock& block : blocks_) {
        const size_t past = size_t(back(block)) * width;
        whole.assign(memory, memory + past);
        whole.insert(whole.end(), x.begin(), x.end());
        std::copy_n(whole.data() + n, past, memory);
        memory += past;
        look_back(block, whole.data(), n_ticks, width, seen.data());
        for (int t = 0; t < n_ticks; ++t) normalise(seen.data() + size_t(t) * width, width);
        wide.resize(size_t(n_ticks) * block.widen.outputs());
        block.widen.apply<Floats>(seen.data(), n_ticks, wide.data());
        gelu(wide.data(), wide.size());
        block.narrow.apply<Floats>(wide.data(), n_ticks, seen.data());
        for (size_t i = 0; i < n; ++i) x[i] += seen[i];
    }
    for (int t = 0; t < n_ticks; ++t) normalise(x.data() + size_t(t) * width, width);
    leave_.apply<Floats>(x.data(), n_ticks, probabilities);
    for (int i = 0; i < n_ticks * outputs(); i += n_phones_) softmax(probabilities + i, n_phones_);
}

#if VIVANT_AVX2
// No fused multiply-add: the same numbers.
__attribute__((target("avx2"), flatten)) void Encoder::hear_by_avx2(const float* levels, int n_ticks, float* memory,
                                                                    float* probabilities) const {
    hear_by<F32x8InOne>(levels, n_ticks, memory, probabilities);
}
#endif

void Encoder::hear(const float* levels, int n_ticks, float* memory, float* probabilities) const {
#if VIVANT_AVX2
    if (__builtin_cpu_supports("avx2")) return hear_by_avx2(levels, n_ticks, memory, probabilities);
#endif
    hear_by<F32x8>(levels, n_ticks, memory, probabilities);
}

}  // namespace vivant
