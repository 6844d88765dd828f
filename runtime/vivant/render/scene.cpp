// A rig may come from anybody's file: every index and every number is checked here, once, and trusted by the renderer.
#include <algorithm>
#include <stdexcept>

#include "renderer.hpp"

namespace vivant {
namespace {

constexpr size_t kMostItems = 1 << 20;   // vertices, triangles
constexpr float kMostSides = 16.0f;      // how far anything may lie or move, in sides of the rig's square
constexpr float kMostColour = 1000.0f;   // a colour factor or its change, before it is clamped to what can be seen
constexpr float kMostWeight = 4.0f;      // of a follower
constexpr float kMostGain = 16.0f;
constexpr float kMostPose[6] = {180.0f, 180.0f, 180.0f, 16.0f, 16.0f, 16.0f};

void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

// False for what is no number.
bool is_from_to(float x, float low, float high) { return x >= low && x <= high; }

bool is_within(const float* first, size_t count, float most) {
    return std::all_of(first, first + count, [most](float x) { return is_from_to(x, -most, most); });
}

// Every number of every item, which holds nothing but floats.
template <class Item> bool are_within(const std::vector<Item>& items, float most) {
    return is_within(reinterpret_cast<const float*>(items.data()), items.size() * (sizeof(Item) / sizeof(float)), most);
}

// `start` and `count` are a part of `size` things.
bool is_part(int32_t start, int32_t count, size_t size) { return start >= 0 && count >= 0 && size_t(start) + size_t(count) <= size; }

bool is_one_of(int32_t number, size_t size) { return number >= 0 && size_t(number) < size; }

void require_blocks(const std::vector<Block>& blocks, size_t rows, size_t vertices) {
    for (const Block& b : blocks)
        require(is_one_of(b.drive, kDrives) && b.count > 0 && is_part(b.start, b.count, vertices) && is_part(b.offset, b.count, rows),
                "rig: a block points outside its data");
}

void require_camera(const Camera& c) {
    require(is_from_to(c.side, 1.0f, kMostTexels) && is_from_to(c.distance, c.side / kMostSides, kMostPx) &&
                is_within(&c.centre_x, 2, c.side * kMostSides),
            "rig: the camera lies out of range");
}

void require_head(const Head& head, float most) {
    require(is_within(&head.pivot.x, 3, most) && is_from_to(head.unit, 0.0f, most) && is_from_to(head.yaw_gain, 0.0f, kMostGain) &&
                is_from_to(head.pitch_gain, 0.0f, kMostGain),
            "rig: the head's frame lies out of range");
    for (int i = 0; i < 6; ++i)
        require(is_within(head.limits[i], 2, kMostPose[i]) && head.limits[i][0] <= head.limits[i][1],
                "rig: the limits of the pose are out of range or swapped");
}

void require_vertices(const Scene& s, float most) {
    require(are_within(s.rest, most), "rig: a vertex lies out of range");
    for (const Vec3& v : s.rest)
        require(is_from_to(v.z, -s.camera.distance / 2, s.camera.distance / 2), "rig: a vertex lies too near to the camera or too far");
    for (float head : s.head) require(is_from_to(head, 0.0f, 1.0f), "rig: a vertex must follow the head by 0 to 1");
    for (float body : s.body) require(is_from_to(body, 0.0f, 1.0f), "rig: a vertex must follow the body by 0 to 1");
    for (float round : s.round) require(is_from_to(round, 0.0f, 1.0f), "rig: a vertex must be round by 0 to 1");
    require(are_within(s.colour, kMostColour), "rig: a colour is out of range");
    require(are_within(s.uv, 2.0f * kMostTexels), "rig: a texture place is out of range");
}

void require_textures(const std::vector<TextureData>& textures) {
    for (const TextureData& t : textures) {
        require(t.width >= 2 && t.height >= 2, "rig: a texture is too small");
        require(t.width <= kMostTexels && t.height <= kMostTexels, "rig: a texture is too large");
    }
}

// Each triangle is drawn once at most, and looks at its own texture or a little beside it.
void require_layers(const Scene& s) {
    require(!s.layers.empty() && !s.triangles.empty(), "rig: it has nothing to draw");
    size_t drawn = 0;
    for (const Layer& layer : s.layers) {
        require(is_one_of(layer.texture, s.textures.size()) && is_part(layer.first_triangle, layer.triangle_count, s.triangles.size()),
                "rig: a layer points outside the rig");
        drawn += size_t(layer.triangle_count);
        require(drawn <= s.triangles.size(), "rig: layers share triangles");
        const float width = float(s.textures[layer.texture].width), height = float(s.textures[layer.texture].height);
        for (int32_t t = layer.first_triangle; t < layer.first_triangle + layer.triangle_count; ++t)
            for (int32_t corner : s.triangles[t].corner)
                require(is_from_to(s.uv[2 * corner], -width, 2 * width) && is_from_to(s.uv[2 * corner + 1], -height, 2 * height),
                        "rig: a triangle looks outside its texture");
    }
}

}  // namespace

void Scene::require_sound() const {
    const size_t n = rest.size();
    require(n <= kMostItems && triangles.size() <= kMostItems, "rig: it has too many vertices or triangles");
    require(uv.size() == 2 * n && colour.size() == n && head.size() == n && body.size() == n && round.size() == n, "rig: vertex arrays differ in length");
    require_blocks(move_blocks, moves.size(), n);
    require_blocks(tint_blocks, tints.size(), n);
    for (const Triangle& t : triangles)
        for (int i = 0; i < 3; ++i)
            require(is_one_of(t.corner[i], n) && t.neighbour[i] >= kHiddenEdge && t.neighbour[i] < int64_t(triangles.size()),
                    "rig: a triangle points outside the rig");
    for (const Contact& c : contacts)
        require(is_one_of(c.upper, n) && is_one_of(c.lower, n), "rig: a contact points outside the rig");
    for (const Follower& f : followers) {
        require(is_one_of(f.vertex, n) && is_one_of(f.contact, contacts.size()), "rig: a follower points outside the rig");
        require(is_within(&f.weight, 1, kMostWeight), "rig: a follower's weight is out of range");
    }
    for (const Link& l : links) require(is_one_of(l.follower, n) && is_one_of(l.leader, n), "rig: a link points outside the rig");

    require_camera(camera);
    const float most = camera.side * kMostSides;
    require_vertices(*this, most);
    require(are_within(moves, most), "rig: a move is out of range");
    require(are_within(tints, kMostColour), "rig: a tint is out of range");
    require_head(head_frame, most);
    for (const Eye& e : eyes)
        require(is_part(e.start, e.count, n) && is_within(&e.centre.x, 3, most), "rig: an eye points outside the rig");
    require_textures(textures);
    require_layers(*this);
}

void Scene::finish() {
    require_sound();
    triangle_opaque.assign(triangles.size(), 0);
    for (const Layer& layer : layers) {
        const TextureData& texture = textures[layer.texture];
        for (int32_t t = layer.first_triangle; t < layer.first_triangle + layer.triangle_count; ++t) {
            float low[2] = {1e9f, 1e9f}, high[2] = {-1e9f, -1e9f};
            for (int32_t corner : triangles[t].corner)
                for (int axis = 0; axis < 2; ++axis) {
                    low[axis] = std::min(low[axis], uv[corner * 2 + axis]);
                    high[axis] = std::max(high[axis], uv[corner * 2 + axis]);
                }
            const int x0 = std::max(0, int(low[0]) - 1), x1 = std::min(texture.width - 1, int(high[0]) + 1);
            const int y0 = std::max(0, int(low[1]) - 1), y1 = std::min(texture.height - 1, int(high[1]) + 1);
            bool opaque = true;
            for (int y = y0; y <= y1 && opaque; ++y)
                for (int x = x0; x <= x1; ++x) opaque &= texture.texels[(size_t(y) * texture.width + x) * 4 + 3] == 255;
            triangle_opaque[t] = opaque;
        }
    }
}

}  // namespace vivant
