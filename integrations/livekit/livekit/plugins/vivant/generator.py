"""Video generator: a Vivant session in the shape that LiveKit's `AvatarRunner` forwards to a room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator
from livekit.plugins.vivant.log import logger

import vivant
from vivant.samples import pcm_s16le

AUDIO_LEAD_MS = 60
"""Of the voice before its pictures: what the room's audio source keeps (100 ms fit), so that a late wake-up is not heard."""
SILENT_SEGMENT_MS = 10
"""Of a segment that brought no sound: it must end too, or the agent waits for it for ever."""

Item = rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd


def as_mono(frame: rtc.AudioFrame) -> np.ndarray:
    """(n,) int16: of several channels the mean."""
    samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)
    return samples[:, 0] if frame.num_channels == 1 else samples.mean(axis=1).astype(np.int16)


class FaceVideoGenerator(VideoGenerator):
    """Video generator: voice in at its own rate; pictures, the same voice and the ends of segments out, in time.

    While nobody speaks only pictures come: the runner counts every sound it is given as spoken. The voice waits until the first
    picture is taken on: before that nobody listens. When the face fails, the voice goes on without it. One event loop.
    """

    def __init__(
        self,
        face: vivant.Face,
        *,
        sample_rate_hz: int,
        fps: int = 25,
        size_px: int = 512,
        seed: int | None = None,
        controls: vivant.Controls | None = None,
        clock: vivant.Clock | None = None,
        executor: Executor | None = None,
    ) -> None:
        """``clock`` and ``executor`` as for `vivant.Session`.

        Raises vivant.InputError for a rate or size that cannot be, and where nobody has said whom the portrait shows.
        """
        config = vivant.SessionConfig(
            fps=fps,
            size_px=size_px,
            sample_rate_hz=sample_rate_hz,
            seed=seed,
            eager=True,
            audio=True,
            audio_lead_ms=AUDIO_LEAD_MS,
        )
        presenter = vivant.Presenter(face, size_px=size_px, pixel_format=vivant.PixelFormat.I420)  # as encoders want it
        self.size_px = presenter.size
        self.session = vivant.Session(face, config, controls=controls, presenter=presenter, clock=clock, executor=executor)
        self.flush: Callable[[], Awaitable[None] | None] = lambda: None
        """Called after an interruption: empties what the caller keeps of the old line."""
        self._rate_hz = sample_rate_hz
        self._early: list[rtc.AudioFrame | AudioSegmentEnd] | None = []
        """What was pushed while nobody listened; None since somebody does."""
        self._has_sound = False
        """The segment that is being pushed has brought some."""
        self._n_ends_due = 0
        """Segments that are complete and not spoken to their end."""
        self._voice_alone: asyncio.Queue[Item] = asyncio.Queue()
        """Takes the session's place when it has failed, also while its last pictures are still to be taken."""

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Take all that a voice brings, however much faster than it is spoken: an interruption must be heard at once."""
        if self._early is not None:
            self._early.append(frame)
        else:
            await self._hear(frame)

    async def _hear(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        if self.session.playout.closed:
            self._voice_alone.put_nowait(frame)
        elif isinstance(frame, AudioSegmentEnd):
            await self._end_segment()
        else:
            self._push(frame)

    def _push(self, frame: rtc.AudioFrame) -> None:
        if len(mono := as_mono(frame)):
            self.session.push_nowait(mono)
            self._has_sound = True

    async def _hear_early(self) -> None:
        early, self._early = self._early or [], None
        for frame in early:
            await self._hear(frame)

    async def _end_segment(self) -> None:
        if not self._has_sound:
            self.session.push_nowait(np.zeros(self._rate_hz * SILENT_SEGMENT_MS // 1000, np.int16))
        self._has_sound = False
        self._n_ends_due += 1
        await self.session.end()

    async def clear_buffer(self) -> None:
        """Stop speaking now: neither pictures, nor sound, nor ends of what was pushed come out any more."""
        self._has_sound, self._n_ends_due = False, 0
        if self._early is not None:
            self._early.clear()
        if self.session.playout.closed:
            self.session.playout.abandon()
            while not self._voice_alone.empty():
                self._voice_alone.get_nowait()
        else:
            await self.session.interrupt()
        if (done := self.flush()) is not None:
            await done

    def steer(self, controls: vivant.Controls) -> None:
        """Gaze, emotion and the like, from the next picture on."""
        self.session.stream.set_controls(controls)

    async def __aiter__(self) -> AsyncIterator[Item]:
        try:
            async with self.session:
                async for item in self.session:
                    for part in self._parts(item):
                        if item.epoch == self.session.stream.epoch:  # not interrupted while the part before was taken
                            yield part
                            if self._early is not None:
                                await self._hear_early()
        except vivant.VivantError as error:
            logger.error("the face has failed, the voice goes on without it: %s", error)
        except Exception:
            logger.exception("the face has failed, the voice goes on without it")
        async for part in self._without_face():
            yield part

    def _parts(self, item: vivant.Item) -> list[Item]:
        if isinstance(item, vivant.UtteranceEnd):
            self._n_ends_due -= 1
            return [AudioSegmentEnd()]
        if not isinstance(item, vivant.Output):
            return []
        parts: list[Item] = []
        if item.picture is not None:
            width, height = item.picture.size_px
            parts.append(rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, item.picture.pixels.tobytes()))
        if item.utterance is not None and item.audio is not None and len(item.audio.samples):
            samples = item.audio.samples
            parts.append(rtc.AudioFrame(pcm_s16le(samples), self._rate_hz, 1, len(samples)))
        return parts

    async def _without_face(self) -> AsyncIterator[Item]:
        """The voice as it comes, and first the ends of the lines that the face did not finish."""
        await self._hear_early()
        for _ in range(self._n_ends_due):
            yield AudioSegmentEnd()
        while True:
            yield await self._voice_alone.get()

    async def aclose(self) -> None:
        """Stop for good. Closing twice is fine."""
        await self.session.close()
