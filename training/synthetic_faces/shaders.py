"""GLSL of the renderer. Positions are cm; the view frame has its origin at the head, x right, y up, z to the camera."""

from __future__ import annotations

PLACE = """
uniform mat3 head_turn;
uniform vec4 bend;        // quaternion head -> body, in the head frame
uniform vec3 neck, origin;
uniform vec4 lens;        // fx, fy, cx, cy in half images
uniform vec3 range;       // camera distance, near, far
uniform mat3 to_light;
uniform vec3 light_box;   // half width, near, far of the shadow map
vec4 part(float w) {
    float angle = acos(clamp(bend.w, -1.0, 1.0)) * (1.0 - w);
    float s = length(bend.xyz);
    return s < 1e-5 ? vec4(0, 0, 0, 1) : vec4(bend.xyz / s * sin(angle), cos(angle));
}
vec3 rotate(vec4 q, vec3 v) { return v + 2.0 * cross(q.xyz, cross(q.xyz, v) + q.w * v); }
vec3 place(vec3 p, float w) { return head_turn * (neck + rotate(part(w), p - neck) - origin); }
vec3 aim(vec3 n, float w) { return head_turn * rotate(part(w), n); }
vec4 project(vec3 v, float bias) {
    float d = range.x - v.z, near = range.y, far = range.z;
    float z = (far + near) / (far - near) - 2.0 * far * near / ((far - near) * max(d - bias, near));
    return vec4(v.x * lens.x + lens.z * d, v.y * lens.y + lens.w * d, z * d, d);
}
vec4 project_light(vec3 v) {
    vec3 l = to_light * v;
    return vec4(l.xy / light_box.x, (-l.z - light_box.y) / (light_box.z - light_box.y) * 2.0 - 1.0, 1.0);
}
"""

VERTEX = (
    "#version 330\n"
    + PLACE
    + """
uniform float bias, shadow_pass, shell, tuck;   // shell: height along the normal, cm
uniform vec3 sag;
in vec3 in_position, in_normal;
in vec2 in_uv;
in vec3 in_extra;         // material, weight of the head's turn, openness
out vec3 view, normal, local;
out vec2 uv;
out vec4 in_light;
flat out float material;
out float open_;
void main() {
    vec3 p = in_position + shell * in_normal + sag * shell;
    float below = 1.0 - smoothstep(0.0, 0.35, in_extra.y);   // shoulders shrink under the clothes
    if (in_extra.x < 1.5) p -= tuck * below * (0.9 + 1.3 * smoothstep(7.0, 10.0, abs(p.x))) * in_normal;
    view = place(p, in_extra.y);
    normal = aim(in_normal, in_extra.y);
    local = p; uv = in_uv; material = in_extra.x; open_ = in_extra.z;
    in_light = project_light(view);
    gl_Position = shadow_pass > 0.5 ? in_light : project(view, bias);
}
"""
)

LIGHT = """
uniform sampler2DShadow shadow;
uniform vec3 key_way, key_colour, fill_way, fill_colour, rim_way, rim_colour, sky, ground;
uniform vec3 camera;
uniform float softness, lift;  // lift: so much nearer the lamp (share of the map) a surface is taken to be
float lit() {
    vec3 at = in_light.xyz * 0.5 + 0.5;
#ifdef FINE
    at.z -= lift;
#else
    at.z -= 0.012;
#endif
    float sum = 0.0;
    float turn = fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453) * 1.57;
    vec2 d = vec2(cos(turn), sin(turn)) * softness;
    sum += texture(shadow, at + vec3(d, 0)) + texture(shadow, at + vec3(-d.y, d.x, 0));
    sum += texture(shadow, at - vec3(d, 0)) + texture(shadow, at + vec3(d.y, -d.x, 0));
    sum += texture(shadow, at + vec3(0.4 * d.y, 0.4 * d.x, 0));
    return sum / 5.0;
}
vec3 soft(float c, vec3 wrap) { return clamp((vec3(c) + wrap) / (1.0 + wrap), 0.0, 1.0); }
vec3 diffuse(vec3 n, vec3 wrap, float shade) {
    vec3 sum = key_colour * soft(dot(n, key_way), wrap) * shade;
    sum += fill_colour * soft(dot(n, fill_way), wrap);
    sum += rim_colour * soft(dot(n, rim_way), 0.3 * wrap);
    return sum + mix(ground, sky, 0.5 + 0.5 * n.y);
}
vec3 gloss(vec3 n, vec3 eye, float power, float shade) {
    float scale = (power + 8.0) / 25.0;
    vec3 sum = key_colour * shade * pow(max(dot(n, normalize(key_way + eye)), 0.0), power);
    sum += fill_colour * pow(max(dot(n, normalize(fill_way + eye)), 0.0), power);
    sum += rim_colour * pow(max(dot(n, normalize(rim_way + eye)), 0.0), power);
    return sum * scale;
}
vec3 encode(vec3 c) { c = c / (1.0 + 0.18 * dot(c, vec3(0.3, 0.6, 0.1))); return pow(clamp(c, 0.0, 1.0), vec3(1.0 / 2.2)); }
vec3 linear(vec3 c) { return pow(c, vec3(2.2)); }
"""

INPUTS = """#version 330
in vec3 view, normal, local;
in vec2 uv;
in vec4 in_light;
flat in float material;
in float open_;
uniform int mode;         // 0: colour and truth, 1: colour, 2: truth alone
layout(location = 0) out vec4 out_first;
layout(location = 1) out vec4 out_second;
void emit(vec3 colour, float alpha, vec3 n, float label) {
    vec4 truth = vec4(n * 0.5 + 0.5, label / 255.0);
    out_first = mode == 2 ? truth : vec4(colour * alpha, alpha);
    out_second = truth;
}
"""

TRIM = """
uniform vec3 trim;        // height of the fringe, raggedness, top under a hat
bool cut_off(float strand) {
    float line = trim.x - trim.y * strand - 0.13 * local.x * local.x;
    bool before = local.z > 6.0 + 0.2 * abs(local.x) && abs(local.x) < 7.0;
    return (before && local.y < line) || local.y > trim.z;
}
"""

CARD = (
    INPUTS
    + LIGHT
    + TRIM
    + """
uniform sampler2D map, noise;
uniform vec3 tint, spec_tint;
uniform vec4 weave;       // map strength, alpha cut, label, thickness of alpha
uniform vec4 fibre;       // fibre noise, scale u, scale v, has alpha
uniform vec3 shine;       // strength, power, is hair
uniform float fuzz;       // 0: solid; else only strands above this level of noise
uniform vec4 pattern;     // kind, count, share, shade
void main() {
    vec4 tex = texture(map, uv);
    float alpha = fibre.w > 0.5 ? clamp(tex.a * weave.w, 0.0, 1.0) : 1.0;
    if (fuzz > 0.0) {
        vec2 way = vec2(0.8 * atan(local.x, local.z) + 0.01 * local.y, 0.02 * local.y + 0.03 * length(local.xz));
        alpha *= 0.65 * smoothstep(fuzz, fuzz + 0.12, textureLod(noise, way, 0.0).g);
    }
    if (mode == 1 ? alpha < 0.02 : alpha < weave.y) discard;
    vec3 n = normalize(normal), eye = normalize(camera - view);
    if (dot(n, eye) < 0.0) n = -n;
    float strand = texture(noise, uv * fibre.yz).g;
    if (cut_off(strand)) discard;
    float lum = dot(linear(tex.rgb), vec3(0.3, 0.6, 0.1));
    vec3 albedo = mix(tint, shine.z > 0.5 ? tint * lum : linear(tex.rgb) * tint, weave.x) * (1.0 + fibre.x * (strand - 0.5));
    if (pattern.x > 0.5) {
        vec2 wave = sin(pattern.y * vec2(local.x + 0.3 * local.z, local.y));
        float both = pattern.x < 3.5 ? wave.x * wave.y : max(wave.x, wave.y);
        float on = pattern.x < 1.5 ? wave.x : (pattern.x < 2.5 ? wave.y : both);
        albedo *= mix(1.0, pattern.w, smoothstep(pattern.z, pattern.z + 0.15, on));
    }
    float shade = lit();
    vec3 colour;
    if (shine.z > 0.5) {
        vec3 along = normalize(vec3(0.15 * n.x, 1, 0.3) - n * dot(n, vec3(0.15 * n.x, 1, 0.3)));
        vec3 half_ = normalize(key_way + eye), half2 = normalize(rim_way + eye);
        float s = pow(max(1.0 - pow(dot(along, half_) + 0.12 * (strand - 0.5), 2.0), 0.0), 0.5 * shine.y);
        float s2 = pow(max(1.0 - pow(dot(along, half2), 2.0), 0.0), 0.5 * shine.y);
        colour = albedo * diffuse(n, vec3(0.35), mix(0.25, 1.0, shade));
        vec3 streak = key_colour * s * shade + 0.6 * rim_colour * s2;
        colour += spec_tint * shine.x * streak * (0.3 + strand) * soft(dot(n, key_way), vec3(0.5));
    } else {
        colour = albedo * diffuse(n, vec3(0.15), shade) + spec_tint * shine.x * gloss(n, eye, shine.y, shade);
    }
    emit(encode(colour), mode == 1 ? alpha : 1.0, n, weave.z);
}
"""
)

FUR = (
    INPUTS
    + LIGHT
    + """
uniform sampler2D layer_first, layer_second, layer_back, noise;
uniform vec3 tint;
uniform vec4 fur;         // height 0..1, density, scale, which region (0 scalp, 1 beard, 2 goatee)
uniform float label, cap;
void main() {
    if (local.y > cap) discard;
    bool back = material > 0.5;
    vec4 a = back ? vec4(0) : texture(layer_first, uv), b = back ? texture(layer_back, uv) : texture(layer_second, uv);
    float region = fur.w < 0.5 ? b.r : (fur.w < 1.5 ? a.g : b.b);
    if (material > 1.5 || region < 0.05) discard;
    vec3 noise_ = vec3(textureLod(noise, uv * fur.z, 0.0).rb, texture(noise, uv * 2.0).a);
    float tall = region * (0.6 + 0.4 * noise_.z) * fur.y;
    if (noise_.x * 0.9 + 0.1 < 1.0 - tall * (1.0 - fur.x * 0.75) || fur.x > tall + 0.3 * noise_.y) discard;
    vec3 n = normalize(normal);
    vec3 albedo = tint * (0.45 + 0.75 * fur.x) * (0.7 + 0.6 * noise_.y);
    vec3 colour = albedo * diffuse(n, vec3(0.35), mix(0.25, 1.0, lit()));
    emit(encode(colour), 1.0, n, label);
}
"""
)

SHADOW = (
    """#version 330
uniform sampler2D map;
uniform vec2 cut;         // alpha cut and has alpha
in vec2 uv;
in vec3 local;
"""
    + TRIM
    + """
void main() {
    if (cut_off(0.5)) discard;
    if (cut.y > 0.5 && texture(map, uv).a < cut.x) discard;
}
"""
)
