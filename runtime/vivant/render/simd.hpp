// Eight 16-bit lanes, the only vector type of the rasteriser. SSE2 is part of every x86-64 and NEON of every arm64, so
// one wheel runs everywhere; other machines take the plain loops, which give the same numbers.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define VIVANT_SSE2 1
#elif defined(__ARM_NEON) || defined(_M_ARM64)
#include <arm_neon.h>
#define VIVANT_NEON 1
#endif

namespace vivant {

#if VIVANT_SSE2
struct U16x8 {
    __m128i v;
};
inline U16x8 splat(uint16_t x) { return {_mm_set1_epi16(static_cast<short>(x))}; }
inline U16x8 pair(uint16_t low, uint16_t high) {
    return {_mm_unpacklo_epi64(_mm_set1_epi16(static_cast<short>(low)), _mm_set1_epi16(static_cast<short>(high)))};
}
inline U16x8 widen_8_bytes(const uint8_t* p) {
    return {_mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128())};
}
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
inline U16x8 from_4_floats(const float* p) {  // rounds half to even; lanes 4..7 are zero
    const __m128i i = _mm_cvtps_epi32(_mm_loadu_ps(p));
    return {_mm_packs_epi32(i, _mm_setzero_si128())};
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
inline U16x8 pair(uint16_t low, uint16_t high) { return {vcombine_u16(vdup_n_u16(low), vdup_n_u16(high))}; }
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
inline U16x8 from_4_floats(const float* p) {
    return {vcombine_u16(vqmovun_s32(vcvtnq_s32_f32(vld1q_f32(p))), vdup_n_u16(0))};
}
inline void store_4_bytes(uint8_t* p, U16x8 a) {
    const uint32_t x = vget_lane_u32(vreinterpret_u32_u8(vqmovun_s16(vreinterpretq_s16_u16(a.v))), 0);
    std::memcpy(p, &x, 4);
}
#else
#include <cmath>
struct U16x8 {
    uint16_t v[8];
};
template <class F> U16x8 lanes(F f) {
    U16x8 r;
    for (int i = 0; i < 8; ++i) r.v[i] = static_cast<uint16_t>(f(i));
    return r;
}
inline U16x8 splat(uint16_t x) { return lanes([&](int) { return x; }); }
inline U16x8 pair(uint16_t low, uint16_t high) { return lanes([&](int i) { return i < 4 ? low : high; }); }
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
inline U16x8 from_4_floats(const float* p) { return lanes([&](int i) { return i < 4 ? std::nearbyint(p[i]) : 0; }); }
inline void store_4_bytes(uint8_t* p, U16x8 a) {
    for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(a.v[i] > 255 ? 255 : a.v[i]);
}
#endif

}  // namespace vivant
