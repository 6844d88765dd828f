#include "delaunay.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace vivant {

namespace {

constexpr double kSteps = 16384.0;  // differences of 14 bits: a test of degree 4 stays within 62
constexpr int32_t kFar = -1;        // the vertex at infinity of triangles outside of the hull; always their last

struct Point {
    int64_t x, y;
};
using Corners = std::array<int32_t, 3>;

// Twice the area: positive where a, b, c go counter-clockwise.
int64_t turn(const Point& a, const Point& b, const Point& c) {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

bool in_circle(const Point& a, const Point& b, const Point& c, const Point& p) {
    const int64_t ax = a.x - p.x, ay = a.y - p.y, bx = b.x - p.x, by = b.y - p.y, cx = c.x - p.x, cy = c.y - p.y;
    return (ax * ax + ay * ay) * (bx * cy - by * cx) - (bx * bx + by * by) * (ax * cy - ay * cx) +
               (cx * cx + cy * cy) * (ax * by - ay * bx) > 0;
}

std::vector<Point> on_lattice(const double* points, int64_t n) {
    double low[2] = {points[0], points[1]}, extent = 0.0;
    for (int64_t i = 0; i < 2 * n; ++i) low[i % 2] = std::min(low[i % 2], points[i]);
    for (int64_t i = 0; i < 2 * n; ++i) extent = std::max(extent, points[i] - low[i % 2]);
    if (!std::isfinite(extent)) throw std::invalid_argument("points to triangulate are finite");
    if (extent == 0.0) throw std::invalid_argument("points to triangulate lie on one line");
    std::vector<Point> out(n);
    for (int64_t i = 0; i < n; ++i)
        out[i] = {std::llround((points[2 * i] - low[0]) / extent * kSteps), std::llround((points[2 * i + 1] - low[1]) / extent * kSteps)};
    return out;
}

// Bowyer and Watson (1981): a new point takes away the triangles in whose circles it lies, and fills the hole with its own.
class Triangulation {
public:
    explicit Triangulation(std::vector<Point> points) : points_(std::move(points)) {}

    std::vector<Corners> run() {
        const int32_t n = int32_t(points_.size());
        int32_t second = 1;  // the first that does not fall together with point 0
        while (second < n && points_[second].x == points_[0].x && points_[second].y == points_[0].y) ++second;
        int32_t third = second + 1;
        while (third < n && turn(points_[0], points_[second], points_[third]) == 0) ++third;
        if (third >= n) throw std::invalid_argument("points to triangulate lie on one line");
        const bool left = turn(points_[0], points_[second], points_[third]) > 0;
        const int32_t a = left ? 0 : second, b = left ? second : 0;
        triangles_ = {{a, b, third}, {b, a, kFar}, {third, b, kFar}, {a, third, kFar}};
        for (int32_t p = second + 1; p < n; ++p)
            if (p != third) insert(p);
        triangles_.erase(std::remove_if(triangles_.begin(), triangles_.end(), [](const Corners& t) { return t[2] == kFar; }),
                         triangles_.end());
        return triangles_;
    }

private:
    bool gives_way(const Corners& t, const Point& p) const {
        const Point &a = points_[t[0]], &b = points_[t[1]];
        if (t[2] != kFar) return in_circle(a, b, points_[t[2]], p);
        const int64_t side = turn(a, b, p);  // beyond the hull's edge, or on it
        return side > 0 || (side == 0 && (p.x - a.x) * (p.x - b.x) + (p.y - a.y) * (p.y - b.y) < 0);
    }

    void insert(int32_t p) {
        const auto kept = std::stable_partition(triangles_.begin(), triangles_.end(),
                                                [&](const Corners& t) { return !gives_way(t, points_[p]); });
        const std::vector<Corners> gone(kept, triangles_.end());
        if (gone.empty()) return;  // another point is there already
        triangles_.erase(kept, triangles_.end());
        for (const Corners& t : gone)
            for (int k = 0; k < 3; ++k)
                if (!has_edge(gone, t[(k + 1) % 3], t[k])) add(t[k], t[(k + 1) % 3], p);
    }

    static bool has_edge(const std::vector<Corners>& triangles, int32_t from, int32_t to) {
        return std::any_of(triangles.begin(), triangles.end(), [&](const Corners& t) {
            return (t[0] == from && t[1] == to) || (t[1] == from && t[2] == to) || (t[2] == from && t[0] == to);
        });
    }

    void add(int32_t a, int32_t b, int32_t p) {
        triangles_.push_back(a == kFar ? Corners{b, p, a} : b == kFar ? Corners{p, a, b} : Corners{a, b, p});
    }

    std::vector<Point> points_;
    std::vector<Corners> triangles_;
};

}  // namespace

std::vector<std::array<int32_t, 3>> delaunay(const double* points, int64_t n) {
    if (n < 3) throw std::invalid_argument("three points make a triangle");
    for (int64_t i = 0; i < 2 * n; ++i)
        if (!std::isfinite(points[i])) throw std::invalid_argument("points to triangulate are finite");
    return Triangulation(on_lattice(points, n)).run();
}

}  // namespace vivant
