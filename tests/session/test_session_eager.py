"""A clip that is there when its line begins need not wait for the look-ahead, and time finds back afterwards."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.conftest import VOICE_RATE_HZ
from tests.session.live import Heard, at, live
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.session.session import Session, SessionConfig
from vivant.testing import Inline, LoopClock, PlainFace
from vivant.types import Float32Array, Output, UtteranceStart

pytestmark = pytest.mark.session

FPS = 25
BEGIN_MS, END_MS = 1000, 6000


def spoken(voice: Float32Array, *, eager: bool) -> tuple[Heard, Session]:
    def session() -> Session:
        config = SessionConfig(fps=Fraction(FPS), sample_rate_hz=VOICE_RATE_HZ, size_px=64, eager=eager)
        return Session(PlainFace(), config, clock=LoopClock(), executor=Inline())

    async def actions(session: Session) -> None:
        await at(BEGIN_MS, lambda: session.push(voice))
        await session.end()
        await at(END_MS, session.finish)

    return live(actions, session)


def delays_ms(heard: Heard) -> list[float]:
    """Of every frame after the first: when it came, against its own time."""
    pairs = zip(heard.items, heard.times_us, strict=True)
    return [(time_us - item.pts_us) / 1000 for item, time_us in pairs if isinstance(item, Output)]


def first_frame_ms(heard: Heard) -> float:
    first = heard.after(next(marker for marker in heard.markers if isinstance(marker, UtteranceStart)))[0]
    return heard.times_us[heard.items.index(first)] / 1000


def test_the_first_frame_comes_sooner_and_time_falls_back_in_the_silence(voice: Float32Array) -> None:
    line = voice[:VOICE_RATE_HZ]
    (usual, _), (eager, session) = spoken(line, eager=False), spoken(line, eager=True)
    gained_ms = first_frame_ms(usual) - first_frame_ms(eager)
    assert 60 <= gained_ms <= ArticulatoryMotion.look_ahead_ms
    assert session.stats.late <= 4  # idle frames of the time that was skipped
    delays = delays_ms(eager)
    assert min(delays) < delays[0] - 90  # ahead while the line is spoken
    assert abs(delays[-1] - delays[0]) < 1  # and back at the end
    assert all(later.pts_us > one.pts_us for one, later in zip(eager.frames, eager.frames[1:], strict=False))


def test_a_line_that_comes_live_waits_as_ever(voice: Float32Array) -> None:
    short = voice[: VOICE_RATE_HZ * 3 // 10]
    (usual, _), (eager, _) = spoken(short, eager=False), spoken(short, eager=True)
    assert usual.times_us == eager.times_us
