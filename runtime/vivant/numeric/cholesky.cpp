#include "cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace vivant {

namespace {

constexpr int kLanes = 8;  // sums side by side, added in a fixed order

struct Graph {
    const int64_t* starts;
    const int32_t* columns;
    int64_t degree(int32_t v) const { return starts[v + 1] - starts[v]; }
};

// Appends what can be reached from `start`, level by level, vertices of few neighbours first.
void append_levels(const Graph& graph, int32_t start, std::vector<char>& seen, std::vector<int32_t>& order) {
    size_t next = order.size();
    order.push_back(start), seen[start] = 1;
    while (next < order.size()) {
        const int32_t v = order[next++];
        const size_t begin = order.size();
        for (int64_t k = graph.starts[v]; k < graph.starts[v + 1]; ++k)
            if (!seen[graph.columns[k]]) order.push_back(graph.columns[k]), seen[graph.columns[k]] = 1;
        std::stable_sort(order.begin() + begin, order.end(),
                         [&](int32_t a, int32_t b) { return graph.degree(a) < graph.degree(b); });
    }
}

// Reverse Cuthill and McKee (1969), each component from a vertex at its rim: the last one that is reached from any.
std::vector<int32_t> narrow_order(const Graph& graph, int64_t n) {
    std::vector<char> seen(n, 0);
    std::vector<int32_t> order;
    for (int32_t v = 0; v < n; ++v) {
        if (seen[v]) continue;
        std::vector<char> tried(n, 0);
        std::vector<int32_t> reached;
        append_levels(graph, v, tried, reached);
        append_levels(graph, reached.back(), seen, order);
    }
    std::reverse(order.begin(), order.end());
    return order;
}

double dot(const double* a, const double* b, int64_t n) {
    double sums[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    for (int lane = 0; i + lane < n; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace

Cholesky::Cholesky(const int64_t* starts, const int32_t* columns, const double* values, int64_t n)
    : order_(narrow_order({starts, columns}, n)), first_(n), start_(n + 1, 0) {
    std::vector<int32_t> place(n);
    for (int32_t i = 0; i < n; ++i) place[order_[i]] = i;
    for (int64_t i = 0; i < n; ++i) {
        first_[i] = i;
        for (int64_t k = starts[order_[i]]; k < starts[order_[i] + 1]; ++k)
            first_[i] = std::min<int64_t>(first_[i], place[columns[k]]);
        start_[i + 1] = start_[i] + i + 1 - first_[i];
    }
    factor_.assign(start_[n], 0.0);
    for (int64_t i = 0; i < n; ++i)
        for (int64_t k = starts[order_[i]]; k < starts[order_[i] + 1]; ++k)
            if (place[columns[k]] <= i) row(i)[place[columns[k]]] += values[k];
    for (int64_t i = 0; i < n; ++i) {
        double* own = row(i);
        for (int64_t j = first_[i]; j < i; ++j) {
            const int64_t from = std::max(first_[i], first_[j]);
            own[j] = (own[j] - dot(own + from, row(j) + from, j - from)) / row(j)[j];
        }
        const double rest = own[i] - dot(own + first_[i], own + first_[i], i - first_[i]);
        if (!(rest > 0.0 && std::isfinite(rest))) throw std::invalid_argument("the matrix is not positive definite");
        own[i] = std::sqrt(rest);
    }
}

void Cholesky::solve(double* sides, int64_t width) const {
    const int64_t n = size();
    std::vector<double> x(n * width);
    for (int64_t i = 0; i < n; ++i) std::copy_n(sides + order_[i] * width, width, x.begin() + i * width);
    for (int64_t i = 0; i < n; ++i) {
        double* own = x.data() + i * width;
        for (int64_t j = first_[i]; j < i; ++j)
            for (int64_t k = 0; k < width; ++k) own[k] -= row(i)[j] * x[j * width + k];
        for (int64_t k = 0; k < width; ++k) own[k] /= row(i)[i];
    }
    for (int64_t i = n - 1; i >= 0; --i) {
        double* own = x.data() + i * width;
        for (int64_t k = 0; k < width; ++k) own[k] /= row(i)[i];
        for (int64_t j = first_[i]; j < i; ++j)
            for (int64_t k = 0; k < width; ++k) x[j * width + k] -= row(i)[j] * own[k];
    }
    for (int64_t i = 0; i < n; ++i) std::copy_n(x.begin() + i * width, width, sides + order_[i] * width);
}

}  // namespace vivant
