"""Avatar session: a portrait that speaks an agent's voice in a LiveKit room, drawn in its own process or on a server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Literal

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, ToolExecutionUpdatedEvent, utils
from livekit.agents.voice.avatar import AvatarOptions, AvatarRunner, QueueAudioOutput
from livekit.agents.voice.avatar import AvatarSession as BaseAvatarSession
from livekit.plugins.vivant.generator import FaceVideoGenerator

import vivant
from vivant.extras import install

if TYPE_CHECKING:  # it needs gRPC
    from livekit.plugins.vivant.remote import RemoteVideoGenerator

USUAL_RATE_HZ = 24_000
"""Of a voice whose rate nobody tells: realtime models speak so."""
N_CHANNELS = 1
ATTENTION = {
    "listening": vivant.Attention.LISTENING,
    "thinking": vivant.Attention.THINKING,
    "speaking": vivant.Attention.SPEAKING,
}
"""By the agent's state; in every other the face follows the voice."""


def prewarm(portrait: str | PathLike[str], *, consent: str | None = None, size_px: int = 512) -> vivant.RigFace:
    """Face for an `AvatarSession`, opened in a worker's ``prewarm_fnc``: what a first greeting would wait for is loaded.

    ``portrait`` and ``consent`` as there; raises as `vivant.open_portrait` does.
    """
    face = vivant.open_portrait(portrait, consent=consent)
    with vivant.FaceStream(face, fps=25, size_px=size_px, sample_rate_hz=USUAL_RATE_HZ, seed=0) as stream:
        stream.push(np.zeros(USUAL_RATE_HZ // 5, np.int16))
        next(iter(stream.finish()))
    return face


class AvatarSession(BaseAvatarSession[Literal["metrics_collected"]]):
    """Avatar session: the agent's voice gets a face, published in the agent's own name.

    Start it before the agent's session, and that one without the room's own audio output. The voice keeps its rate. An
    interruption empties the room's queues too, so nothing of the old line is heard or seen after it. With ``server``, a
    `vivant serve`, the face is drawn there: many rooms share a machine, and the agent needs no CPU for it.
    """

    def __init__(
        self,
        portrait: vivant.Face | str | PathLike[str],
        *,
        consent: str | None = None,
        fps: int = 25,
        size_px: int = 512,
        seed: int | None = None,
        sample_rate_hz: int | None = None,
        server: str | None = None,
        token: str | None = None,
        ca: bytes | None = None,
    ) -> None:
        """``portrait``: a picture or a bundled name, or what `prewarm` gave, where no server draws it. ``consent`` says whom it
        shows: me, agreed, unreal or synthetic. ``sample_rate_hz`` None: the voice's. ``server`` is ``host:port``, and ``token``
        and ``ca`` (PEM) what it wants: both for any but one on loopback.

        Raises vivant.InputError and vivant.PortraitError as `vivant.open_portrait` does, at `start` at the latest. A server
        that is away is no error: the voice goes on, and the face comes when it is there.
        """
        super().__init__()
        if server is None and (token is not None or ca is not None):
            raise vivant.InputError("token and ca are for a server; say which")
        if server is not None and not isinstance(portrait, str | PathLike):
            raise vivant.InputError("a server opens its portraits itself; give the picture or a bundled name")
        self._portrait, self._consent = portrait, consent
        self._fps, self._size_px, self._seed, self._rate_hz = fps, size_px, seed, sample_rate_hz
        self._server, self._token, self._ca = server, token, ca
        self._controls = vivant.Controls()
        self._identity = ""
        self._runner: AvatarRunner | None = None
        self.generator: FaceVideoGenerator | RemoteVideoGenerator | None = None
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
        rate_hz = self._rate_hz or (agent_session.tts.sample_rate if agent_session.tts else USUAL_RATE_HZ)
        self.generator = generator = await self._open(rate_hz)
        await super().start(agent_session, room)
        self._identity = room.local_participant.identity
        voice = QueueAudioOutput(sample_rate=rate_hz, wait_playback_start=True)
        width, height = generator.size_px
        options = AvatarOptions(
            video_width=width, video_height=height, video_fps=self._fps, audio_sample_rate=rate_hz, audio_channels=N_CHANNELS
        )
        self._runner = AvatarRunner(room, audio_recv=voice, video_gen=generator, options=options)
        generator.flush = self._flush
        await self._runner.start()
        agent_session.output.replace_audio_tail(voice)
        agent_session.on("agent_state_changed", self._attend)
        agent_session.on("tool_execution_updated", self._work)

    async def _open(self, rate_hz: int) -> FaceVideoGenerator | RemoteVideoGenerator:
        portrait = self._portrait
        if self._server is not None and isinstance(portrait, str | PathLike):
            try:
                from livekit.plugins.vivant.remote import RemoteVideoGenerator
            except ImportError as error:
                raise vivant.UnavailableError(f"a face on a server needs gRPC: {install('cpu', 'server')}") from error
            remote = RemoteVideoGenerator(
                self._server,
                portrait,
                token=self._token,
                ca=self._ca,
                consent=self._consent,
                sample_rate_hz=rate_hz,
                fps=self._fps,
                size_px=self._size_px,
                seed=self._seed,
            )
            await remote.open()
            return remote
        if isinstance(portrait, str | PathLike):
            portrait = await asyncio.to_thread(vivant.open_portrait, portrait, consent=self._consent)
        return FaceVideoGenerator(portrait, sample_rate_hz=rate_hz, fps=self._fps, size_px=self._size_px, seed=self._seed)

    async def _flush(self) -> None:
        """The room's queue, twice: what waited for room in it comes in when it is emptied first."""
        for _ in range(2):
            if self._runner is not None:
                await self._runner.av_sync.clear_queue()
            await asyncio.sleep(0)

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
            self.generator.steer(self._controls)

    async def aclose(self) -> None:
        """Leave the room as it is: the base would put ``avatar_identity`` out of it, and that is the agent."""
        runner, self._runner = self._runner, None
        generator, self.generator = self.generator, None
        if self._agent_session is not None:
            self._agent_session.off("agent_state_changed", self._attend)
            self._agent_session.off("tool_execution_updated", self._work)
        if runner is not None:
            await runner.aclose()
        if generator is not None:
            await generator.aclose()
        room, self._room = self._room, None
        if room is not None:
            room.off("connection_state_changed", self._on_connection_state_changed)
        if self._wait_avatar_join_task is not None:
            await utils.aio.cancel_and_wait(self._wait_avatar_join_task)
        await super().aclose()
