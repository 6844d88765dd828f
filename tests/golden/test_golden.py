"""Today's motion and pictures against stored ones; `tests.golden.regenerate` writes them after a change that was meant."""

from __future__ import annotations

import numpy as np
import pytest

from tests.golden.regenerate import PICTURES, motion, picture, stored_motion, stored_picture
from vivant.face import RigFace

pytestmark = pytest.mark.golden

ANEW = "if this change is meant: python -m tests.golden.regenerate"


def test_motion() -> None:
    now, then = motion(), stored_motion()
    assert now.shape == then.shape, ANEW
    degrees = np.r_[54:57, 60:62]
    np.testing.assert_allclose(now[:, degrees], then[:, degrees], atol=0.05, err_msg=ANEW)
    np.testing.assert_allclose(np.delete(now, degrees, axis=1), np.delete(then, degrees, axis=1), atol=0.005, err_msg=ANEW)


@pytest.mark.parametrize(("name", "most"), [(name, 1.0 if name == "ada" else 0.4) for name in PICTURES])
def test_picture(ada: RigFace, name: str, most: float) -> None:
    difference = np.abs(picture(ada, name).astype(int) - stored_picture(name))
    assert difference.mean() <= most, ANEW  # landmarks differ a little from processor to processor
