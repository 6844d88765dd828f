"""Spans of calls for OpenTelemetry, where its package is there (extra ``telemetry``) and somebody has set up where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def _api() -> Any:  # noqa: ANN401
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace


_TRACE = _api()


@contextmanager
def span(name: str, figures: Callable[[], dict[str, str | int]]) -> Iterator[None]:
    """Around a call; what ``figures`` says at its end is written down with it: no speech, no pictures, nobody's name."""
    if _TRACE is None:
        yield
        return
    with _TRACE.get_tracer("vivant.server").start_as_current_span(name) as current:
        try:
            yield
        finally:
            current.set_attributes(figures())
