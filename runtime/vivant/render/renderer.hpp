// A rig as the kernel sees it, and the one routine that turns weights and a pose into pixels.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "alone.hpp"
#include "raster.hpp"

namespace vivant {

constexpr int kWeights = 52;        // ARKit, Live Link order
constexpr int kTongueOut = 51;      // index of tongueOut among them
constexpr int kTongueUp = 52;       // the drive after the weights
constexpr int kMouthClosed = 53;    // brings the lips of an open-mouthed portrait together; fixed per renderer
constexpr int kTurnedLeft = 54;     // 1 where the head is turned as far to its left as it may
constexpr int kTurnedRight = 55;
constexpr int kDrives = 56;
constexpr float kEyeLookFullDeg = 30.0f;  // of an eye whose weight is 1

struct Vec3 {
    float x, y, z;
};
struct Rgba {
    float r, g, b, a;
};

// `count` vertices from `start` move (or change colour) by `data[offset + i]` at drive value 1.
struct Block {
    int32_t drive, start, count, offset;
};

struct Layer {
    int32_t first_triangle, triangle_count, texture, flags;
};
enum LayerFlag : int32_t {
    kSorted = 1,  // one surface that may cover itself: draw far to near
    kStatic = 2,  // never moves: drawn once, under everything else
};

struct Triangle {
    int32_t corner[3];
    int32_t neighbour[3];  // across the edge corner[i] -> corner[i + 1]; or one of:
};
constexpr int32_t kOpenEdge = -1;    // nothing there: the edge shows and is anti-aliased
constexpr int32_t kHiddenEdge = -2;  // nothing there, but the texture is transparent: leave it

// An upper and a lower vertex of lips or lids that may touch but not cross.
struct Contact {
    int32_t upper, lower;
};
// How far a vertex follows when contact `contact` is pushed apart; positive weights go down the image.
struct Follower {
    int32_t vertex, contact;
    float weight;
};

// `follower` takes over the displacement of `leader`, after contacts have been settled.
struct Link {
    int32_t follower, leader;
};

struct Eye {
    int32_t start, count;
    Vec3 centre;
};

struct Camera {
    float centre_x, centre_y;  // px of the rig's own square, whose side is `side`
    float distance;            // px from the eye to the plane z = 0
    float side;
};

// The part of the rig's plane that a frame shows, px of the rig's square.
struct View {
    float left, top, width, height;
};

struct Head {
    Vec3 pivot;
    float unit;                // outer-eye distance, px
    float yaw_gain, pitch_gain;
    float limits[6][2];        // yaw, pitch, roll (degrees), x, y (units), scale
};

struct Motion {
    float weights[kWeights];
    float tongue[2];  // out, up
    float pose[6];    // yaw, pitch, roll, x, y, scale
    float gaze[2];    // yaw, pitch
    float body[6];    // as pose
};

struct TextureData {
    std::vector<uint8_t> texels;
    int width, height;
    Texture view() const { return {texels.data(), width, height}; }
};

// Immutable once built; shared by any number of renderers.
struct Scene {
    std::vector<Vec3> rest;
    std::vector<float> uv;        // 2 per vertex, texels
    std::vector<Rgba> colour;
    std::vector<float> head;      // 1 follows the head
    std::vector<float> body;      // 1 follows the shoulders; what neither follows stays
    std::vector<float> round;     // 1 is on the outline of a round head, which stays while what it surrounds turns
    std::vector<Block> move_blocks;
    std::vector<Vec3> moves;
    std::vector<Block> tint_blocks;
    std::vector<Rgba> tints;
    std::vector<Triangle> triangles;
    std::vector<Layer> layers;
    std::vector<TextureData> textures;
    std::vector<Contact> contacts;
    std::vector<Follower> followers;
    std::vector<Link> links;
    Eye eyes[2];  // the person's left, right
    Camera camera;
    Head head_frame;
    bool transparent;

    std::vector<uint8_t> triangle_opaque;  // texels under the triangle have no transparency

    // Checks everything and derives the above; call once. Throws std::invalid_argument: a scene may come from anybody's file.
    void finish();

  private:
    void require_sound() const;
};

class Renderer {
  public:
    // `behind`, if not null, lies under every layer: height * width * 4, premultiplied.
    Renderer(std::shared_ptr<const Scene> scene, int width, int height, bool mouth_closed, const View& view, const uint8_t* behind);
    // Writes every pixel of `out` (height * width * 4, straight alpha), whatever the motion's numbers are. Throws
    // std::runtime_error when another thread is in it.
    void render(const Motion& motion, uint8_t* out);
    // Where the first `count` vertices lie in the last frame, px: (x, y) each. False where the scene has fewer.
    bool places(size_t count, float* out) const;
    int width() const { return width_; }
    int height() const { return height_; }

  private:
    void draw(const Motion& motion, uint8_t* out);
    void draw_avx2(const Motion& motion, uint8_t* out);
    void set_drives(const Motion& motion);
    void deform();
    template <typename Floats>
    void add_blocks(const std::vector<Block>& blocks, const std::vector<Floats>& deltas, std::vector<Floats>& vertices) const;
    void keep_contacts_apart();
    void turn_eyes();
    void project(const Motion& motion);
    void draw_layer(const Layer& layer, const Image& image);
    void draw_sorted(const Layer& layer, const Image& image);
    void draw_one(int32_t triangle, const Texture& texture, const Image& image);
    void draw_fringe(int32_t triangle, const Texture& texture, const Image& image);
    bool faces_away(const Triangle& triangle) const;

    std::shared_ptr<const Scene> scene_;
    int width_, height_;
    bool mouth_closed_;
    View view_;
    float drives_[kDrives];
    float eye_angles_[2][2];
    std::vector<Vec3> points_;
    std::vector<Rgba> colours_;
    std::vector<Corner> corners_;
    std::vector<float> depth_;
    std::vector<float> overlap_;
    std::vector<uint8_t> away_, level_;
    std::vector<uint32_t> order_;
    std::vector<uint8_t> base_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

}  // namespace vivant
