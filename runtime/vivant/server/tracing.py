"""Spans of calls for OpenTelemetry, where its package is there (extra ``telemetry``) and somebody has set up where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

_IS_THERE = find_spec("opentelemetry") is not None


@contextmanager
def span(name: str, figures: Callable[[], dict[str, str | int]]) -> Iterator[None]:
    """Around a call; what ``figures`` says at its end is written down with it: no speech, no pictures, nobody's name."""
    if not _IS_THERE:
        yield
        return
    from opentelemetry import trace

    with trace.get_tracer("vivant.server").start_as_current_span(name) as current:
        try:
            yield
        finally:
            current.set_attributes(figures())
