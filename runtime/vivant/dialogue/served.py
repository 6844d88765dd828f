"""Lines that a server draws and this process writes: the same results. Needs the extra ``server``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from vivant.address import Address
from vivant.bundled import is_bundled
from vivant.client import Client, RemoteConfig, RemoteSession, connect
from vivant.clock import MonotonicClock
from vivant.dialogue.lines import Line
from vivant.dialogue.recipe import Look, Recipe
from vivant.errors import ServerAwayError
from vivant.media import SoundBlock, open_audio, open_video
from vivant.media.formats import format_of
from vivant.motion_files import is_motion, write_motion
from vivant.named import portrait_file
from vivant.offline import seed_of_sound
from vivant.provenance.consent import Consent, bundled_consent, require_consent
from vivant.provenance.credentials import Claim
from vivant.provenance.disclosure import seed_of
from vivant.provenance.policy import Policy
from vivant.provenance.production import completion, sha256_of
from vivant.types import Float32Array, MotionFrame, Output, PixelFormat

Result = TypeVar("Result")
NOBODY = "ada"
"""Whose face moves where a line names none: motion alone shows nobody."""
PAUSES_S = (0.25, 0.5, 1.0, 2.0, *(4.0,) * 14)
"""Between tries to reach a server that is away or full, a minute in all; chosen."""


def make_served(line: Line, out: Path, recipe: Recipe, address: Address) -> float:
    """As `make_line`, on a server. Raises InputError, OutputError and UnavailableError, of which ServerAwayError once that was
    waited for."""
    make = _make_motion if is_motion(out) else _make_video
    return _connection(address).run(lambda client: make(client, line, out, recipe))


class _Connection:
    """To one server, from code that does not wait in a loop; one thread."""

    def __init__(self, address: Address) -> None:
        self._address, self._loop, self._clock = address, asyncio.new_event_loop(), MonotonicClock()
        self._client: Client | None = None
        self._in_vain = False
        """The last line waited for it, and it did not come."""

    def run(self, work: Callable[[Client], Coroutine[Any, Any, Result]]) -> Result:
        """Again and again while the server is away, by `PAUSES_S`; once where the line before waited in vain."""
        return self._loop.run_until_complete(self._patiently(work))

    async def _patiently(self, work: Callable[[Client], Coroutine[Any, Any, Result]]) -> Result:
        for pause_s in () if self._in_vain else PAUSES_S:
            with suppress(ServerAwayError):
                return await self._tried(work)
            await self._clock.sleep_until(self._clock.now_us() + round(pause_s * 1e6))
        self._in_vain = True
        try:
            return await self._tried(work)
        except ServerAwayError as error:
            waited = f"waited for it for {sum(PAUSES_S):.0f} s; run the command again for what is missing"
            raise ServerAwayError(f"{error}; {waited}") from error

    async def _tried(self, work: Callable[[Client], Coroutine[Any, Any, Result]]) -> Result:
        """Who was lost is forgotten: the next server knows nothing of this client."""
        address = self._address
        if self._client is None:
            self._client = connect(address.host_and_port, token=address.token(), ca=address.certificate())
        try:
            result = await work(self._client)
        except ServerAwayError:
            await self._client.__aexit__(None, None, None)
            self._client = None
            raise
        self._in_vain = False
        return result


@cache
def _connection(address: Address) -> _Connection:
    """One in a process, so that a portrait is sent once."""
    return _Connection(address)


@dataclass(frozen=True, slots=True, eq=False)
class _Voice:
    """A line's sound, read whole: for ears and for the server."""

    blocks: list[SoundBlock]
    samples: Float32Array
    rate_hz: int
    n_channels: int

    @classmethod
    def of(cls, line: Line, recipe: Recipe) -> _Voice:
        with open_audio(line.sound, recipe.track) as sound:
            blocks = list(sound.blocks())
            samples = np.concatenate([block.voice.samples for block in blocks] or [np.zeros(0, np.float32)])
            return cls(blocks, samples, sound.sample_rate_hz, sound.n_channels)


async def _make_motion(client: Client, line: Line, out: Path, recipe: Recipe) -> float:
    fps, voice = recipe.fps_of(out), _Voice.of(line, recipe)
    seed = line.seed
    if seed is None:
        seed = seed_of_sound(line.sound) if line.portrait is None else _seed(line)
    config = RemoteConfig(fps=fps, sample_rate_hz=voice.rate_hz, seed=seed, paced=False, pictures=False)
    portrait, consent = _shown(line, recipe.look) if line.portrait is not None else (NOBODY, None)
    async with client.animate(portrait, config, consent, controls=line.controls) as session:
        frames: list[MotionFrame] = [output.motion async for output in _spoken(session, line, recipe, voice)]
    write_motion(out, frames, fps)
    return float(len(frames) / fps)


async def _make_video(client: Client, line: Line, out: Path, recipe: Recipe) -> float:
    look, fps, voice = recipe.look, recipe.fps_of(out), _Voice.of(line, recipe)
    portrait, consent = _shown(line, look)
    size, cut_out = look.size_of(out), look.cut_out
    seed = line.seed if line.seed is not None else _seed(line)
    config = RemoteConfig(
        fps=fps,
        size_px=size,
        sample_rate_hz=voice.rate_hz,
        seed=seed,
        paced=False,
        motion=False,
        pixel_format=PixelFormat.RGBA if cut_out else PixelFormat.RGB,
        transparent=cut_out,
        label_off_reason=look.label_off_reason,
    )
    async with client.animate(portrait, config, consent, controls=line.controls) as session:
        claim = await _claim(client, session, line, consent, look)
        with open_video(
            out,
            width=size.width,
            height=size.height,
            fps=fps,
            sample_rate_hz=voice.rate_hz if format_of(out).has_sound else None,
            alpha=cut_out,
            n_channels=voice.n_channels,
            complete=completion(out, claim, Policy.load()),
        ) as video:
            sounds = iter(voice.blocks if format_of(out).has_sound else [])
            async for output in _spoken(session, line, recipe, voice):
                for block in sounds:
                    video.write_audio(block.sound)
                    if block.sound.start_sample * 1_000_000 > output.pts_us * voice.rate_hz:
                        break
                if output.picture is not None:
                    video.write(output.picture)
            for block in sounds:
                video.write_audio(block.sound)
    return len(voice.samples) / voice.rate_hz


async def _spoken(session: RemoteSession, line: Line, recipe: Recipe, voice: _Voice) -> AsyncIterator[Output]:
    """What the face does while it says the line, and nothing after it."""
    speaking = asyncio.create_task(_speak(session, line, recipe, voice))
    try:
        async for item in session:
            if isinstance(item, Output):
                yield item
        await speaking
    finally:
        speaking.cancel()


async def _speak(session: RemoteSession, line: Line, recipe: Recipe, voice: _Voice) -> None:
    await session.begin("", line.text, recipe.text_language)
    await session.push(voice.samples)
    await session.finish()


def _shown(line: Line, look: Look) -> tuple[str | Path, Consent]:
    """The portrait, and who it shows, once the policy of this machine allows it."""
    assert line.portrait is not None
    sha256 = _portrait_sha256(line)
    Policy.load().allow_portrait(sha256, line.portrait.name)
    shown = str(line.portrait) if is_bundled(line.portrait) else line.portrait
    return shown, bundled_consent(sha256) or require_consent(sha256, line.portrait.name, look.consent)


def _portrait_sha256(line: Line) -> str:
    assert line.portrait is not None
    with portrait_file(line.portrait) as file:
        return sha256_of(file, "portrait")


def _seed(line: Line) -> int:
    """That of the same line made here."""
    return seed_of(_portrait_sha256(line), sha256_of(line.sound, "sound"))


async def _claim(client: Client, session: RemoteSession, line: Line, consent: Consent, look: Look) -> Claim:
    """For the credentials: the server drew and marked the pictures."""
    assert line.portrait is not None
    models = (f"vivant server {(await client.capabilities()).version}",)
    session_id = int(session.started.session_id, 16)
    portrait, sound = _portrait_sha256(line), sha256_of(line.sound, "sound")
    with portrait_file(line.portrait) as file:
        return Claim(portrait, sound, consent, session_id, models, file, line.sound, look.label_off_reason, voice=line.card)
