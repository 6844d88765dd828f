"""Avatar session: a portrait that speaks an agent's voice in a LiveKit room, in the agent's own process."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from os import PathLike
from typing import Literal

from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, ToolExecutionUpdatedEvent, utils
from livekit.agents.voice.avatar import AvatarOptions, AvatarRunner, QueueAudioOutput
from livekit.agents.voice.avatar import AvatarSession as BaseAvatarSession
from livekit.plugins.vivant.generator import FaceVideoGenerator

import vivant

USUAL_RATE_HZ = 24_000
"""Of a voice whose rate nobody tells: realtime models speak so."""
N_CHANNELS = 1
ATTENTION = {
    "listening": vivant.Attention.LISTENING,
    "thinking": vivant.Attention.THINKING,
    "speaking": vivant.Attention.SPEAKING,
}
"""By the agent's state; in every other the face follows the voice."""


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
        self._controls = vivant.Controls()
        self._identity = ""
        self._runner: AvatarRunner | None = None
        self.generator: FaceVideoGenerator | None = None
        """Between `start` and `aclose`."""

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
        self._runner, self.generator = AvatarRunner(room, audio_recv=voice, video_gen=generator, options=options), generator
        generator.flush = self._runner.av_sync.clear_queue
        await self._runner.start()
        agent_session.output.replace_audio_tail(voice)
        agent_session.on("agent_state_changed", self._attend)
        agent_session.on("tool_execution_updated", self._work)

    async def _open(self) -> vivant.Face:
        if isinstance(self._portrait, vivant.RigFace):
            return self._portrait
        return await asyncio.to_thread(vivant.open_portrait, self._portrait, consent=self._consent)

    async def set_controls(self, controls: vivant.Controls) -> None:
        """Gaze, emotion and the like, eased from the next picture on. What the face is about follows the agent's state,
        but for an attention that is given here: that holds until the state changes."""
        attention = self._controls.attention if controls.attention is vivant.Attention.AUTO else controls.attention
        self._controls = controls
        self._steer(attention)

    def _attend(self, event: AgentStateChangedEvent) -> None:
        self._steer(ATTENTION.get(event.new_state, vivant.Attention.AUTO))

    def _work(self, event: ToolExecutionUpdatedEvent) -> None:
        if event.update.type == "tool_call_started":
            self._steer(vivant.Attention.WORKING)

    def _steer(self, attention: vivant.Attention) -> None:
        self._controls = replace(self._controls, attention=attention)
        if self.generator is not None:
            self.generator.session.stream.set_controls(self._controls)

    async def aclose(self) -> None:
        """Leave the room as it is: the base would put ``avatar_identity`` out of it, and that is the agent."""
        runner, self._runner = self._runner, None
        generator, self.generator = self.generator, None
        if self._agent_session is not None:
            self._agent_session.off("agent_state_changed", self._attend)
            self._agent_session.off("tool_execution_updated", self._work)
        if runner is not None and generator is not None:
            await runner.aclose()
            await generator.aclose()
        room, self._room = self._room, None
        if room is not None:
            room.off("connection_state_changed", self._on_connection_state_changed)
        if self._wait_avatar_join_task is not None:
            await utils.aio.cancel_and_wait(self._wait_avatar_join_task)
        await super().aclose()
