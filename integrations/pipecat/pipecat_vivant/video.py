"""Video service: a Vivant session between the text-to-speech and the output transport of a Pipecat pipeline."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    FunctionCallInProgressFrame,
    InterruptionFrame,
    LLMFullResponseStartFrame,
    OutputImageRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.services.ai_service import AIService
from pipecat.services.settings import ServiceSettings

import vivant
from vivant.samples import pcm_s16le

AUDIO_LEAD_MS = 60
"""Of the voice before its pictures: a transport sends sound in pieces of 40 ms, and a late wake-up must not be heard."""

ATTENTION: dict[type[Frame], vivant.Attention] = {
    UserStartedSpeakingFrame: vivant.Attention.LISTENING,
    LLMFullResponseStartFrame: vivant.Attention.THINKING,
    FunctionCallInProgressFrame: vivant.Attention.WORKING,
    TTSStartedFrame: vivant.Attention.SPEAKING,
    BotStoppedSpeakingFrame: vivant.Attention.LISTENING,
}
"""What the face is about from such a frame on."""


@dataclass
class VivantVideoSettings(ServiceSettings):
    """Settings: none that change while the face lives; its gaze, emotion and the like are `VivantVideoService.set_controls`."""


class VivantVideoService(AIService):
    """Video service: takes a bot's voice, gives pictures of a portrait that speaks and the same voice in time with them.

    Place it after the text-to-speech and before the output transport, whose video must be enabled and of the same size. While
    nobody speaks only pictures come. When the face fails, an ErrorFrame goes upstream and the voice goes on without it.
    """

    Settings = VivantVideoSettings

    def __init__(
        self,
        portrait: vivant.Face | str | PathLike[str],
        *,
        consent: str | None = None,
        fps: int = 25,
        size_px: int = 512,
        seed: int | None = None,
        clock: vivant.Clock | None = None,
        executor: Executor | None = None,
        **kwargs: Any,
    ) -> None:
        """``portrait``: a picture or a bundled name, or what `vivant.open_portrait` gave. ``consent`` says whom it shows: me,
        agreed, unreal or synthetic. ``clock`` and ``executor`` as for `vivant.Session`."""
        super().__init__(settings=VivantVideoSettings(model="vivant rig"), **kwargs)
        self._portrait, self._consent = portrait, consent
        self._fps, self._size_px, self._seed = fps, size_px, seed
        self._clock, self._executor = clock, executor
        self._controls = vivant.Controls()
        self._session: vivant.Session | None = None
        self._faces_task: asyncio.Task[None] | None = None
        self._rate_hz = 0
        self._resampler = create_stream_resampler()
        self._has_sound = False
        """The line that is being pushed has brought some."""
        self._stops: dict[str, TTSStoppedFrame] = {}
        """Of lines that are complete and not spoken to their end, by utterance."""
        self._contexts: dict[str, str | None] = {}
        self._n_lines = 0
        self._waits_for_voice = False
        """The first sound of a line came in, and none has gone out."""

    def can_generate_metrics(self) -> bool:
        return True

    async def setup(self, setup: FrameProcessorSetup) -> None:
        await super().setup(setup)
        self._rate_hz = setup.audio_out_sample_rate

    async def set_controls(self, controls: vivant.Controls) -> None:
        """Gaze, emotion and the like, eased from the next picture on. What the face is about follows the conversation,
        but for an attention that is given here: that holds until the conversation goes on."""
        attention = self._controls.attention if controls.attention is vivant.Attention.AUTO else controls.attention
        await self._steer(replace(controls, attention=attention))

    async def _steer(self, controls: vivant.Controls) -> None:
        self._controls = controls
        if self._session is not None:
            await self._session.set_controls(controls)

    @property
    def _hearing(self) -> vivant.Session | None:
        """None also where the face has failed and only its last pictures are still to come."""
        return None if self._session is None or self._session.playout.closed else self._session

    # Frames in

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            await self._interrupt()
        if (attention := ATTENTION.get(type(frame))) is not None:
            await self._steer(replace(self._controls, attention=attention))
        if direction is FrameDirection.DOWNSTREAM and (session := self._hearing) is not None:
            if isinstance(frame, TTSAudioRawFrame):
                await self._hear(frame, session)
                return
            if isinstance(frame, TTSStoppedFrame) and await self._hold(frame, session):
                return
        await self.push_frame(frame, direction)
        if isinstance(frame, StartFrame):  # which every processor must see before any picture
            await self._open()

    async def _hear(self, frame: TTSAudioRawFrame, session: vivant.Session) -> None:
        if not self._has_sound:
            self._has_sound = True
            self._n_lines += 1
            self._contexts[str(self._n_lines)] = frame.context_id
            await session.begin(str(self._n_lines))
            self._waits_for_voice = True
            await self.start_ttfb_metrics()
        pcm = await self._resampler.resample(frame.audio, frame.sample_rate, self._rate_hz)
        samples = np.frombuffer(pcm, "<i2").reshape(-1, frame.num_channels)
        if not session.playout.closed:  # it may have failed meanwhile
            session.push_nowait(samples[:, 0] if frame.num_channels == 1 else samples.mean(axis=1).astype(np.int16))

    async def _hold(self, frame: TTSStoppedFrame, session: vivant.Session) -> bool:
        """Until the line's last sound has left. False where it brought none."""
        self._has_sound = False
        if not session.stream.is_speaking:
            return False
        self._stops[str(self._n_lines)] = frame
        await session.end()
        return True

    async def _interrupt(self) -> None:
        self._has_sound = self._waits_for_voice = False
        self._stops.clear()
        self._contexts.clear()
        self._resampler = create_stream_resampler()
        if (session := self._hearing) is not None:
            await session.interrupt()
        elif self._session is not None:
            self._session.playout.abandon()

    async def stop(self, frame: EndFrame) -> None:
        """Speak what is queued to its end."""
        await super().stop(frame)
        if (session := self._hearing) is not None:
            await session.finish()
        if self._faces_task is not None:
            await self._faces_task

    async def cancel(self, frame: CancelFrame) -> None:
        await super().cancel(frame)
        await self._close()

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._close()

    # Pictures and voice out

    async def _open(self) -> None:
        try:
            face = self._portrait
            if isinstance(face, str | PathLike):
                face = await asyncio.to_thread(vivant.open_portrait, face, consent=self._consent)
            config = vivant.SessionConfig(
                fps=self._fps,
                size_px=self._size_px,
                seed=self._seed,
                sample_rate_hz=self._rate_hz,
                eager=True,
                audio=True,
                audio_lead_ms=AUDIO_LEAD_MS,
            )
            presenter = vivant.Presenter(face, size_px=self._size_px, pixel_format=vivant.PixelFormat.RGB)
            session = vivant.Session(
                face, config, controls=self._controls, presenter=presenter, clock=self._clock, executor=self._executor
            )
        except vivant.VivantError as error:
            await self.push_error(f"no face: {error}", exception=error)
            return
        self._session = session
        self._faces_task = self.create_task(self._show(session))

    async def _show(self, session: vivant.Session) -> None:
        try:
            async with session:
                async for item in session:
                    await self._give(item, session)
        except Exception as error:
            await self.push_error(f"the face has failed, the voice goes on without it: {error}", exception=error)
        finally:
            self._session = None
            for stop in self._stops.values():
                await self.push_frame(stop)
            self._stops.clear()

    async def _give(self, item: vivant.Item, session: vivant.Session) -> None:
        if isinstance(item, vivant.UtteranceEnd):
            self._contexts.pop(item.utterance_id, None)
            if (stopped := self._stops.pop(item.utterance_id, None)) is not None:
                await self.push_frame(stopped)
        if not isinstance(item, vivant.Output):
            return
        if item.picture is not None:
            await self.push_frame(OutputImageRawFrame(item.picture.pixels.tobytes(), item.picture.size_px, "RGB"))
        if (
            item.epoch == session.stream.epoch
            and item.utterance is not None
            and item.audio is not None
            and len(item.audio.samples)
        ):
            await self._speak(item.audio.samples, self._contexts.get(item.utterance_id))

    async def _speak(self, samples: np.ndarray, context_id: str | None) -> None:
        if self._waits_for_voice:
            self._waits_for_voice = False
            await self.stop_ttfb_metrics()
        await self.push_frame(TTSAudioRawFrame(pcm_s16le(samples), self._rate_hz, 1, context_id=context_id))

    async def _close(self) -> None:
        session, self._session = self._session, None
        task, self._faces_task = self._faces_task, None
        if session is not None:
            await session.close()
        if task is not None and not task.done():
            await self.cancel_task(task)
