// Delaunay triangulation of points in the plane.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace vivant {

// Triangles, counter-clockwise with y up, whose circumcircles hold no other of the points (n of x, y). Points on one circle are joined
// in the order in which they are given. Places are rounded to 1 / 16384 of the whole extent, so that every test is exact; of points that
// fall together only the first is used. Throws std::invalid_argument if all lie on one line.
std::vector<std::array<int32_t, 3>> delaunay(const double* points, int64_t n);

}  // namespace vivant
