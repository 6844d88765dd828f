"""What was asked for is found again in the pixels."""

from __future__ import annotations

import pytest

from benchmarks.round_trip import LEAST_CORRELATION, SLOPES, Trip, round_trips
from tests.conftest import FaceOf
from vivant.portrait import PortraitAnalyser

pytestmark = pytest.mark.session


@pytest.fixture(scope="module", params=["ada", "ada_painting"])
def trips(request: pytest.FixtureRequest, face_of: FaceOf, analyser: PortraitAnalyser) -> dict[str, Trip]:
    return {trip.name: trip for trip in round_trips(face_of(request.param), analyser)}


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll", "mouth opening", "eye opening", "visible eye", "gaze"])
def test_motion_is_found_again(trips: dict[str, Trip], name: str) -> None:
    trip = trips[name]
    assert SLOPES[0] <= trip.slope <= SLOPES[1], str(trip)
    assert trip.correlation >= LEAST_CORRELATION, str(trip)
