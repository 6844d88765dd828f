// The network of the speech encoder: causal, so that a tick's numbers never depend on how many ticks come at once.
#pragma once
#include <cstdint>
#include <vector>

namespace vivant {

// A fully connected layer: y = scale * (x @ weights) + bias.
class Linear {
  public:
    // `weights`: inputs * outputs; `scale` and `bias`: outputs, a multiple of 8.
    Linear(int inputs, int outputs, const int16_t* weights, const float* scale, const float* bias);
    // `Floats` is the vector type to compute with.
    template <class Floats> void apply(const float* x, int n_ticks, float* y) const;
    int inputs() const { return inputs_; }
    int outputs() const { return outputs_; }

  private:
    int inputs_, outputs_;
    std::vector<int16_t> panels_;  // 8 outputs of every input, then the next 8: read from front to back
    std::vector<float> scale_, bias_;
};

// A look back in each channel, then all channels together (after ConvNeXt).
struct EncoderBlock {
    int dilation;
    std::vector<float> taps;  // kTaps * width, oldest first
    Linear widen, narrow;
};

class Encoder {
  public:
    static constexpr int kTaps = 9;
    // `n_phones` divides the outputs of `leave`: each run of so many is one guess. Throws std::invalid_argument when the layers
    // do not fit each other.
    Encoder(Linear enter, std::vector<EncoderBlock> blocks, Linear leave, int n_phones);
    // Ticks that the memory holds, of all blocks together.
    int memory_ticks() const { return memory_ticks_; }
    int width() const { return enter_.outputs(); }
    int inputs() const { return enter_.inputs(); }
    int outputs() const { return leave_.outputs(); }
    // `levels`: n_ticks * inputs; `memory`: memory_ticks * width, brought up to date; `probabilities`: n_ticks * outputs.
    void hear(const float* levels, int n_ticks, float* memory, float* probabilities) const;

  private:
    template <class Floats> void hear_by(const float* levels, int n_ticks, float* memory, float* probabilities) const;
    void hear_by_avx2(const float* levels, int n_ticks, float* memory, float* probabilities) const;

    Linear enter_, leave_;
    std::vector<EncoderBlock> blocks_;
    int n_phones_, memory_ticks_ = 0;
};

}  // namespace vivant
