// Python's door to the numerics of the rig builder: arrays in, arrays out, nothing kept by reference. _numeric.pyi has the shapes.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <stdexcept>

#include "cholesky.hpp"
#include "delaunay.hpp"
#include "filters.hpp"

namespace nb = nanobind;
using namespace vivant;

namespace {

template <class T, class... Shape> using In = nb::ndarray<const T, nb::numpy, nb::device::cpu, nb::c_contig, Shape...>;
template <class T, class... Shape> using Out = nb::ndarray<T, nb::numpy, nb::device::cpu, nb::c_contig, Shape...>;
using Grid = nb::shape<-1, -1>;
using Box = nb::shape<-1, -1, -1>;

void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

template <class A, class B> void require_same(const A& a, const B& b) {
    for (size_t i = 0; i < a.ndim(); ++i) require(a.shape(i) == b.shape(i), "both arrays must have one shape");
}

// (before, n, behind) along the middle axis.
template <class T>
void correlate(In<T, Box> in, Out<T, Box> out, const std::vector<double>& weights, bool odd, bool nearest) {
    require_same(in, out);
    require(weights.size() % 2 == 1, "an odd number of weights has a middle");
    const int64_t before = in.shape(0), n = in.shape(1), behind = in.shape(2);
    std::vector<int64_t> places;
    for (int64_t i = 0; i < before; ++i)
        for (int64_t k = 0; k < behind; ++k) places.push_back(i * n * behind + k);
    nb::gil_scoped_release others_run;
    if (n > 0) correlate_lines(in.data(), out.data(), places, n, behind, weights, odd, nearest ? Border::nearest : Border::reflect);
}

int32_t label(In<bool, Grid> mask, Out<int32_t, Grid> out) {
    require_same(mask, out);
    nb::gil_scoped_release others_run;
    return label_regions(mask.data(), out.data(), mask.shape(0), mask.shape(1));
}

void distances(In<bool, Grid> mask, Out<double, Grid> out) {
    require_same(mask, out);
    nb::gil_scoped_release others_run;
    distances_inside(mask.data(), out.data(), mask.shape(0), mask.shape(1));
}

size_t triangulate(In<double, nb::shape<-1, 2>> points, Out<int32_t, nb::shape<-1, 3>> out) {
    require(out.shape(0) >= 2 * points.shape(0), "room for twice as many triangles as points is needed");
    nb::gil_scoped_release others_run;
    const auto found = delaunay(points.data(), int64_t(points.shape(0)));
    for (size_t i = 0; i < found.size(); ++i) std::copy_n(found[i].data(), 3, out.data() + 3 * i);
    return found.size();
}

void make_factor(Cholesky* self, In<int64_t, nb::shape<-1>> starts, In<int32_t, nb::shape<-1>> columns,
                 In<double, nb::shape<-1>> values) {
    const int64_t n = int64_t(starts.shape(0)) - 1, entries = int64_t(columns.shape(0));
    require(n >= 0 && starts(0) == 0 && starts(n) == entries && entries == int64_t(values.shape(0)), "starts must span all entries");
    for (int64_t i = 0; i < n; ++i) require(starts(i) <= starts(i + 1), "starts must not decrease");
    for (int64_t k = 0; k < entries; ++k) require(columns(k) >= 0 && columns(k) < n, "a column lies outside the matrix");
    nb::gil_scoped_release others_run;
    new (self) Cholesky(starts.data(), columns.data(), values.data(), n);
}

void solve(const Cholesky& factor, Out<double, Grid> sides) {
    require(int64_t(sides.shape(0)) == factor.size(), "as many rows as the matrix has are needed");
    nb::gil_scoped_release others_run;
    factor.solve(sides.data(), int64_t(sides.shape(1)));
}

}  // namespace

NB_MODULE(_numeric, module) {
    module.def("correlate", correlate<float>);
    module.def("correlate", correlate<double>);
    module.def("label", label);
    module.def("distances", distances);
    module.def("triangulate", triangulate);
    nb::class_<Cholesky>(module, "Cholesky").def("__init__", make_factor).def("solve", solve);
}
