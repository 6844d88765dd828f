#include "renderer.hpp"

#include <numeric>

namespace vivant {
namespace {

constexpr float kRadians = 0.017453292519943295f;
constexpr float kEyeLimitDeg = 28.0f;
constexpr int kDepthLevels = 64;
constexpr float kFringePx = 1.0f;
constexpr float kFringeTexels = 3.0f;

enum Weight { kLookDownL = 1, kLookInL, kLookOutL, kLookUpL, kLookDownR = 8, kLookInR, kLookOutR, kLookUpR, kJawOpen = 17, kMouthClose };

float unit_clamp(float x) { return bounded(x, 0.0f, 1.0f); }

// Yaw about y, then pitch about x, in a frame with y down (image) and z towards the viewer.
struct Turn {
    float cy, sy, cp, sp;
    Turn(float yaw_deg, float pitch_deg)
        : cy(std::cos(yaw_deg * kRadians)), sy(std::sin(yaw_deg * kRadians)),
          cp(std::cos(pitch_deg * kRadians)), sp(std::sin(pitch_deg * kRadians)) {}
    Vec3 operator()(Vec3 v) const {
        const float y = v.y * cp - v.z * sp, z = v.z * cp + v.y * sp;
        return {v.x * cy + z * sy, y, z * cy - v.x * sy};
    }
    // The outline of a ball is always there where its surface is seen edge on: as far as a point is on it, it stays.
    Vec3 around(Vec3 v, float round) const {
        const Vec3 t = (*this)(v);
        return {t.x + round * v.x * (1.0f - cy), t.y + round * v.y * (1.0f - cp), t.z + round * (v.z - t.z)};
    }
};

// How far shoulders go: yaw, pitch, roll (degrees), x, y (units), scale. More would show what a portrait's border cuts.
constexpr float kBodyLimits[6][2] = {{-10, 10}, {-10, 10}, {-6, 6}, {-0.1f, 0.1f}, {-0.1f, 0.1f}, {0.95f, 1.05f}};

// Where a part of the person goes: turned about its pivot, as near as its scale says, and shifted.
struct Placing {
    Vec3 pivot;
    Turn turn;
    float scaled_cos, scaled_sin, scale;  // of the roll
    Vec3 shift;

    Placing(Vec3 about, const float (&pose)[6], float unit)
        : pivot(about), turn(pose[0], pose[1]), scaled_cos(pose[5] * std::cos(pose[2] * kRadians)),
          scaled_sin(pose[5] * std::sin(pose[2] * kRadians)), scale(pose[5]),
          shift{about.x + pose[3] * unit, about.y - pose[4] * unit, about.z} {}

    // How far it moves a point.
    Vec3 operator()(Vec3 p, float round) const {
        const Vec3 t = turn.around({p.x - pivot.x, p.y - pivot.y, p.z - pivot.z}, round);
        return {shift.x + t.x * scaled_cos - t.y * scaled_sin - p.x, shift.y + t.x * scaled_sin + t.y * scaled_cos - p.y,
                shift.z + t.z * scale - p.z};
    }
};

// Factors nearer to one than a grey level cannot be seen.
bool is_white(const float* c) {
    const auto one = [](float x) { return std::fabs(x - 1.0f) < 0.004f; };
    return one(c[0]) && one(c[1]) && one(c[2]) && one(c[3]);
}

void unpremultiply(uint8_t* pixels, size_t count) {
    for (size_t i = 0; i < count; ++i, pixels += 4) {
        const unsigned alpha = pixels[3];
        if (alpha == 255) continue;
        for (int channel = 0; channel < 3; ++channel)
            pixels[channel] = alpha ? static_cast<uint8_t>(std::min(255u, (pixels[channel] * 255u + alpha / 2) / alpha)) : 0;
    }
}

}  // namespace

Renderer::Renderer(std::shared_ptr<const Scene> scene, int width, int height, bool mouth_closed, const View& view, const uint8_t* behind)
    : scene_(std::move(scene)), width_(width), height_(height), mouth_closed_(mouth_closed), view_(view) {
    const size_t vertices = scene_->rest.size(), triangles = scene_->triangles.size();
    points_.resize(vertices);
    colours_.resize(vertices);
    corners_.resize(vertices);
    depth_.resize(vertices);
    overlap_.resize(scene_->contacts.size());
    away_.resize(triangles);
    level_.resize(triangles);
    order_.resize(triangles);
    for (size_t i = 0; i < vertices; ++i) {
        corners_[i].u = scene_->uv[2 * i];
        corners_[i].v = scene_->uv[2 * i + 1];
    }

    base_.assign(size_t(width) * height * 4, 0);
    if (behind != nullptr) std::memcpy(base_.data(), behind, base_.size());
    Motion rest{};
    rest.pose[5] = rest.body[5] = 1.0f;
    set_drives(rest);
    deform();
    project(rest);
    for (const Layer& layer : scene_->layers)
        if (layer.flags & kStatic) draw_layer(layer, {base_.data(), width_, height_});
}

void Renderer::render(const Motion& motion, uint8_t* out) {
    const Alone alone(busy_);
#if VIVANT_AVX2
    if (__builtin_cpu_supports("avx2")) return draw_avx2(motion, out);
#endif
    draw(motion, out);
}

#if VIVANT_AVX2
// No fused multiply-add: the same pixels.
__attribute__((target("avx2"), flatten)) void Renderer::draw_avx2(const Motion& motion, uint8_t* out) { draw(motion, out); }
#endif

void Renderer::draw(const Motion& motion, uint8_t* out) {
    set_drives(motion);
    deform();
    keep_contacts_apart();
    turn_eyes();
    project(motion);
    std::memcpy(out, base_.data(), base_.size());
    for (const Layer& layer : scene_->layers)
        if (!(layer.flags & kStatic)) draw_layer(layer, {out, width_, height_});
    if (scene_->transparent) unpremultiply(out, size_t(width_) * height_);
}

bool Renderer::places(size_t count, float* out) const {
    if (count > corners_.size()) return false;
    for (size_t i = 0; i < count; ++i) out[2 * i] = corners_[i].x, out[2 * i + 1] = corners_[i].y;
    return true;
}

void Renderer::set_drives(const Motion& motion) {
    float* drive = drives_;
    for (int i = 0; i < kWeights; ++i) drive[i] = unit_clamp(motion.weights[i]);
    drive[kTongueOut] = unit_clamp(drive[kTongueOut] + motion.tongue[0]);
    drive[kTongueUp] = unit_clamp(motion.tongue[1]);
    drive[kMouthClosed] = mouth_closed_ ? 1.0f : 0.0f;
    const float* turns = scene_->head_frame.limits[0];
    drive[kTurnedLeft] = unit_clamp(motion.pose[0] / std::max(turns[1], 1.0f));
    drive[kTurnedRight] = unit_clamp(motion.pose[0] / std::min(turns[0], -1.0f));
    // mouthClose was measured on an open jaw: it brings the lips back together, and without a drop there is nothing to undo.
    drive[kMouthClose] = std::min(drive[kMouthClose], drive[kJawOpen]);

    // Gaze and the eyeLook* weights say the same thing: add them as angles, then let the lids follow the sum.
    const float yaw[2] = {drive[kLookOutL] - drive[kLookInL], drive[kLookInR] - drive[kLookOutR]};
    const float pitch[2] = {drive[kLookUpL] - drive[kLookDownL], drive[kLookUpR] - drive[kLookDownR]};
    for (int eye = 0; eye < 2; ++eye) {
        eye_angles_[eye][0] = bounded(motion.gaze[0] + yaw[eye] * kEyeLookFullDeg, -kEyeLimitDeg, kEyeLimitDeg);
        eye_angles_[eye][1] = bounded(motion.gaze[1] + pitch[eye] * kEyeLookFullDeg, -kEyeLimitDeg, kEyeLimitDeg);
        const float right = eye_angles_[eye][0] / kEyeLookFullDeg, up = eye_angles_[eye][1] / kEyeLookFullDeg;
        drive[eye ? kLookDownR : kLookDownL] = unit_clamp(-up);
        drive[eye ? kLookUpR : kLookUpL] = unit_clamp(up);
        drive[eye ? kLookInR : kLookOutL] = unit_clamp(right);
        drive[eye ? kLookOutR : kLookInL] = unit_clamp(-right);
    }
}

void Renderer::deform() {
    points_ = scene_->rest;
    add_blocks(scene_->move_blocks, scene_->moves, points_);
    colours_ = scene_->colour;
    add_blocks(scene_->tint_blocks, scene_->tints, colours_);
}

// Morph targets: to each vertex of a block its own delta, as far as the block's drive goes.
template <typename Floats>
void Renderer::add_blocks(const std::vector<Block>& blocks, const std::vector<Floats>& deltas, std::vector<Floats>& vertices) const {
    constexpr int kFloats = sizeof(Floats) / sizeof(float);
    for (const Block& block : blocks) {
        const float weight = drives_[block.drive];
        if (weight == 0.0f) continue;
        const float* from = reinterpret_cast<const float*>(&deltas[block.offset]);
        float* to = reinterpret_cast<float*>(&vertices[block.start]);
        for (int i = 0; i < kFloats * block.count; ++i) to[i] += weight * from[i];
    }
}

void Renderer::keep_contacts_apart() {
    for (size_t i = 0; i < scene_->contacts.size(); ++i) {
        const Contact& contact = scene_->contacts[i];
        overlap_[i] = std::max(0.0f, points_[contact.upper].y - points_[contact.lower].y);
    }
    for (const Follower& follower : scene_->followers)
        points_[follower.vertex].y += follower.weight * overlap_[follower.contact];
    for (const Link& link : scene_->links) {
        const Vec3 &now = points_[link.leader], &rest = scene_->rest[link.leader];
        Vec3& point = points_[link.follower];
        point = {point.x + now.x - rest.x, point.y + now.y - rest.y, point.z + now.z - rest.z};
    }
}

void Renderer::turn_eyes() {
    for (int eye = 0; eye < 2; ++eye) {
        const Eye& ball = scene_->eyes[eye];
        const Turn turn(eye_angles_[eye][0], eye_angles_[eye][1]);
        for (int32_t i = ball.start; i < ball.start + ball.count; ++i) {
            const Vec3 p = points_[i];
            const Vec3 t = turn({p.x - ball.centre.x, p.y - ball.centre.y, p.z - ball.centre.z});
            points_[i] = {ball.centre.x + t.x, ball.centre.y + t.y, ball.centre.z + t.z};
        }
    }
}

// Whatever moves and links have added up to: from here on every number is finite and small enough for the rasteriser.
void Renderer::project(const Motion& motion) {
    const Head& head = scene_->head_frame;
    const Camera& camera = scene_->camera;
    float pose[6], below[6];
    for (int i = 0; i < 6; ++i) {
        pose[i] = bounded(motion.pose[i], head.limits[i][0], head.limits[i][1]);
        below[i] = bounded(motion.body[i], kBodyLimits[i][0], kBodyLimits[i][1]);
    }
    pose[0] *= head.yaw_gain, pose[1] *= head.pitch_gain;
    const Placing of_head(head.pivot, pose, head.unit), of_body({head.pivot.x, camera.side, 0.0f}, below, head.unit);
    const float scale_x = static_cast<float>(width_) / view_.width, scale_y = static_cast<float>(height_) / view_.height;

    for (size_t i = 0; i < points_.size(); ++i) {
        const Vec3 rest = points_[i];
        Vec3 p = rest;
        const auto move = [&](float follow, const Placing& placing) {
            if (follow == 0.0f) return;
            const Vec3 way = placing(rest, scene_->round[i]);
            p = {p.x + follow * way.x, p.y + follow * way.y, p.z + follow * way.z};
        };
        move(scene_->head[i], of_head);
        move(scene_->body[i], of_body);
        const float perspective = camera.distance / (camera.distance - p.z);
        Corner& corner = corners_[i];
        corner.x = bounded((camera.centre_x + (p.x - camera.centre_x) * perspective - view_.left) * scale_x, -kMostPx, kMostPx);
        corner.y = bounded((camera.centre_y + (p.y - camera.centre_y) * perspective - view_.top) * scale_y, -kMostPx, kMostPx);
        depth_[i] = bounded(p.z, -kMostPx, kMostPx);
        const Rgba& colour = colours_[i];
        const float alpha = unit_clamp(colour.a);
        corner.rgba[0] = bounded(colour.r, 0.0f, kMostFactor) * alpha;
        corner.rgba[1] = bounded(colour.g, 0.0f, kMostFactor) * alpha;
        corner.rgba[2] = bounded(colour.b, 0.0f, kMostFactor) * alpha;
        corner.rgba[3] = alpha;
    }
}

void Renderer::draw_layer(const Layer& layer, const Image& image) {
    if (layer.flags & kSorted) return draw_sorted(layer, image);
    const Texture texture = scene_->textures[layer.texture].view();
    for (int32_t t = layer.first_triangle; t < layer.first_triangle + layer.triangle_count; ++t) {
        draw_one(t, texture, image);
        draw_fringe(t, texture, image);
    }
}

bool Renderer::faces_away(const Triangle& triangle) const {
    const Corner &a = corners_[triangle.corner[0]], &b = corners_[triangle.corner[1]], &c = corners_[triangle.corner[2]];
    return (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y) >= 0.0f;  // counter-clockwise in a frame with y up
}

void Renderer::draw_sorted(const Layer& layer, const Image& image) {
    const int32_t first = layer.first_triangle, count = layer.triangle_count;
    float near = -1e9f, far = 1e9f;
    for (int32_t t = first; t < first + count; ++t) {
        const Triangle& triangle = scene_->triangles[t];
        away_[t] = faces_away(triangle);
        for (int32_t corner : triangle.corner) {
            near = std::max(near, depth_[corner]);
            far = std::min(far, depth_[corner]);
        }
    }
    // Coarse levels, stable within: parts that cover each other lie far apart, and neighbours in memory (which are neighbours
    // in the texture, see rig/build.py) stay together, which the cache rewards. What faces away lies under all else: of a fold
    // only its edge would show, in splinters.
    const float quantum = (kDepthLevels - 1.01f) / (3.0f * std::max(near - far, 1e-3f));
    uint32_t start[kDepthLevels + 1] = {};
    for (int32_t i = 0; i < count; ++i) {
        const int32_t* corner = scene_->triangles[first + i].corner;
        const float behind = depth_[corner[0]] + depth_[corner[1]] + depth_[corner[2]] - 3.0f * far;  // rounded: may pass the last
        level_[i] = away_[first + i] ? 0 : static_cast<uint8_t>(bounded(1.0f + behind * quantum, 1.0f, kDepthLevels - 1));
        ++start[level_[i] + 1];
    }
    std::partial_sum(start, start + kDepthLevels + 1, start);
    for (int32_t i = 0; i < count; ++i) order_[start[level_[i]]++] = static_cast<uint32_t>(i);
    const Texture texture = scene_->textures[layer.texture].view();
    for (int32_t i = 0; i < count; ++i) {
        const int32_t t = first + static_cast<int32_t>(order_[i]);
        draw_one(t, texture, image);  // also what faces away: a face that is turned in the portrait has folds at rest
        if (!away_[t]) draw_fringe(t, texture, image);
    }
}

void Renderer::draw_one(int32_t t, const Texture& texture, const Image& image) {
    const int32_t* corner = scene_->triangles[t].corner;
    const Corner &a = corners_[corner[0]], &b = corners_[corner[1]], &c = corners_[corner[2]];
    if (a.rgba[3] + b.rgba[3] + c.rgba[3] == 0.0f) return;
    const bool white = is_white(a.rgba) && is_white(b.rgba) && is_white(c.rgba);
    const bool opaque = scene_->triangle_opaque[t] && a.rgba[3] == 1.0f && b.rgba[3] == 1.0f && c.rgba[3] == 1.0f;
    if (white && opaque)
        draw_triangle<false, true>(image, texture, a, b, c);
    else if (white)
        draw_triangle<false, false>(image, texture, a, b, c);
    else if (opaque)
        draw_triangle<true, true>(image, texture, a, b, c);
    else
        draw_triangle<true, false>(image, texture, a, b, c);
}

// Softens each visible border of the triangle with a strip, one pixel wide, over which it fades out.
void Renderer::draw_fringe(int32_t t, const Texture& texture, const Image& image) {
    const Triangle& triangle = scene_->triangles[t];
    for (int edge = 0; edge < 3; ++edge) {
        const int32_t beyond = triangle.neighbour[edge];
        if (beyond == kHiddenEdge || (beyond >= 0 && !away_[beyond])) continue;
        const Corner &a = corners_[triangle.corner[edge]], &b = corners_[triangle.corner[(edge + 1) % 3]];
        const float dx = b.x - a.x, dy = b.y - a.y, length = std::sqrt(dx * dx + dy * dy);
        if (length < 1e-4f) continue;
        const float reach = (faces_away(triangle) ? -kFringePx : kFringePx) / length;
        const float nx = -dy * reach, ny = dx * reach;  // outwards, for a triangle that faces us
        const Corner& c = corners_[triangle.corner[(edge + 2) % 3]];
        // The texture goes on beyond the border as it does inside, so that at rest the strip adds nothing to the picture.
        const float height = std::max((nx * (a.x - c.x) + ny * (a.y - c.y)) * kFringePx, 0.25f);
        const float along = ((c.x - a.x) * dx + (c.y - a.y) * dy) / (length * length);
        const float du = bounded((a.u + along * (b.u - a.u) - c.u) / height, -kFringeTexels, kFringeTexels);
        const float dv = bounded((a.v + along * (b.v - a.v) - c.v) / height, -kFringeTexels, kFringeTexels);
        Corner outer_a = a, outer_b = b;
        for (Corner* outer : {&outer_a, &outer_b}) {
            outer->x += nx, outer->y += ny, outer->u += du, outer->v += dv;
            for (float& channel : outer->rgba) channel = 0.0f;
        }
        draw_triangle<true, false>(image, texture, a, b, outer_b);
        draw_triangle<true, false>(image, texture, a, outer_b, outer_a);
    }
}

}  // namespace vivant
