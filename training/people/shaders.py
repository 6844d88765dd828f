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

VERTEX = "#version 330\n" + PLACE + """
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

LIGHT = """
uniform sampler2DShadow shadow;
uniform vec3 key_way, key_colour, fill_way, fill_colour, rim_way, rim_colour, sky, ground;
uniform vec3 camera;
uniform float softness;
float lit() {
    vec3 at = in_light.xyz * 0.5 + 0.5;
    at.z -= 0.012;
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

HEAD = INPUTS + LIGHT + """
uniform sampler2D skin_face, skin_back, layer_first, layer_second, layer_back, noise, eye_map;
uniform vec3 mean_face, mean_back, tone, lip_tint, lip_hue, blush_tint, shade_tint, hair_tint, iris_tint, flush;
uniform vec4 paint;       // lips, blush, shade, liner
uniform vec4 grow;        // stubble, goatee stubble, scalp stubble, brows of the skin left
uniform vec4 texture_;    // contrast, blotches, freckles, bumps
uniform vec4 sheen;       // strength, power, lips strength, scatter
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
    float light = kind == 8.0 || kind == 3.0 ? 0.8 : gape * open_;
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

CARD = INPUTS + LIGHT + """
uniform sampler2D map, noise;
uniform vec3 tint, spec_tint;
uniform vec4 weave;       // map strength, alpha cut, label, thickness of alpha
uniform vec4 fibre;       // fibre noise, scale u, scale v, has alpha
uniform vec3 shine;       // strength, power, is hair
uniform float fuzz;       // 0: solid; else only strands above this level of noise
uniform vec3 trim;        // height of the fringe, raggedness, top under a hat
uniform vec4 pattern;     // kind, count, share, shade
void main() {
    vec4 tex = texture(map, uv);
    float alpha = fibre.w > 0.5 ? clamp(tex.a * weave.w, 0.0, 1.0) : 1.0;
    if (fuzz > 0.0) {
        vec2 way = vec2(0.8 * atan(local.x, local.z) + 0.01 * local.y, 0.02 * local.y + 0.03 * length(local.xz));
        alpha *= 0.85 * smoothstep(fuzz, fuzz + 0.12, textureLod(noise, way, 0.0).g);
    }
    if (mode == 1 ? alpha < 0.02 : alpha < weave.y) discard;
    vec3 n = normalize(normal), eye = normalize(camera - view);
    if (dot(n, eye) < 0.0) n = -n;
    float strand = texture(noise, uv * fibre.yz).g;
    if (local.z > 6.0 + 0.2 * abs(local.x) && local.y < trim.x - trim.y * strand && abs(local.x) < 7.0) discard;
    if (local.y > trim.z) discard;
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

FUR = INPUTS + LIGHT + """
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
    float tall = region * (0.35 + 0.65 * noise_.z) * fur.y;
    if (noise_.x * 0.9 + 0.1 < 1.0 - tall * (1.0 - fur.x * 0.75) || fur.x > tall + 0.3 * noise_.y) discard;
    vec3 n = normalize(normal);
    vec3 albedo = tint * (0.45 + 0.75 * fur.x) * (0.7 + 0.6 * noise_.y);
    vec3 colour = albedo * diffuse(n, vec3(0.35), mix(0.25, 1.0, lit()));
    emit(encode(colour), 1.0, n, label);
}
"""

SHADOW = """#version 330
uniform sampler2D map;
uniform vec2 cut;         // alpha cut and has alpha
uniform vec3 trim;        // fringe
in vec2 uv;
in vec3 local;
void main() {
    if (local.z > 6.0 + 0.2 * abs(local.x) && local.y < trim.x - 0.5 * trim.y && abs(local.x) < 7.0) discard;
    if (local.y > trim.z) discard;
    if (cut.y > 0.5 && texture(map, uv).a < cut.x) discard;
}
"""
