"""GLSL of the head itself: skin, eyeballs and the inside of the mouth."""

from __future__ import annotations

from training.synthetic_faces.shaders import INPUTS, LIGHT

HEAD = (
    INPUTS
    + LIGHT
    + """
uniform sampler2D skin_face, skin_back, layer_first, layer_second, layer_back, noise, eye_map;
uniform vec3 mean_face, mean_back, tone, lip_tint, lip_hue, blush_tint, shade_tint, hair_tint, iris_tint, flush;
uniform vec4 paint;       // lips, blush, shade, liner
uniform vec4 grow;        // stubble, goatee stubble, scalp stubble, brows of the skin left
uniform vec4 texture_;    // contrast, blotches, freckles, bumps
uniform vec4 sheen;       // strength, power, lips strength, scatter
uniform float glare;      // cut of baked highlights, times the mean
uniform vec3 iris;        // scale, pupil exponent, redness
uniform vec3 teeth_tint;
uniform float gape, eye_y; // light into the mouth, height of the eyes in cm
void skin_at(out vec3 albedo, out vec4 a, out vec4 b, out vec2 fine) {
    bool back = material > 0.5;
    vec3 raw = linear(back ? texture(skin_back, uv).rgb : texture(skin_face, uv).rgb);
    a = back ? vec4(0) : texture(layer_first, uv);
    b = back ? texture(layer_back, uv) : texture(layer_second, uv);
    vec3 ratio = raw / (back ? mean_back : mean_face);
    float lum = dot(ratio, vec3(0.3, 0.6, 0.1));
    float steep = texture_.x * mix(1.0, 0.45, max(b.r, 0.4 * a.a) * (1.0 - grow.w));
    ratio = mix(vec3(lum), ratio, 0.8) / max(lum, 1e-3) * pow(max(lum, 1e-3), steep);
#ifdef FINE
    ratio *= min(1.0, glare / max(dot(ratio, vec3(0.3, 0.6, 0.1)), 1e-3));
#endif
    albedo = tone * mix(clamp(ratio, 0.1, 2.2), vec3(1), b.a);
    vec4 large = texture(noise, uv * vec2(1.0)), small_ = texture(noise, uv * 3.0);
    fine = texture(noise, uv * 4.0).rg;
    albedo *= 1.0 + texture_.y * (large.a - 0.5) * vec3(0.4, 0.8, 0.8);
    float spots = smoothstep(1.0 - 0.3 * texture_.z, 1.0, small_.b) * smoothstep(0.1, 0.6, a.b + 0.25);
    albedo *= mix(vec3(1), vec3(0.72, 0.55, 0.45), spots * step(0.01, texture_.z) * (1.0 - a.r));
    vec3 lips = tone * lip_hue * (0.9 + 0.3 * (small_.g - 0.5)) * mix(clamp(ratio.g, 0.6, 1.4), 1.0, 0.5);
    albedo = mix(albedo, lips, max(a.r * 0.75, b.a * a.r));
    albedo = mix(albedo, lip_tint * (0.85 + 0.3 * small_.r), a.r * paint.x);
    albedo = mix(albedo, albedo * flush, a.b * 0.6);
    albedo = mix(albedo, blush_tint * tone * 1.6, a.b * paint.y);
    albedo = mix(albedo, shade_tint, a.a * paint.z);
    albedo = mix(albedo, vec3(0.02), b.g * paint.w);
    float hairs = 0.35 + 0.9 * texture(noise, uv * vec2(9.0, 5.0)).g;
    float stubble = max(a.g * grow.x, b.b * grow.y) + b.r * grow.z;
    albedo = mix(albedo, hair_tint, clamp(stubble * hairs, 0.0, 0.92));
}
void skin(float label) {
    vec3 albedo; vec4 a, b; vec2 fine;
    skin_at(albedo, a, b, fine);
    vec3 n = normalize(normal), eye = normalize(camera - view);
    vec3 t = normalize(cross(vec3(0, 1, 0.01), n));
    float bump = texture_.w * (1.0 - 0.7 * a.r);
    n = normalize(n + bump * ((fine.x - 0.5) * t + (fine.y - 0.5) * cross(n, t)));
    float shade = lit();
    vec3 wrap = sheen.w * vec3(0.55, 0.28, 0.2);
    vec3 colour = albedo * diffuse(n, wrap, shade);
    float wet = mix(sheen.x * (0.5 + fine.x), sheen.z * (0.3 + fine.y), a.r);
    float edge = pow(1.0 - max(dot(n, eye), 0.0), 4.0);
    colour += wet * (0.045 + 0.4 * edge) * gloss(n, eye, mix(sheen.y, 45.0, a.r), shade);
    colour *= mix(0.25 + 0.75 * open_, 1.0, 1.0 - b.a);
    float is_lips = step(0.5, max(a.r, b.a * step(local.y, 0.5)));
    emit(encode(colour), 1.0, normalize(normal), label == 10.0 ? 10.0 : (is_lips > 0.5 ? 2.0 : 1.0));
}
void eyeball() {
    vec2 d = (uv - 0.5) / 0.31;
    float r = length(d), edge = 0.62 * iris.x;
    float inner = clamp(r / edge, 0.0, 1.0);
    float s = r < edge ? 0.62 * pow(inner, iris.y) : 0.62 + (r - edge) * 0.9;
    vec4 tex = texture(eye_map, 0.5 + 0.31 * s * d / max(r, 1e-4));
    vec3 albedo = linear(mix(vec3(0.9, 0.87, 0.85), tex.rgb, tex.a));
    float in_iris = smoothstep(edge + 0.035, edge - 0.035, r);
    albedo = mix(albedo, vec3(dot(albedo, vec3(0.3, 0.6, 0.1))), 0.45 * in_iris);
    albedo *= mix(vec3(1.0, 1.0 - 0.2 * iris.z, 1.0 - 0.25 * iris.z) * 0.85, iris_tint, in_iris);
    vec3 n = normalize(normal), eye = normalize(camera - view);
    float shade = lit();
    vec3 ball = normalize(mix(n, eye, 0.35 * in_iris));
    float dark = mix(1.0, 0.45, smoothstep(-0.05, 0.65, local.y - eye_y)) * mix(1.0, 0.6, smoothstep(0.9, 1.7, r));
    vec3 colour = albedo * diffuse(ball, vec3(0.25, 0.15, 0.12), mix(0.45, 1.0, shade)) * dark;
    colour += (0.012 * gloss(n, eye, 300.0, 0.3 + 0.7 * shade) + 0.02 * gloss(n, eye, 40.0, shade)) * (0.5 + dark);
    emit(encode(colour), 1.0, n, r < edge ? 7.0 : 6.0);
}
void inside(float kind) {
    vec3 n = normalize(normal), eye = normalize(camera - view);
    vec4 grain = texture(noise, local.xz * 0.13);
    vec3 albedo = vec3(0.30, 0.055, 0.05);
    float wet = 0.5, power = 40.0, label = 3.0;
    if (kind == 4.0) albedo = vec3(0.52, 0.17, 0.16) * (0.8 + 0.4 * grain.a);
    if (kind == 5.0) { albedo = teeth_tint * (0.9 + 0.12 * grain.a); wet = 0.8; power = 70.0; label = 4.0; }
    if (kind == 7.0) {
        albedo = vec3(0.50, 0.16, 0.15) * (0.75 + 0.5 * texture(noise, local.xz * 0.3).r);
        albedo *= 1.0 - 0.25 * exp(-local.x * local.x * 40.0);
        wet = 0.7; label = 5.0;
    }
    if (kind == 3.0) { albedo = tone * vec3(0.9, 0.55, 0.5); label = 1.0; wet = 0.3; }
    if (kind == 8.0) { albedo = tone * vec3(1.0, 0.62, 0.58); label = 1.0; wet = 0.9; power = 60.0; }
    float light = kind == 8.0 || kind == 3.0 ? 0.8 : (kind == 5.0 ? max(gape, 0.75) : gape) * open_;
    float shade = lit();
    vec3 colour = albedo * diffuse(n, vec3(0.4, 0.25, 0.2), mix(0.3, 1.0, shade)) * light;
    colour += wet * 0.03 * gloss(n, eye, power, shade) * light;
    emit(encode(colour), 1.0, n, label);
}
void main() {
    if (material < 1.5) {
        float line = max(-8.4, -3.2 - 0.82 * max(local.z - 1.0, 0.0));
        skin(local.y < line ? 10.0 : 1.0);
    } else if (material == 6.0) eyeball();
    else inside(material);
}
"""
)
