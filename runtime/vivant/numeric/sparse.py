"""Sparse matrices of meshes: few entries in each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivant.types import IntArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interpolation:
    """Each new value is a weighted sum of at most a few old ones: ``interpolation @ old``."""

    columns: IntArray
    """(n, k) which old ones."""
    weights: Floats
    """(n, k), 0 where fewer are needed."""

    def __len__(self) -> int:
        return len(self.columns)

    def __matmul__(self, old: NDArray[np.floating]) -> Floats:
        """(m, ...) old values -> (n, ...) new ones."""
        return np.asarray(np.einsum("nk,nk...->n...", self.weights, old[self.columns]))


@dataclass(frozen=True)
class SparseMatrix:
    """A square matrix by rows, none of which is empty."""

    starts: NDArray[np.int64]
    """(n + 1,) where the entries of each row begin."""
    columns: NDArray[np.int32]
    values: Floats

    @classmethod
    def of(cls, rows: IntArray, columns: IntArray, values: Floats, n: int) -> SparseMatrix:
        """From entries in any order; those of one place add up."""
        places, inverse = np.unique(rows.astype(np.int64) * n + columns, return_inverse=True)
        starts = np.searchsorted(places, np.arange(n + 1, dtype=np.int64) * n)
        sums = np.bincount(inverse.ravel(), weights=values, minlength=len(places)).astype(np.float64)
        return cls(starts, (places % n).astype(np.int32), sums)

    @property
    def rows(self) -> NDArray[np.int64]:
        """(entries,) the row of each."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def __matmul__(self, dense: Floats) -> Floats:
        """(n, k) -> (n, k)"""
        return np.asarray(np.add.reduceat(self.values[:, None] * dense[self.columns], self.starts[:-1]))

    def squared(self, weights: Floats) -> SparseMatrix:
        """self.T @ diag(weights) @ self: every pair of entries of a row meets."""
        rows, counts = self.rows, np.diff(self.starts)
        partners = counts[rows]
        first = np.repeat(np.arange(len(rows)), partners)
        nth = np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
        second = self.starts[rows[first]] + nth
        products = self.values[first] * self.values[second] * weights[rows[first]]
        return SparseMatrix.of(self.columns[first], self.columns[second], products, len(counts))

    def among(self, chosen: IntArray) -> SparseMatrix:
        """Only these rows and columns, numbered anew."""
        number = np.full(len(self.starts) - 1, -1)
        number[chosen] = np.arange(len(chosen))
        rows, columns = number[self.rows], number[self.columns]
        kept = (rows >= 0) & (columns >= 0)
        return SparseMatrix.of(rows[kept], columns[kept], self.values[kept], len(chosen))

    def diagonal(self) -> Floats:
        """(n,)"""
        on_it = self.columns == self.rows
        sums = np.bincount(self.columns[on_it], weights=self.values[on_it], minlength=len(self.starts) - 1)
        return sums.astype(np.float64)

    def plus_diagonal(self, values: Floats) -> SparseMatrix:
        """With ``values`` (n,) added on the diagonal."""
        n = len(self.starts) - 1
        at = np.arange(n)
        return SparseMatrix.of(
            np.concatenate([self.rows, at]), np.concatenate([self.columns, at]), np.concatenate([self.values, values]), n
        )
