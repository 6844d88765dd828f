"""Sound, and what verbs are given: one meaning at every entrance, here and on a server, or one InputError there and then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.odd_values import (
    NO_CONTROLS,
    NO_FACES,
    NO_NAMES,
    RATE_HZ,
    REFUSED,
    SAME,
    WAVE,
    refused,
)
from tests.session.server_kit import run_served
from vivant.client import Client, RemoteConfig, RemoteSession
from vivant.errors import InputError
from vivant.server.server import Server
from vivant.session.config import SessionConfig
from vivant.session.session import Session
from vivant.session.stream import FaceStream
from vivant.talker import Talker
from vivant.testing import PlainFace
from vivant.types import Float32Array, Item, Output

pytestmark = [pytest.mark.session, pytest.mark.filterwarnings("ignore:vivant.Talker:DeprecationWarning")]

FPS, SEED, SIZE_PX = 25, 3, 64
WAIT_S = 60.0
HOW = {"fps": FPS, "seed": SEED, "pictures": False, "paced": False, "sample_rate_hz": RATE_HZ}


def motion_in(items: list[Item]) -> Float32Array:
    """(frames, 52)"""
    return np.array([item.motion.weights for item in items if isinstance(item, Output)])


# Sound: every entrance gives the motion of what it was handed, one piece after the other.


def by_stream(pieces: list[Any], *, ends: bool = True) -> Float32Array:
    with FaceStream(PlainFace(), fps=FPS, seed=SEED, sample_rate_hz=RATE_HZ, pictures=False) as stream:
        items = [item for piece in pieces for item in pushed(stream, piece)]
        return motion_in([*items, *stream.finish()] if ends else items)


def pushed(stream: FaceStream, piece: Any) -> list[Item]:  # noqa: ANN401
    try:
        return list(stream.push(piece))
    except InputError as error:
        refused(error)
        return []


def by_talker(pieces: list[Any]) -> Float32Array:
    frames = []
    with Talker(PlainFace(), fps=FPS, seed=SEED) as talker:
        for piece in pieces:
            try:
                frames += talker.push_for_motion(piece, RATE_HZ)
            except InputError as error:
                refused(error)
    return np.array([frame.weights for frame in frames])


async def speak(session: Session | RemoteSession, pieces: list[Any]) -> Float32Array:
    for piece in pieces:
        try:
            await session.push(piece)
        except InputError as error:
            refused(error)
    await session.finish()
    return motion_in([item async for item in session])  # type: ignore[misc]


async def by_session(pieces: list[Any]) -> Float32Array:
    async with Session(PlainFace(), SessionConfig(**HOW)) as session:  # type: ignore[arg-type]
        return await speak(session, pieces)


async def by_server(client: Client, pieces: list[Any]) -> Float32Array:
    async with client.animate("ada", RemoteConfig(**HOW)) as session:  # type: ignore[arg-type]
        return await speak(session, pieces)


async def whole_by_server(client: Client, samples: Any) -> Float32Array:  # noqa: ANN401
    config = RemoteConfig(**HOW)  # type: ignore[arg-type]
    return motion_in([item async for item in client.synthesize("ada", samples, config)])


PLAIN = by_stream([WAVE])
TALKED = PLAIN[: len(by_stream([WAVE], ends=False))]
"""The old entrance is not told that the sound is over."""


@pytest.mark.parametrize("name", list(SAME))
def test_one_sound_moves_one_face_on_this_machine(name: str) -> None:
    assert len(PLAIN) > 12 and np.ptp(PLAIN) > 0.1
    assert np.array_equal(by_stream([SAME[name]]), PLAIN)
    assert np.array_equal(by_talker([SAME[name]]), TALKED)
    assert np.array_equal(asyncio.run(by_session([SAME[name]])), PLAIN)


def test_one_sound_moves_one_face_on_a_server() -> None:
    async def story(server: Server, client: Client) -> None:
        whole = await whole_by_server(client, WAVE)
        for samples in SAME.values():
            assert np.array_equal(await by_server(client, [samples]), PLAIN)
            assert np.array_equal(await whole_by_server(client, samples), whole)

    run_served(story, wait_s=WAIT_S)


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_sound_is_refused_and_forgotten_on_this_machine(name: str) -> None:
    """The stream speaks on as if nothing had been handed in."""
    samples, sentence = REFUSED[name]
    with FaceStream(PlainFace(), sample_rate_hz=RATE_HZ, pictures=False) as stream, pytest.raises(InputError, match=sentence):
        stream.push(samples)
    half = len(WAVE) // 2
    pieces = [samples, WAVE[:half], samples, WAVE[half:], samples]
    assert np.array_equal(by_stream(pieces), PLAIN)
    assert np.array_equal(by_talker(pieces), TALKED)
    assert np.array_equal(asyncio.run(by_session(pieces)), PLAIN)


def test_what_is_no_sound_is_refused_and_forgotten_on_a_server() -> None:
    async def story(server: Server, client: Client) -> None:
        half = len(WAVE) // 2
        for samples, sentence in REFUSED.values():
            with pytest.raises(InputError, match=sentence) as caught:
                await whole_by_server(client, samples)
            refused(caught.value)
            assert np.array_equal(await by_server(client, [samples, WAVE[:half], samples, WAVE[half:], samples]), PLAIN)

    run_served(story, wait_s=WAIT_S)


def test_no_sound_at_all_begins_no_utterance_anywhere() -> None:
    nothing = np.zeros(0, np.float32)

    async def story(server: Server, client: Client) -> None:
        assert len(await by_server(client, [nothing])) == len(by_stream([nothing])) == 0
        assert np.array_equal(await by_server(client, [nothing, WAVE]), PLAIN)

    with FaceStream(PlainFace(), pictures=False) as stream:
        assert list(stream.push(nothing)) == [] and not stream.is_speaking
    assert np.array_equal(by_stream([nothing, WAVE]), PLAIN)
    run_served(story, wait_s=WAIT_S)


# Verbs: what is refused leaves the session as it was.


def test_verbs_of_a_stream() -> None:
    with FaceStream(PlainFace(), fps=FPS, seed=SEED, sample_rate_hz=RATE_HZ, pictures=False) as stream:
        verbs: list[tuple[Callable[[Any], object], list[Any]]] = [
            (stream.set_controls, NO_CONTROLS),
            (stream.set_face, NO_FACES),
            (lambda name: stream.set_face(PlainFace(), name), NO_NAMES),
            (stream.begin, NO_NAMES),
            (stream.interrupt, ["1", -1, 0.5, True, 2**64, float("nan")]),
            (lambda at: stream.push(WAVE, at), [None, "0", 0.5, float("nan"), True]),
        ]
        for verb, odd in verbs:
            for value in odd:
                with pytest.raises(InputError) as caught:
                    verb(value)
                refused(caught.value)
        assert np.array_equal(motion_in([*stream.push(WAVE), *stream.finish()]), PLAIN)


async def refuse_all(verbs: list[tuple[Callable[[Any], Awaitable[object]], list[Any]]]) -> None:
    for verb, odd in verbs:
        for value in odd:
            with pytest.raises(InputError) as caught:
                await verb(value)
            refused(caught.value)


def test_verbs_of_a_session() -> None:
    async def story() -> None:
        async with Session(PlainFace(), SessionConfig(**HOW)) as session:  # type: ignore[arg-type]
            await refuse_all(
                [
                    (session.set_controls, NO_CONTROLS),
                    (session.set_face, NO_FACES),
                    (session.begin, NO_NAMES),
                    (session.interrupt, ["1", -1, 0.5]),
                ]
            )
            assert np.array_equal(await speak(session, [WAVE]), PLAIN)

    asyncio.run(story())


def test_verbs_of_a_remote_session() -> None:
    async def story(server: Server, client: Client) -> None:
        async with client.animate("ada", RemoteConfig(**HOW)) as session:  # type: ignore[arg-type]
            await refuse_all(
                [
                    (session.set_controls, NO_CONTROLS),
                    (session.set_portrait, [None, 7, "x" * 200_000, Path("nowhere.png"), np.zeros((2, 80, 80))]),
                    (session.begin, NO_NAMES),
                    (session.set_priority, [None, "50", -1, 101, 0.5, True]),
                    (lambda metres: session.set_priority(50, metres), [None, "1", -1, 10_001, float("nan")]),
                ]
            )
            assert np.array_equal(await speak(session, [WAVE]), PLAIN)

    run_served(story, wait_s=WAIT_S)
