"""Triangles, contours and the spreading of handles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from tests.examples import examples
from vivant.rig import canonical as c
from vivant.rig.mesh import (
    Spreader,
    distance_to_polygon,
    inside,
    mark_open,
    neighbours,
    refine,
    strip_triangles,
    triangulate_around,
)
from vivant.rig.scene_builder import HIDDEN_EDGE, OPEN_EDGE

pytestmark = pytest.mark.unit

FloatArray = NDArray[np.float64]
CIRCLE = np.column_stack([np.cos(a := np.linspace(0, 2 * np.pi, 24, endpoint=False)), np.sin(a)])


def scattered(seed: int, count: int = 80) -> tuple[FloatArray, c.Int32Array]:
    """A square of random triangles, (n, 3) flat points."""
    points = np.concatenate([[(0, 0), (0, 10), (10, 10), (10, 0)], np.random.default_rng(seed).uniform(0.5, 9.5, (count, 2))])
    return np.column_stack([points, np.zeros(len(points))]), Delaunay(points).simplices.astype(np.int32)


def area(points: FloatArray, triangles: c.Int32Array) -> float:
    p, q, r = (points[triangles[:, i], :2] for i in range(3))
    double = (q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0]
    return float(np.abs(double).sum() / 2)


def test_refine_splits_in_four_and_covers_the_same() -> None:
    points, triangles = scattered(1)
    fine = refine(len(points), triangles, [])
    assert len(fine.triangles) == 4 * len(triangles)
    new = fine.matrix @ points
    np.testing.assert_array_equal(new[: len(points)], points)
    assert area(new, fine.triangles) == pytest.approx(area(points, triangles))
    assert int(fine.triangles.max()) == len(new) - 1


def test_refined_contours_stay_contours_and_round() -> None:
    points = np.concatenate([CIRCLE, [(0, 0)]])
    k = np.arange(24)
    wheel = np.column_stack([k, (k + 1) % 24, np.full(24, 24)]).astype(np.int32)
    loop = tuple(range(24))
    fine = refine(25, wheel, [(loop, True)])
    again = fine.refine_loop(loop, closed=True)
    assert again[::2] == loop and len(set(again)) == 48
    np.testing.assert_allclose(np.hypot(*(fine.matrix @ points)[list(again)].T), 1.0, atol=1e-3)  # a chord's middle: 0.9914
    edges = {frozenset(edge) for t in fine.triangles.tolist() for edge in zip(t, t[1:] + t[:1], strict=True)}
    assert all(frozenset(pair) in edges for pair in zip(again, again[1:] + again[:1], strict=True))


def test_an_open_contour_keeps_its_ends() -> None:
    face = c.canonical_face()
    fine = refine(c.N_SURFACE, face.triangles, [(c.UPPER_INNER_LIP, False), (c.LOWER_INNER_LIP, False)])
    for loop in (c.UPPER_INNER_LIP, c.LOWER_INNER_LIP):
        again = fine.refine_loop(loop, closed=False)
        assert again[::2] == loop and len(again) == 2 * len(loop) - 1


def test_neighbours_are_mutual() -> None:
    across = neighbours(c.canonical_face().triangles)
    for triangle, row in enumerate(across):
        for other in row[row >= 0]:
            assert triangle in across[other]
    rims = (across == HIDDEN_EDGE).sum()
    assert rims == len(c.OVAL) + 2 * 16 + 20  # the face's outline, two eyes and the mouth


def test_only_the_given_holes_are_marked_open() -> None:
    triangles = c.canonical_face().triangles
    mouth = c.UPPER_INNER_LIP + c.LOWER_INNER_LIP[1:-1]
    across = neighbours(triangles)
    marked = mark_open(triangles, across, [mouth], OPEN_EDGE)
    assert (marked == OPEN_EDGE).sum() == 20
    assert (across[marked == OPEN_EDGE] == HIDDEN_EDGE).all()


@examples(30)
@given(seed=st.integers(0, 2**32 - 1))
def test_triangulate_around_covers_what_lies_around(seed: int) -> None:
    chance = np.random.default_rng(seed)
    inner = CIRCLE * chance.uniform(0.8, 1.2)
    outer = np.concatenate([[(-4, -4), (-4, 4), (4, 4), (4, -4)], chance.uniform(-4, 4, (60, 2))])
    outer = outer[~inside(outer, inner) & (distance_to_polygon(outer, inner) > 0.2)]
    triangles = triangulate_around(inner, outer)
    points = np.concatenate([inner, outer])
    polygon = area(inner, np.column_stack([np.zeros(22, int), np.arange(1, 23), np.arange(2, 24)]).astype(np.int32))
    assert area(points, triangles) == pytest.approx(64 - polygon, abs=0.02)  # slivers may be left out
    p, q, r = (points[triangles[:, i]] for i in range(3))
    u, v = (q - p).T, (r - p).T
    assert (u[0] * v[1] < u[1] * v[0]).all()  # counter-clockwise when y is up


def test_a_strip_joins_two_rows() -> None:
    rows = np.array([(x, y) for y in (0.0, 1.0) for x in range(5)])
    triangles = strip_triangles(0, 5, 5)
    assert area(rows, triangles) == pytest.approx(4)


def test_inside_and_distance() -> None:
    points = np.array([(0, 0), (0.9, 0), (1.1, 0), (3, 0)])
    assert inside(points, CIRCLE).tolist() == [True, True, False, False]
    np.testing.assert_allclose(distance_to_polygon(points, CIRCLE), [0.99, 0.1, 0.1, 2], atol=0.02)


@examples(20)
@given(seed=st.integers(0, 2**32 - 1))
def test_spreading_keeps_handles_exactly_and_straight_fields_straight(seed: int) -> None:
    chance = np.random.default_rng(seed)
    points, triangles = scattered(seed)
    rim = np.unique(np.concatenate([np.arange(4), Delaunay(points[:, :2]).convex_hull.ravel(), chance.choice(len(points), 40)]))
    values = chance.normal(size=(len(rim), 3))
    spreader = Spreader(points, triangles, rim)
    np.testing.assert_array_equal(spreader.spread(values)[rim], values)
    constant = spreader.spread(np.ones((len(rim), 1)))
    np.testing.assert_allclose(constant, 1.0, atol=1e-4)


def test_spreading_reproduces_a_linear_field() -> None:
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(9), np.arange(9)))
    x, y = column + row / 2, row * np.sqrt(0.75)  # equilateral: no weight is clipped
    corner = np.flatnonzero((column < 8) & (row < 8))
    triangles = np.concatenate([corner[:, None] + (0, 1, 9), corner[:, None] + (1, 10, 9)]).astype(np.int32)
    near_rim = np.flatnonzero((np.minimum(column, row) < 2) | (np.maximum(column, row) > 6))
    field = np.column_stack([2 * x - y + 3, 0.5 * y])
    spreader = Spreader(np.column_stack([x, y, 0 * x]), triangles, near_rim)
    np.testing.assert_allclose(spreader.spread(field[near_rim]), field, atol=1e-4)


def test_spreading_stops_at_a_cut() -> None:
    """Two squares that touch nowhere in the mesh: what moves one leaves the other."""
    points, triangles = scattered(3)
    both = np.concatenate([points, points + np.array((11, 0, 0))])
    spread = Spreader(
        both, np.concatenate([triangles, triangles + len(points)]), np.array([0, 1, 2, 3, *range(len(points), len(points) + 4)])
    )
    values = np.repeat([[1.0], [0.0]], 4, axis=0)
    moved = spread.spread(values)[:, 0]
    np.testing.assert_allclose(moved[: len(points)], 1, atol=1e-3)
    np.testing.assert_allclose(moved[len(points) :], 0, atol=1e-3)
