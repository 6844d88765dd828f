"""How much is tried: a few examples of each kind while one works, all of them with ``--full``, as CI does. Each is held to
the same assertions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

FULL, QUICK = 100, 20
"""Of a hundred examples, those that are drawn; chosen."""
FEWEST = 5

# A gate must say the same of the same commit; quick runs draw new examples each time, and so find what no one thought of.
settings.register_profile("full", max_examples=FULL, derandomize=True)
settings.register_profile("quick", max_examples=QUICK)


def examples(n: int, *allowed: HealthCheck) -> settings:
    """For `hypothesis.given`: ``n`` examples, in a quick run a fifth of them; ``allowed`` health checks may fail."""
    assert settings.default is not None
    drawn = max(min(n, FEWEST), n * settings.default.max_examples // FULL)
    return settings(max_examples=drawn, deadline=None, suppress_health_check=allowed)


def some(values: Iterable[Any], quick: int = 1) -> list[Any]:
    """For `pytest.mark.parametrize` of one name: the first ``quick`` values are tried always, the others with ``--full``."""
    return [value if i < quick else pytest.param(value, marks=pytest.mark.full) for i, value in enumerate(values)]
