// Python's door to the kernel: arrays in, arrays out, nothing kept by reference. Shapes are documented in _kernel.pyi.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>

#include "convert.hpp"
#include "encoder.hpp"
#include "filter.hpp"
#include "patch.hpp"
#include "renderer.hpp"
#include "watermark.hpp"

namespace nb = nanobind;
using namespace vivant;

namespace {

template <class T, class... Shape> using Array = nb::ndarray<const T, nb::numpy, nb::device::cpu, nb::c_contig, Shape...>;
template <size_t n> using Floats = Array<float, nb::shape<-1, n>>;
template <size_t n> using Ints = Array<int32_t, nb::shape<-1, n>>;
using TextureArray = Array<uint8_t, nb::shape<-1, -1, 4>>;
using FrameArray = nb::ndarray<uint8_t, nb::numpy, nb::device::cpu, nb::c_contig, nb::shape<-1, -1, 4>>;

template <class To, class A> std::vector<To> rows(const A& array) {
    const To* first = reinterpret_cast<const To*>(array.data());
    return std::vector<To>(first, first + array.shape(0));
}

void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

int narrowed(size_t length) { return int(std::min(length, size_t(std::numeric_limits<int>::max()))); }

std::shared_ptr<Scene> make_scene(Floats<3> rest, Floats<2> uv, Floats<4> colour, Floats<1> head, Floats<1> body, Floats<1> round, Ints<4> move_blocks,
                                  Floats<3> moves, Ints<4> tint_blocks, Floats<4> tints, Ints<2> links, Ints<6> triangles, Ints<4> layers,
                                  const std::vector<TextureArray>& textures, Ints<2> contacts, Ints<2> follower_ends,
                                  Floats<1> follower_weights, Ints<2> eye_ranges, Floats<3> eye_centres, Array<float, nb::shape<4>> camera,
                                  Array<float, nb::shape<6>> head_frame, Array<float, nb::shape<6, 2>> limits, bool transparent) {
    auto scene = std::make_shared<Scene>();
    scene->rest = rows<Vec3>(rest);
    scene->uv.assign(uv.data(), uv.data() + uv.size());
    scene->colour = rows<Rgba>(colour);
    scene->head = rows<float>(head);
    scene->body = rows<float>(body);
    scene->round = rows<float>(round);
    scene->move_blocks = rows<Block>(move_blocks);
    scene->moves = rows<Vec3>(moves);
    scene->tint_blocks = rows<Block>(tint_blocks);
    scene->tints = rows<Rgba>(tints);
    scene->links = rows<Link>(links);
    scene->triangles = rows<Triangle>(triangles);
    scene->layers = rows<Layer>(layers);
    for (const TextureArray& t : textures)
        scene->textures.push_back({std::vector<uint8_t>(t.data(), t.data() + t.size()), narrowed(t.shape(1)), narrowed(t.shape(0))});
    scene->contacts = rows<Contact>(contacts);
    require(follower_ends.shape(0) == follower_weights.shape(0), "rig: follower arrays differ in length");
    for (size_t i = 0; i < follower_ends.shape(0); ++i)
        scene->followers.push_back({follower_ends(i, 0), follower_ends(i, 1), follower_weights(i, 0)});
    require(eye_ranges.shape(0) == 2 && eye_centres.shape(0) == 2, "rig: two eyes are needed");
    for (int i = 0; i < 2; ++i)
        scene->eyes[i] = {eye_ranges(i, 0), eye_ranges(i, 1), {eye_centres(i, 0), eye_centres(i, 1), eye_centres(i, 2)}};
    scene->camera = {camera(0), camera(1), camera(2), camera(3)};
    Head& h = scene->head_frame;
    h.pivot = {head_frame(0), head_frame(1), head_frame(2)};
    h.unit = head_frame(3), h.yaw_gain = head_frame(4), h.pitch_gain = head_frame(5);
    for (int i = 0; i < 6; ++i) h.limits[i][0] = limits(i, 0), h.limits[i][1] = limits(i, 1);
    scene->transparent = transparent;
    scene->finish();
    return scene;
}

void render(Renderer& renderer, Array<float, nb::shape<kWeights>> weights, Array<float, nb::shape<2>> tongue,
            Array<float, nb::shape<6>> pose, Array<float, nb::shape<2>> gaze, Array<float, nb::shape<6>> body, FrameArray out) {
    require(int(out.shape(0)) == renderer.height() && int(out.shape(1)) == renderer.width(), "out must be (height, width, 4)");
    Motion motion;
    std::copy_n(weights.data(), kWeights, motion.weights);
    std::copy_n(tongue.data(), 2, motion.tongue);
    std::copy_n(pose.data(), 6, motion.pose);
    std::copy_n(gaze.data(), 2, motion.gaze);
    std::copy_n(body.data(), 6, motion.body);
    nb::gil_scoped_release unlocked;
    renderer.render(motion, out.data());
}

using Rgba8 = Array<uint8_t, nb::shape<-1, -1, 4>>;
using Bytes = nb::ndarray<uint8_t, nb::numpy, nb::device::cpu, nb::c_contig, nb::shape<-1>>;

void rgb_from_rgba(Rgba8 pixels, Bytes out) {
    const int height = int(pixels.shape(0)), width = int(pixels.shape(1));
    require(out.shape(0) == size_t(height) * width * 3, "out must hold 3 bytes per px");
    nb::gil_scoped_release unlocked;
    rgba_to_rgb(pixels.data(), width, height, out.data());
}

void i420_from_rgba(Rgba8 pixels, Bytes out) {
    const int height = int(pixels.shape(0)), width = int(pixels.shape(1));
    require(width % 2 == 0 && height % 2 == 0, "I420 needs an even width and height");
    require(out.shape(0) == size_t(height) * width * 3 / 2, "out must hold 3 bytes per 2 px");
    nb::gil_scoped_release unlocked;
    rgba_to_i420(pixels.data(), width, height, out.data());
}

using Signal = Array<float, nb::shape<-1>>;
using Indices = Array<int64_t, nb::shape<-1>>;

void checked_filter_at(Signal samples, Indices first, Indices phase, Array<float, nb::shape<-1, -1>> filters,
                       nb::ndarray<float, nb::numpy, nb::device::cpu, nb::c_contig, nb::shape<-1>> out) {
    const FilterBank bank{filters.data(), int64_t(filters.shape(0)), int64_t(filters.shape(1))};
    require(first.shape(0) == out.shape(0) && phase.shape(0) == out.shape(0), "first, phase and out must have one length");
    nb::gil_scoped_release unlocked;
    filter_at(samples.data(), int64_t(samples.shape(0)), first.data(), phase.data(), bank, int64_t(out.shape(0)), out.data());
}

using Weights = Array<int16_t, nb::shape<-1, -1, -1>>;
using PerOutput = Array<float, nb::shape<-1, -1>>;

// Layer `i` of a stack.
Linear layer(const Weights& weights, const PerOutput& scale, const PerOutput& bias, size_t i) {
    const size_t n = weights.shape(0), inputs = weights.shape(1), outputs = weights.shape(2);
    require(i < n, "a layer is missing");
    require(scale.shape(0) == n && scale.shape(1) == outputs && bias.shape(0) == n && bias.shape(1) == outputs,
            "each output needs a scale and a bias");
    return Linear(narrowed(inputs), narrowed(outputs), weights.data() + i * inputs * outputs, scale.data() + i * outputs,
                  bias.data() + i * outputs);
}

void make_encoder(Encoder* self, Weights enter, PerOutput enter_scale, PerOutput enter_bias, Array<int32_t, nb::shape<-1>> dilations,
                  Array<float, nb::shape<-1, Encoder::kTaps, -1>> taps, Weights widen, PerOutput widen_scale, PerOutput widen_bias,
                  Weights narrow, PerOutput narrow_scale, PerOutput narrow_bias, Weights leave, PerOutput leave_scale,
                  PerOutput leave_bias, int n_phones) {
    require(taps.shape(0) == dilations.shape(0), "each block needs taps");
    std::vector<EncoderBlock> blocks;
    for (size_t i = 0; i < dilations.shape(0); ++i) {
        const size_t size = taps.shape(1) * taps.shape(2);
        blocks.push_back({dilations(i), std::vector<float>(taps.data() + i * size, taps.data() + (i + 1) * size),
                          layer(widen, widen_scale, widen_bias, i), layer(narrow, narrow_scale, narrow_bias, i)});
    }
    new (self) Encoder(layer(enter, enter_scale, enter_bias, 0), std::move(blocks), layer(leave, leave_scale, leave_bias, 0), n_phones);
}

using Rows = Array<float, nb::shape<-1, -1>>;
using ChangedRows = nb::ndarray<float, nb::numpy, nb::device::cpu, nb::c_contig, nb::shape<-1, -1>>;

void hear(const Encoder& encoder, Rows levels, ChangedRows memory, ChangedRows probabilities) {
    require(int(levels.shape(1)) == encoder.inputs(), "levels must be (n, inputs)");
    require(int(memory.shape(0)) == encoder.memory_ticks() && int(memory.shape(1)) == encoder.width(), "memory must be (ticks, width)");
    require(probabilities.shape(0) == levels.shape(0) && int(probabilities.shape(1)) == encoder.outputs(),
            "probabilities must be (n, outputs)");
    nb::gil_scoped_release unlocked;
    encoder.hear(levels.data(), narrowed(levels.shape(0)), memory.data(), probabilities.data());
}

using Planes = Array<float, nb::shape<-1, -1, -1>>;
using ChangedPlanes = nb::ndarray<float, nb::numpy, nb::device::cpu, nb::c_contig, nb::shape<-1, -1, -1>>;
using PlaceArray = Array<float, nb::shape<4>>;

PatchPlace place_of(const PlaceArray& place) { return {place(0), place(1), place(2), place(3)}; }

void require_patch(size_t height, size_t width) {
    require(height >= 2 && width >= 2 && height <= 1024 && width <= 1024, "a patch's sides must be from 2 to 1024");
}

void checked_lift_patch(Rgba8 frame, PlaceArray place, ChangedPlanes colours) {
    require(colours.shape(0) == 3 && frame.shape(0) > 0 && frame.shape(1) > 0, "colours must be (3, height, width) of a frame");
    require_patch(colours.shape(1), colours.shape(2));
    nb::gil_scoped_release unlocked;
    lift_patch(frame.data(), narrowed(frame.shape(1)), narrowed(frame.shape(0)), place_of(place), int(colours.shape(2)),
               int(colours.shape(1)), colours.data());
}

void checked_patch_mask(Floats<2> outline, float reach_px, ChangedRows mask) {
    require(outline.shape(0) >= 3 && reach_px > 0.0f, "an outline has three points and more, and a reach");
    require_patch(mask.shape(0), mask.shape(1));
    nb::gil_scoped_release unlocked;
    patch_mask(outline.data(), narrowed(outline.shape(0)), reach_px, int(mask.shape(1)), int(mask.shape(0)), mask.data());
}

void checked_lay_patch(FrameArray frame, PlaceArray place, Planes painted) {
    require(painted.shape(0) == 4 && frame.shape(0) > 0 && frame.shape(1) > 0, "painted must be (4, height, width), for a frame");
    require_patch(painted.shape(1), painted.shape(2));
    nb::gil_scoped_release unlocked;
    lay_patch(frame.data(), narrowed(frame.shape(1)), narrowed(frame.shape(0)), place_of(place), painted.data(),
              int(painted.shape(2)), int(painted.shape(1)));
}

using PixelArray = nb::ndarray<uint8_t, nb::numpy, nb::device::cpu, nb::c_contig, nb::ndim<3>>;

void mark(Watermark& watermark, PixelArray pixels) {
    require(int(pixels.shape(0)) == watermark.height() && int(pixels.shape(1)) == watermark.width() &&
                int(pixels.shape(2)) == watermark.channels(),
            "pixels must be (height, width, channels)");
    nb::gil_scoped_release unlocked;
    watermark.apply(pixels.data());
}

}  // namespace

NB_MODULE(_kernel, m) {
    nb::class_<Scene>(m, "Scene").def_static(
        "make", &make_scene, nb::kw_only(), nb::arg("rest"), nb::arg("uv"), nb::arg("colour"), nb::arg("head"), nb::arg("body"),
        nb::arg("round"), nb::arg("move_blocks"), nb::arg("moves"), nb::arg("tint_blocks"), nb::arg("tints"), nb::arg("links"), nb::arg("triangles"), nb::arg("layers"),
        nb::arg("textures"), nb::arg("contacts"), nb::arg("follower_ends"), nb::arg("follower_weights"), nb::arg("eye_ranges"),
        nb::arg("eye_centres"), nb::arg("camera"), nb::arg("head_frame"), nb::arg("limits"), nb::arg("transparent"));
    nb::class_<Renderer>(m, "Renderer")
        .def(
            "__init__",
            [](Renderer* self, std::shared_ptr<Scene> scene, int width, int height, bool mouth_closed,
               std::optional<Array<float, nb::shape<4>>> view, std::optional<Rgba8> behind) {
                require(width >= 16 && height >= 16 && width <= 4096 && height <= 4096, "size must be from 16 to 4096");
                const float side = scene->camera.side;
                const View part = view ? View{(*view)(0), (*view)(1), (*view)(2), (*view)(3)} : View{0.0f, 0.0f, side, side};
                require(!view || (part.width > 0.0f && part.height > 0.0f), "view must show something");
                require(!behind || (int(behind->shape(0)) == height && int(behind->shape(1)) == width), "behind must be (height, width, 4)");
                new (self) Renderer(std::move(scene), width, height, mouth_closed, part, behind ? behind->data() : nullptr);
            },
            nb::arg("scene"), nb::arg("width"), nb::arg("height"), nb::arg("mouth_closed"), nb::arg("view") = nb::none(),
            nb::arg("behind") = nb::none())
        .def("render", &render, nb::arg("weights"), nb::arg("tongue"), nb::arg("pose"), nb::arg("gaze"), nb::arg("body"),
             nb::arg("out").noconvert())
        .def(
            "places",
            [](const Renderer& renderer, nb::ndarray<float, nb::numpy, nb::device::cpu, nb::c_contig, nb::shape<-1, 2>> out) {
                require(renderer.places(out.shape(0), out.data()), "a scene has fewer vertices than were asked for");
            },
            nb::arg("out").noconvert());
    m.def("lift_patch", &checked_lift_patch, nb::arg("frame").noconvert(), nb::arg("place").noconvert(), nb::arg("colours").noconvert());
    m.def("patch_mask", &checked_patch_mask, nb::arg("outline").noconvert(), nb::arg("reach_px"), nb::arg("mask").noconvert());
    m.def("lay_patch", &checked_lay_patch, nb::arg("frame").noconvert(), nb::arg("place").noconvert(), nb::arg("painted").noconvert());
    m.def("rgb_from_rgba", &rgb_from_rgba, nb::arg("pixels").noconvert(), nb::arg("out").noconvert());
    m.def("i420_from_rgba", &i420_from_rgba, nb::arg("pixels").noconvert(), nb::arg("out").noconvert());
    m.def("filter_at", &checked_filter_at, nb::arg("samples").noconvert(), nb::arg("first").noconvert(), nb::arg("phase").noconvert(),
          nb::arg("filters").noconvert(), nb::arg("out").noconvert());
    nb::class_<Watermark>(m, "Watermark")
        .def(
            "__init__",
            [](Watermark* self, Array<float, nb::shape<kMarkCells, kMarkCells>> pattern, int width, int height, int channels) {
                require(width >= 16 && height >= 16 && width <= 8192 && height <= 8192, "size must be from 16 to 8192");
                require(channels == 3 || channels == 4, "channels must be 3 or 4");
                new (self) Watermark(pattern.data(), width, height, channels);
            },
            nb::arg("pattern"), nb::arg("width"), nb::arg("height"), nb::arg("channels"))
        .def("apply", &mark, nb::arg("pixels").noconvert());
    nb::class_<Encoder>(m, "Encoder")
        .def("__init__", &make_encoder, nb::kw_only(), nb::arg("enter"), nb::arg("enter_scale"), nb::arg("enter_bias"),
             nb::arg("dilations"), nb::arg("taps"), nb::arg("widen"), nb::arg("widen_scale"), nb::arg("widen_bias"), nb::arg("narrow"),
             nb::arg("narrow_scale"), nb::arg("narrow_bias"), nb::arg("leave"), nb::arg("leave_scale"), nb::arg("leave_bias"),
             nb::arg("n_phones"))
        .def("hear", &hear, nb::arg("levels").noconvert(), nb::arg("memory").noconvert(), nb::arg("probabilities").noconvert())
        .def_prop_ro("memory_shape", [](const Encoder& e) { return nb::make_tuple(e.memory_ticks(), e.width()); });
    // What whoever builds a scene or a pattern has to know; nothing of it is written a second time in Python.
    m.attr("SORTED") = int(kSorted);
    m.attr("STATIC") = int(kStatic);
    m.attr("OPEN_EDGE") = kOpenEdge;
    m.attr("HIDDEN_EDGE") = kHiddenEdge;
    m.attr("TONGUE_UP") = kTongueUp;
    m.attr("MOUTH_CLOSED") = kMouthClosed;
    m.attr("TURNED_LEFT") = kTurnedLeft;
    m.attr("TURNED_RIGHT") = kTurnedRight;
    m.attr("MARK_CELLS") = kMarkCells;
    m.attr("EYE_LOOK_FULL_DEG") = kEyeLookFullDeg;
}
