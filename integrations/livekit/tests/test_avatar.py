"""The avatar session with a real agent session: speaks what the agent says, is cut short with it, leaves the room as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from livekit.agents import Agent, AgentSession
from livekit.plugins import vivant
from local_room import LocalRoom, Viewer
from scripted import ClipTTS, ScriptedLLM

import vivant as core


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


@asynccontextmanager
async def agent(seconds: float, *lines: str) -> AsyncIterator[tuple[AgentSession, LocalRoom, Viewer, vivant.AvatarSession]]:
    """An agent in a room of its own, whose voice speaks so many seconds for every line."""
    room = LocalRoom()
    session = AgentSession(llm=ScriptedLLM(*lines), tts=ClipTTS(seconds), vad=None)
    avatar = vivant.AvatarSession("ada", size_px=128, seed=1)
    await avatar.start(session, room)  # type: ignore[arg-type]
    await session.start(Agent(instructions=""))
    viewer = await room.viewer()
    try:
        yield session, room, viewer, avatar
    finally:
        await viewer.aclose()
        await avatar.aclose()
        await session.aclose()


def loudest(viewer: Viewer, since: float) -> int:
    sounds = [np.abs(np.frombuffer(frame.data, np.int16)).max() for at, frame in viewer.sounds if at >= since]
    return max(map(int, sounds), default=0)


def test_a_line_is_played_to_its_end_and_the_agent_knows_when() -> None:
    async def say() -> None:
        async with agent(1.5, "Hello there.") as (session, room, viewer, avatar):
            clock, metrics = asyncio.get_running_loop(), []
            avatar.on("metrics_collected", metrics.append)
            began = clock.time()
            await session.say("Hello there.")
            assert 1.5 <= clock.time() - began < 6
            assert loudest(viewer, began) > 3000 and len(viewer.pictures) > 10
            assert avatar.avatar_identity == room.local_participant.identity and avatar.provider == "vivant"

    run(say())


def test_an_answer_that_is_interrupted_is_heard_and_seen_no_more() -> None:
    async def interrupt() -> None:
        async with agent(20, "A long story.") as (session, _, viewer, _avatar):
            clock, reply = asyncio.get_running_loop(), session.generate_reply(user_input="tell me")
            while not viewer.sounds or loudest(viewer, 0) < 3000:
                await asyncio.sleep(0.02)
            await session.interrupt()
            await reply
            since = clock.time() + 0.1  # what the stream of this viewer had on its way
            await asyncio.sleep(0.8)
            assert reply.interrupted and loudest(viewer, since) < 100

    run(interrupt())


def test_closing_leaves_the_agent_in_its_room_and_twice_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []

    async def remove(who: Any) -> None:
        removed.append(who.identity)

    job = SimpleNamespace(
        api=SimpleNamespace(room=SimpleNamespace(remove_participant=remove)), add_shutdown_callback=lambda _: None
    )
    monkeypatch.setattr("livekit.agents.voice.avatar._types.get_job_context", lambda **_: job)

    async def close() -> None:
        async with agent(0.3) as (_, _room, _viewer, avatar):
            await avatar.aclose()
            await avatar.aclose()

    run(close())
    assert removed == []


def test_a_portrait_that_is_missing_is_said_at_the_start(tmp_path: Any) -> None:
    async def start() -> None:
        session = AgentSession(llm=ScriptedLLM(), tts=ClipTTS(1), vad=None)
        avatar = vivant.AvatarSession(tmp_path / "none.png", consent="me")
        with pytest.raises(Exception, match=r"none\.png"):
            await avatar.start(session, LocalRoom())  # type: ignore[arg-type]
        await avatar.aclose()
        await session.aclose()

    run(start())


def test_the_face_is_about_what_the_agent_does() -> None:
    async def watch() -> None:
        async with agent(0.5, "One moment.") as (session, _, _viewer, avatar):
            await avatar.set_controls(core.Controls(emotion=core.Emotion.HAPPY))
            seen: list[core.Controls] = []
            assert avatar.generator is not None
            session.on("agent_state_changed", lambda _: seen.append(avatar.generator.session.stream.controls))
            await session.generate_reply(user_input="go on")
            assert [controls.attention for controls in seen][:2] == [core.Attention.THINKING, core.Attention.SPEAKING]
            assert {controls.emotion for controls in seen} == {core.Emotion.HAPPY}
            stream = avatar.generator.session.stream
            about = stream.controls.attention
            await avatar.set_controls(core.Controls(emotion=core.Emotion.SAD))
            assert stream.controls.attention is about is not core.Attention.AUTO

    run(watch())
