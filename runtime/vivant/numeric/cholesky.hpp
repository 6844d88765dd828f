// Direct solution of sparse symmetric systems of meshes.
#pragma once

#include <cstdint>
#include <vector>

namespace vivant {

// The Cholesky factor of a sparse, symmetric, positive definite matrix, kept as its envelope: of each row everything from its first
// entry on. Rows go in reverse Cuthill-McKee order, so that the envelope of a mesh is narrow. Read-only once built.
class Cholesky {
public:
    // The matrix by rows: entries starts[i] .. starts[i + 1] of row i, both halves. Throws std::invalid_argument if it is not
    // positive definite.
    Cholesky(const int64_t* starts, const int32_t* columns, const double* values, int64_t n);
    // Right-hand sides (n, width), which become solutions in their place.
    void solve(double* sides, int64_t width) const;
    int64_t size() const { return int64_t(order_.size()); }

private:
    double* row(int64_t i) { return factor_.data() + start_[i] - first_[i]; }  // of column j at [j]
    const double* row(int64_t i) const { return factor_.data() + start_[i] - first_[i]; }

    std::vector<int32_t> order_;          // which row of the matrix comes i-th
    std::vector<int64_t> first_, start_;  // first column of row i in the envelope, and where that lies in factor_
    std::vector<double> factor_;
};

}  // namespace vivant
