// Eight 16-bit lanes and four of 32, the vector types of the rasteriser, and eight floats, that of the speech encoder. SSE2 is part of
// every x86-64 and NEON of every arm64, so one wheel runs everywhere; other machines take the plain loops (VIVANT_PLAIN forces
// them), which give the same numbers.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(VIVANT_PLAIN)
#include <cmath>
#elif defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define VIVANT_SSE2 1
#elif defined(__ARM_NEON) || defined(_M_ARM64)
#include <arm_neon.h>
#define VIVANT_NEON 1
#else
#include <cmath>
#endif

namespace vivant {

#if VIVANT_SSE2
struct U16x8 {
    __m128i v;
};
inline U16x8 splat(uint16_t x) { return {_mm_set1_epi16(static_cast<short>(x))}; }
inline U16x8 widen_8_bytes(const uint8_t* p) {
    return {_mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128())};
}
// One pixel: what lanes 4..7 hold differs from machine to machine, here and in splat_lane_3.
inline U16x8 widen_4_bytes(const uint8_t* p) {
    int32_t x;
    std::memcpy(&x, p, 4);
    return {_mm_unpacklo_epi8(_mm_cvtsi32_si128(x), _mm_setzero_si128())};
}
inline U16x8 operator+(U16x8 a, U16x8 b) { return {_mm_add_epi16(a.v, b.v)}; }
inline U16x8 operator-(U16x8 a, U16x8 b) { return {_mm_sub_epi16(a.v, b.v)}; }
inline U16x8 operator*(U16x8 a, U16x8 b) { return {_mm_mullo_epi16(a.v, b.v)}; }
inline U16x8 mul_high(U16x8 a, U16x8 b) { return {_mm_mulhi_epu16(a.v, b.v)}; }
template <int n> U16x8 shift_left(U16x8 a) { return {_mm_slli_epi16(a.v, n)}; }
template <int n> U16x8 shift_right(U16x8 a) { return {_mm_srli_epi16(a.v, n)}; }
inline U16x8 high_half(U16x8 a) { return {_mm_unpackhi_epi64(a.v, a.v)}; }
inline U16x8 splat_lane_3(U16x8 a) { return {_mm_shufflelo_epi16(a.v, 0xFF)}; }
inline U16x8 lerp(U16x8 a, U16x8 b, U16x8 weight) {  // weight 0..128 of b; values to 255
    const __m128i product = _mm_mullo_epi16(_mm_sub_epi16(b.v, a.v), weight.v);
    return {_mm_add_epi16(a.v, _mm_srai_epi16(_mm_add_epi16(product, _mm_set1_epi16(64)), 7))};
}
struct I32x4 {
    __m128i v;
};
inline I32x4 operator+(I32x4 a, I32x4 b) { return {_mm_add_epi32(a.v, b.v)}; }
struct F32x4 {
    __m128 v;
};
inline F32x4 load_4_floats(const float* p) { return {_mm_loadu_ps(p)}; }
inline F32x4 operator+(F32x4 a, F32x4 b) { return {_mm_add_ps(a.v, b.v)}; }
inline F32x4 operator-(F32x4 a, F32x4 b) { return {_mm_sub_ps(a.v, b.v)}; }
inline F32x4 operator*(F32x4 a, float b) { return {_mm_mul_ps(a.v, _mm_set1_ps(b))}; }
inline F32x4 bounded(F32x4 a, float low, float high) { return {_mm_min_ps(_mm_max_ps(a.v, _mm_set1_ps(low)), _mm_set1_ps(high))}; }
inline I32x4 rounded(F32x4 a) { return {_mm_cvtps_epi32(a.v)}; }
inline I32x4 truncated(F32x4 a) { return {_mm_cvttps_epi32(a.v)}; }
template <int n> U16x8 narrow_shifted(I32x4 a) {  // a >> n, which must fit 15 bits; lanes 4..7 repeat
    const __m128i i = _mm_srai_epi32(a.v, n);
    return {_mm_packs_epi32(i, i)};
}
inline void store_4_bytes(uint8_t* p, U16x8 a) {
    const int32_t x = _mm_cvtsi128_si32(_mm_packus_epi16(a.v, a.v));
    std::memcpy(p, &x, 4);
}
#elif VIVANT_NEON
struct U16x8 {
    uint16x8_t v;
};
inline U16x8 splat(uint16_t x) { return {vdupq_n_u16(x)}; }
inline U16x8 widen_8_bytes(const uint8_t* p) { return {vmovl_u8(vld1_u8(p))}; }
inline U16x8 widen_4_bytes(const uint8_t* p) {
    uint32_t x;
    std::memcpy(&x, p, 4);
    return {vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(x)))};
}
inline U16x8 operator+(U16x8 a, U16x8 b) { return {vaddq_u16(a.v, b.v)}; }
inline U16x8 operator-(U16x8 a, U16x8 b) { return {vsubq_u16(a.v, b.v)}; }
inline U16x8 operator*(U16x8 a, U16x8 b) { return {vmulq_u16(a.v, b.v)}; }
inline U16x8 mul_high(U16x8 a, U16x8 b) {
    return {vcombine_u16(vshrn_n_u32(vmull_u16(vget_low_u16(a.v), vget_low_u16(b.v)), 16),
                         vshrn_n_u32(vmull_u16(vget_high_u16(a.v), vget_high_u16(b.v)), 16))};
}
template <int n> U16x8 shift_left(U16x8 a) { return {vshlq_n_u16(a.v, n)}; }
template <int n> U16x8 shift_right(U16x8 a) { return {vshrq_n_u16(a.v, n)}; }
inline U16x8 high_half(U16x8 a) { return {vcombine_u16(vget_high_u16(a.v), vget_high_u16(a.v))}; }
inline U16x8 splat_lane_3(U16x8 a) { return {vdupq_n_u16(vgetq_lane_u16(a.v, 3))}; }
inline U16x8 lerp(U16x8 a, U16x8 b, U16x8 weight) {
    const int16x8_t product = vmulq_s16(vreinterpretq_s16_u16(vsubq_u16(b.v, a.v)), vreinterpretq_s16_u16(weight.v));
    return {vaddq_u16(a.v, vreinterpretq_u16_s16(vshrq_n_s16(vaddq_s16(product, vdupq_n_s16(64)), 7)))};
}
struct I32x4 {
    int32x4_t v;
};
inline I32x4 operator+(I32x4 a, I32x4 b) { return {vaddq_s32(a.v, b.v)}; }
struct F32x4 {
    float32x4_t v;
};
inline F32x4 load_4_floats(const float* p) { return {vld1q_f32(p)}; }
inline F32x4 operator+(F32x4 a, F32x4 b) { return {vaddq_f32(a.v, b.v)}; }
inline F32x4 operator-(F32x4 a, F32x4 b) { return {vsubq_f32(a.v, b.v)}; }
inline F32x4 operator*(F32x4 a, float b) { return {vmulq_n_f32(a.v, b)}; }
inline F32x4 bounded(F32x4 a, float low, float high) { return {vminq_f32(vmaxq_f32(a.v, vdupq_n_f32(low)), vdupq_n_f32(high))}; }
inline I32x4 rounded(F32x4 a) { return {vcvtnq_s32_f32(a.v)}; }
inline I32x4 truncated(F32x4 a) { return {vcvtq_s32_f32(a.v)}; }
template <int n> U16x8 narrow_shifted(I32x4 a) {
    const uint16x4_t half = vqmovun_s32(vshrq_n_s32(a.v, n));
    return {vcombine_u16(half, half)};
}
inline void store_4_bytes(uint8_t* p, U16x8 a) {
    const uint32_t x = vget_lane_u32(vreinterpret_u32_u8(vqmovun_s16(vreinterpretq_s16_u16(a.v))), 0);
    std::memcpy(p, &x, 4);
}
#else
struct U16x8 {
    uint16_t v[8];
};
template <class F> U16x8 lanes(F f) {
    U16x8 r;
    for (int i = 0; i < 8; ++i) r.v[i] = static_cast<uint16_t>(f(i));
    return r;
}
inline U16x8 splat(uint16_t x) { return lanes([&](int) { return x; }); }
inline U16x8 widen_8_bytes(const uint8_t* p) { return lanes([&](int i) { return p[i]; }); }
inline U16x8 widen_4_bytes(const uint8_t* p) { return lanes([&](int i) { return i < 4 ? p[i] : 0; }); }
inline U16x8 operator+(U16x8 a, U16x8 b) { return lanes([&](int i) { return a.v[i] + b.v[i]; }); }
inline U16x8 operator-(U16x8 a, U16x8 b) { return lanes([&](int i) { return a.v[i] - b.v[i]; }); }
inline U16x8 operator*(U16x8 a, U16x8 b) { return lanes([&](int i) { return uint32_t(a.v[i]) * b.v[i]; }); }
inline U16x8 mul_high(U16x8 a, U16x8 b) { return lanes([&](int i) { return uint32_t(a.v[i]) * b.v[i] >> 16; }); }
template <int n> U16x8 shift_left(U16x8 a) { return lanes([&](int i) { return a.v[i] << n; }); }
template <int n> U16x8 shift_right(U16x8 a) { return lanes([&](int i) { return a.v[i] >> n; }); }
inline U16x8 high_half(U16x8 a) { return lanes([&](int i) { return a.v[i | 4]; }); }
inline U16x8 splat_lane_3(U16x8 a) { return lanes([&](int) { return a.v[3]; }); }
inline U16x8 lerp(U16x8 a, U16x8 b, U16x8 weight) {
    return lanes([&](int i) { return a.v[i] + (((int(b.v[i]) - int(a.v[i])) * int(weight.v[i]) + 64) >> 7); });
}
struct I32x4 {
    int32_t v[4];
};
inline I32x4 operator+(I32x4 a, I32x4 b) {
    for (int i = 0; i < 4; ++i) a.v[i] += b.v[i];
    return a;
}
struct F32x4 {
    float v[4];
};
template <class F> F32x4 four_floats(F f) { return {{f(0), f(1), f(2), f(3)}}; }
inline F32x4 load_4_floats(const float* p) { return four_floats([&](int i) { return p[i]; }); }
inline F32x4 operator+(F32x4 a, F32x4 b) { return four_floats([&](int i) { return a.v[i] + b.v[i]; }); }
inline F32x4 operator-(F32x4 a, F32x4 b) { return four_floats([&](int i) { return a.v[i] - b.v[i]; }); }
inline F32x4 operator*(F32x4 a, float b) { return four_floats([&](int i) { return a.v[i] * b; }); }
inline F32x4 bounded(F32x4 a, float low, float high) {
    return four_floats([&](int i) { return a.v[i] > low ? (a.v[i] < high ? a.v[i] : high) : low; });
}
inline I32x4 rounded(F32x4 a) {
    I32x4 r;
    for (int i = 0; i < 4; ++i) r.v[i] = static_cast<int32_t>(std::nearbyint(a.v[i]));
    return r;
}
inline I32x4 truncated(F32x4 a) {
    I32x4 r;
    for (int i = 0; i < 4; ++i) r.v[i] = static_cast<int32_t>(a.v[i]);
    return r;
}
template <int n> U16x8 narrow_shifted(I32x4 a) { return lanes([&](int i) { return a.v[i & 3] >> n; }); }
inline void store_4_bytes(uint8_t* p, U16x8 a) {
    for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(a.v[i] > 255 ? 255 : a.v[i]);
}
#endif

// Eight floats, of which the speech encoder needs few operations.
#if VIVANT_SSE2
struct F32x8 {
    __m128 low, high;
};
inline void widen_8_ints(const int16_t* p, F32x8& floats) {
    const __m128i ints = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    floats = {_mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(ints, ints), 16)),
              _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpackhi_epi16(ints, ints), 16))};
}
inline F32x8 operator+(F32x8 a, F32x8 b) { return {_mm_add_ps(a.low, b.low), _mm_add_ps(a.high, b.high)}; }
inline F32x8 operator*(F32x8 a, float b) { return {_mm_mul_ps(a.low, _mm_set1_ps(b)), _mm_mul_ps(a.high, _mm_set1_ps(b))}; }
#elif VIVANT_NEON
struct F32x8 {
    float32x4_t low, high;
};
inline void widen_8_ints(const int16_t* p, F32x8& floats) {
    const int16x8_t ints = vld1q_s16(p);
    floats = {vcvtq_f32_s32(vmovl_s16(vget_low_s16(ints))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(ints)))};
}
inline F32x8 operator+(F32x8 a, F32x8 b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
inline F32x8 operator*(F32x8 a, float b) { return {vmulq_n_f32(a.low, b), vmulq_n_f32(a.high, b)}; }
#else
struct F32x8 {
    float v[8];
};
inline void widen_8_ints(const int16_t* p, F32x8& floats) {
    for (int i = 0; i < 8; ++i) floats.v[i] = float(p[i]);
}
inline F32x8 operator+(F32x8 a, F32x8 b) {
    for (int i = 0; i < 8; ++i) a.v[i] += b.v[i];
    return a;
}
inline F32x8 operator*(F32x8 a, float b) {
    for (int i = 0; i < 8; ++i) a.v[i] *= b;
    return a;
}
#endif

#if VIVANT_SSE2 && defined(__GNUC__) && defined(__x86_64__) && !defined(VIVANT_BASELINE)
// The same in one register, for functions that are compiled for AVX2 and called where the processor has it (VIVANT_BASELINE
// leaves them out).
#define VIVANT_AVX2 1
typedef float F32x8InOne __attribute__((vector_size(32)));
inline void widen_8_ints(const int16_t* p, F32x8InOne& floats) {
    typedef int16_t I16x8 __attribute__((vector_size(16)));
    typedef int32_t I32x8 __attribute__((vector_size(32)));
    I16x8 ints;
    std::memcpy(&ints, p, sizeof ints);
    floats = __builtin_convertvector(__builtin_convertvector(ints, I32x8), F32x8InOne);
}
#endif

}  // namespace vivant
