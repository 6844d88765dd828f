"""Avatar session: a portrait that speaks an agent's voice in a LiveKit room, in the agent's own process."""

from __future__ import annotations

import asyncio
from os import PathLike
from typing import Literal

from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, utils
from livekit.agents.voice.avatar import AvatarOptions, AvatarRunner, QueueAudioOutput
from livekit.agents.voice.avatar import AvatarSession as BaseAvatarSession
from livekit.plugins.vivant.generator import FaceVideoGenerator

import vivant

USUAL_RATE_HZ = 24_000
"""Of a voice whose rate nobody tells: realtime models speak so."""
N_CHANNELS = 1


class AvatarSession(BaseAvatarSession[Literal["metrics_collected"]]):
    """Avatar session: the agent's voice gets a face, published in the agent's own name.

    Start it before the agent's session, and that one without the room's own audio output. The voice keeps its rate. An
    interruption empties the room's queues too, so nothing of the old line is heard or seen after it.
    """

    def __init__(
        self,
        portrait: vivant.RigFace | str | PathLike[str],
        *,
        consent: str | None = None,
        fps: int = 25,
        size_px: int = 512,
        seed: int | None = None,
        sample_rate_hz: int | None = None,
    ) -> None:
        """``portrait``: a picture or a bundled name, or what `vivant.open_portrait` gave, which a worker's ``prewarm_fnc`` may
        have opened. ``consent`` says whom it shows: me, agreed, unreal or synthetic. ``sample_rate_hz`` None: the voice's.

        Raises vivant.InputError and vivant.PortraitError as `vivant.open_portrait` does, at `start` at the latest.
        """
        super().__init__()
        self._portrait, self._consent = portrait, consent
        self._fps, self._size_px, self._seed, self._rate_hz = fps, size_px, seed, sample_rate_hz
        self._identity = ""
        self._runner: AvatarRunner | None = None
        self._generator: FaceVideoGenerator | None = None

    @property
    def avatar_identity(self) -> str:
        """Of the agent itself: it publishes the face."""
        return self._identity

    @property
    def provider(self) -> str:
        return "vivant"

    async def start(self, agent_session: AgentSession, room: rtc.Room) -> None:
        """Open the portrait, take the voice, and publish picture and sound as soon as somebody listens."""
        face = await self._open()
        rate_hz = self._rate_hz or (agent_session.tts.sample_rate if agent_session.tts else USUAL_RATE_HZ)
        generator = FaceVideoGenerator(face, sample_rate_hz=rate_hz, fps=self._fps, size_px=self._size_px, seed=self._seed)
        await super().start(agent_session, room)
        self._identity = room.local_participant.identity
        voice = QueueAudioOutput(sample_rate=rate_hz, wait_playback_start=True)
        width, height = generator.session.stream.presenter.size
        options = AvatarOptions(
            video_width=width, video_height=height, video_fps=self._fps, audio_sample_rate=rate_hz, audio_channels=N_CHANNELS
        )
        self._runner, self._generator = AvatarRunner(room, audio_recv=voice, video_gen=generator, options=options), generator
        generator.flush = self._runner.av_sync.clear_queue
        await self._runner.start()
        agent_session.output.replace_audio_tail(voice)
        agent_session.on("agent_state_changed", self._attend)

    async def _open(self) -> vivant.Face:
        if isinstance(self._portrait, vivant.RigFace):
            return self._portrait
        return await asyncio.to_thread(vivant.open_portrait, self._portrait, consent=self._consent)

    async def set_controls(self, controls: vivant.Controls) -> None:
        """Gaze, emotion and the like, eased from the next picture on."""
        if self._generator is not None:
            await self._generator.session.set_controls(controls)

    def _attend(self, event: AgentStateChangedEvent) -> None: ...

    async def aclose(self) -> None:
        """Leave the room as it is: the base would put ``avatar_identity`` out of it, and that is the agent."""
        runner, self._runner = self._runner, None
        generator, self._generator = self._generator, None
        if self._agent_session is not None:
            self._agent_session.off("agent_state_changed", self._attend)
        if runner is not None and generator is not None:
            await runner.aclose()
            await generator.aclose()
        room, self._room = self._room, None
        if room is not None:
            room.off("connection_state_changed", self._on_connection_state_changed)
        if self._wait_avatar_join_task is not None:
            await utils.aio.cancel_and_wait(self._wait_avatar_join_task)
        await super().aclose()
