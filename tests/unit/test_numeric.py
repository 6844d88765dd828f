"""The rig builder's numerics against SciPy's, which they stand for."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import interpolate, optimize, spatial
from scipy import ndimage as scipy_ndimage

from tests.examples import examples
from vivant.numeric import _numeric, ndimage
from vivant.numeric.nonnegative import nonnegative_minimum
from vivant.numeric.scattered import interpolated
from vivant.numeric.sparse import Interpolation, SparseMatrix

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
MODES: tuple[ndimage.Mode, ...] = ("reflect", "nearest")
SEEDS = st.integers(0, 2**32 - 1)


def picture(chance: np.random.Generator, dtype: type[np.floating] = np.float32) -> NDArray[np.floating]:
    height, width = chance.integers(1, 40, 2)
    return chance.uniform(0, 255, (height, width, 3)).astype(dtype)


def blot(chance: np.random.Generator) -> NDArray[np.bool_]:
    """Regions with holes."""
    height, width = chance.integers(2, 40, 2)
    return np.asarray(scipy_ndimage.gaussian_filter(chance.normal(size=(height, width)), 1.5) > 0)


@pytest.mark.full
def test_neither_runtime_nor_bridge_imports_scipy() -> None:
    paths = [path for folder in ("runtime", "bridge") for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 100
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "scipy" for name in names), path


@examples(25)
@given(seed=SEEDS)
def test_blurs_are_scipys_to_the_bit(seed: int) -> None:
    """Also where the reach is longer than the line."""
    chance = np.random.default_rng(seed)
    for dtype in (np.float32, np.float64):
        image, sigma = picture(chance, dtype), float(chance.uniform(0.2, 12))
        for mode in MODES:
            ours = ndimage.gaussian_filter(image, (sigma, 0.5 * sigma, 0), mode)
            np.testing.assert_array_equal(ours, scipy_ndimage.gaussian_filter(image, (sigma, 0.5 * sigma, 0), mode=mode))
        flat = image[..., 0].astype(np.float64)
        np.testing.assert_allclose(
            ndimage.gaussian_gradient_magnitude(flat, sigma), scipy_ndimage.gaussian_gradient_magnitude(flat, sigma), atol=1e-10
        )
        np.testing.assert_allclose(
            ndimage.uniform_filter(flat, (3, 5), "nearest"),
            scipy_ndimage.uniform_filter(flat, (3, 5), mode="nearest"),
            rtol=1e-12,
        )


@examples(25)
@given(seed=SEEDS)
def test_extremes_are_scipys(seed: int) -> None:
    chance = np.random.default_rng(seed)
    image, size = picture(chance), int(chance.integers(1, 14))
    flat = image[..., 0]
    for mode in MODES:
        np.testing.assert_array_equal(
            ndimage.maximum_filter(flat, size, mode),
            scipy_ndimage.maximum_filter(flat, size, mode=mode),
        )
        np.testing.assert_array_equal(
            ndimage.grey_closing(flat, (size, size), mode),
            scipy_ndimage.grey_closing(flat, (size, size), mode=mode),
        )
    np.testing.assert_array_equal(ndimage.maximum_filter1d(flat, 3, 1), scipy_ndimage.maximum_filter1d(flat, 3, axis=1))
    bytes_ = image.astype(np.uint8)
    np.testing.assert_array_equal(
        ndimage.grey_closing(bytes_, (1, size, 1)), scipy_ndimage.grey_closing(bytes_, size=(1, size, 1))
    )
    line = flat.ravel()
    np.testing.assert_array_equal(
        ndimage.median_filter(line, 41, "nearest"), scipy_ndimage.median_filter(line, size=41, mode="nearest")
    )


@examples(25)
@given(seed=SEEDS)
def test_regions_are_scipys(seed: int) -> None:
    chance = np.random.default_rng(seed)
    mask, steps = blot(chance), int(chance.integers(1, 4))
    labels, count = ndimage.label(mask)
    expected, expected_count = scipy_ndimage.label(mask)
    assert count == expected_count
    np.testing.assert_array_equal(labels, expected)
    values = chance.uniform(size=mask.shape)
    np.testing.assert_allclose(
        ndimage.sum_labels(values, labels, range(1, count + 1)), scipy_ndimage.sum_labels(values, expected, range(1, count + 1))
    )
    np.testing.assert_array_equal(ndimage.label(mask[0])[0], scipy_ndimage.label(mask[0])[0])
    np.testing.assert_array_equal(ndimage.binary_fill_holes(mask), scipy_ndimage.binary_fill_holes(mask))
    for name in ("binary_dilation", "binary_erosion", "binary_opening", "binary_closing"):
        np.testing.assert_array_equal(getattr(ndimage, name)(mask, steps), getattr(scipy_ndimage, name)(mask, iterations=steps))
    mask[0, 0] = False
    np.testing.assert_array_equal(ndimage.distance_transform_edt(mask), scipy_ndimage.distance_transform_edt(mask))


def test_without_an_outside_distances_are_finite() -> None:
    assert (ndimage.distance_transform_edt(np.ones((3, 4), bool)) == 7).all()


@examples(25)
@given(seed=SEEDS)
def test_places_between_pixels_are_scipys(seed: int) -> None:
    chance = np.random.default_rng(seed)
    image = picture(chance)[..., 0].astype(np.float32)
    at = [chance.uniform(-3, extent + 3, (5, 7)) for extent in image.shape]
    expected = scipy_ndimage.map_coordinates(image, at, order=1, mode="nearest")
    np.testing.assert_allclose(ndimage.map_coordinates(image, at), expected, rtol=1e-5, atol=1e-4)


@examples(25)
@given(seed=SEEDS)
def test_a_system_is_solved_in_whatever_order_it_comes(seed: int) -> None:
    """Two components, shuffled entries, several right-hand sides."""
    chance = np.random.default_rng(seed)
    n = int(chance.integers(2, 40))
    links = chance.integers(0, n, (3 * n, 2))
    links = links[(links[:, 0] < n // 2) == (links[:, 1] < n // 2)]
    values = chance.normal(size=len(links))
    dense = np.zeros((n, n))
    np.add.at(dense, (links[:, 0], links[:, 1]), values)
    rows, columns = np.vstack([links, np.tile(np.arange(n), (2, 1)).T]).T
    root = SparseMatrix.of(rows, columns, np.append(values, np.ones(n)), n)
    dense += np.eye(n)
    weights = chance.uniform(0.5, 2, n)
    normal = root.squared(weights).plus_diagonal(np.full(n, 0.1))
    expected = dense.T @ np.diag(weights) @ dense + 0.1 * np.eye(n)
    np.testing.assert_allclose(normal @ np.eye(n), expected, atol=1e-9)
    np.testing.assert_allclose(normal.diagonal(), expected.diagonal())
    chosen = chance.permutation(n)[: n // 2 + 1]
    np.testing.assert_allclose(normal.among(chosen) @ np.eye(len(chosen)), expected[np.ix_(chosen, chosen)], atol=1e-9)
    sides = chance.normal(size=(n, 3))
    solved = sides.copy()
    _numeric.Cholesky(normal.starts, normal.columns, normal.values).solve(solved)
    np.testing.assert_allclose(expected @ solved, sides, atol=1e-7)


def test_what_is_not_positive_is_refused() -> None:
    matrix = SparseMatrix.of(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]), np.array([1.0, 1.0, 2.0, 2.0]), 2)
    with pytest.raises(ValueError, match="not positive definite"):
        _numeric.Cholesky(matrix.starts, matrix.columns, matrix.values)
    with pytest.raises(ValueError, match="not positive definite"):
        _numeric.Cholesky(np.array([0, 1]), np.array([0], np.int32), np.array([np.inf]))
    with pytest.raises(ValueError, match="outside the matrix"):
        _numeric.Cholesky(np.array([0, 1]), np.array([7], np.int32), np.ones(1))
    with pytest.raises(ValueError, match="span all entries"):
        _numeric.Cholesky(np.array([0, 2]), np.array([0], np.int32), np.ones(1))


def triangles_of(points: NDArray[np.float64]) -> NDArray[np.int32]:
    out = np.empty((2 * len(points), 3), np.int32)
    return out[: _numeric.triangulate(np.ascontiguousarray(points, np.float64), out)]


def as_sets(triangles: NDArray[np.int32]) -> set[frozenset[int]]:
    return {frozenset(row) for row in triangles.tolist()}


@examples(25)
@given(seed=SEEDS)
def test_triangles_are_qhulls(seed: int) -> None:
    points = np.random.default_rng(seed).integers(0, 2**12, (60, 2)).astype(np.float64)
    points = np.unique(np.vstack([points, [(0, 0), (2**12, 2**12)]]), axis=0)
    ours, qhulls = as_sets(triangles_of(points)), as_sets(spatial.Delaunay(points).simplices)
    assert len(ours ^ qhulls) <= 4, "but for points on one circle, and slivers on the hull"


def test_a_lattice_is_covered_exactly_once() -> None:
    """Every square of it lies on one circle."""
    points = np.stack(np.meshgrid(np.arange(12.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    a, b, c = (points[triangles_of(points)][:, k].T for k in range(3))
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    np.testing.assert_array_equal(area, np.ones(2 * 11 * 8))


def test_points_that_fall_together_are_one_wherever_they_stand() -> None:
    corners = np.array([(0, 0), (4, 0), (4, 4), (0, 4), (1, 2)], np.float64)
    expected = {frozenset(map(tuple, corners[list(row)])) for row in as_sets(triangles_of(corners))}
    for doubled in range(len(corners)):
        points = np.concatenate([corners[doubled:], corners[:doubled]])
        twice = np.concatenate([points[:1], points[:1], points, points])
        found = {frozenset(map(tuple, twice[list(row)])) for row in as_sets(triangles_of(twice))}
        assert len(found) == len(expected)


@pytest.mark.parametrize(
    "points",
    [[(0, 0), (1, 1), (2, 2)], [(1, 1)] * 3, [(0, 0), (1, 0), (0, np.nan)], [(0, 0)], [(-1e308, 0), (1e308, 0), (0, 1)]],
)
def test_points_that_make_no_triangulation_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError):
        triangles_of(np.array(points, np.float64))


@examples(25)
@given(seed=SEEDS)
def test_bounded_least_squares_are_scipys(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(60, 25))
    target = rows @ np.maximum(chance.normal(size=25), 0) + chance.normal(size=60)
    expected, _ = optimize.nnls(rows, target)
    found = nonnegative_minimum(rows.T @ rows, rows.T @ target, 200)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_interpolation_takes_any_values() -> None:
    halves = Interpolation(np.array([[0, 0], [0, 2]]), np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert len(halves) == 2
    np.testing.assert_array_equal(halves @ np.array([2.0, 9.0, 4.0]), [2, 3])
    np.testing.assert_array_equal(halves @ np.array([[2.0], [9.0], [4.0]]), [[2], [3]])


@pytest.mark.full
@examples(10)
@given(seed=SEEDS)
def test_values_between_points_are_scipys(seed: int) -> None:
    """Beyond the points the nearest one's; two points at one place are one."""
    chance = np.random.default_rng(seed)
    points, values = chance.uniform(0, 100, (30, 2)), chance.normal(size=(30, 2))
    at = chance.uniform(-20, 120, (9, 8, 2))
    inside = interpolate.LinearNDInterpolator(points, values)(at)
    expected = np.where(np.isnan(inside), interpolate.NearestNDInterpolator(points, values)(at), inside)
    np.testing.assert_allclose(interpolated(points, values, at), expected, atol=0.02)
    twice = interpolated(np.concatenate([points, points[:5]]), np.concatenate([values, values[:5]]), at)
    np.testing.assert_allclose(twice, interpolated(points, values, at))
