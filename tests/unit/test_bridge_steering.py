"""Steering: words, combinations of keys, and the channel by which another process says them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from vivant import Act, Controls, Emotion, InputError
from vivant.errors import UnavailableError
from vivant.provenance.settings import Settings, config_folder
from vivant_bridge.bridge import Bridge
from vivant_bridge.control import control_channel, control_file, tell
from vivant_bridge.hotkeys import HeldKeys, hotkeys
from vivant_bridge.steering import Steering

pytestmark = pytest.mark.unit


class Part:
    """What `Steering` moves of a bridge, and nothing else of it."""

    def __init__(self) -> None:
        self.controls, self.portrait = Controls(), 0
        self.muted = self.paused = self.over = False
        self.acts: list[Act] = []
        self.supervisor = self.gate = self.pacer = self

    async def set_controls(self, controls: Controls) -> None:
        self.controls = controls

    async def act(self, act: Act) -> None:
        self.acts.append(act)

    async def set_portrait(self, portrait: int) -> None:
        self.portrait = portrait

    def pause(self, on: bool) -> None:
        self.paused = on

    def quit(self) -> None:
        self.over = True


def told(*said: str) -> Part:
    part = Part()
    steering = Steering(cast(Bridge, part), 3)

    async def story() -> None:
        for words in said:
            await steering.obey(words.split())

    asyncio.run(story())
    return part


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        (["happy"], "happy"),
        (["toggle sad"], "sad"),
        (["toggle sad", "toggle sad"], "neutral"),
        (["sad", "hold happy"], "happy"),
        (["sad", "hold happy", "release"], "sad"),
        (["sad", "hold happy", "hold angry", "release"], "sad"),
        (["hold happy", "angry", "release"], "angry"),
        (["release"], "neutral"),
    ],
)
def test_moods(said: list[str], mood: str) -> None:
    assert told(*said).controls.emotion is Emotion(mood)


def test_everything_else_that_can_be_said() -> None:
    amounts = ("gaze 10 -5", "eye-contact 1", "distance 0.9", "intensity 1.5", "head 0.5")
    part = told(*amounts, "nod", "laugh", "mute", "pause on", "pause on", "portrait 3", "quit")
    assert part.controls == Controls(gaze=(10.0, -5.0), distance=0.9, intensity=1.5, head_motion=0.5, eye_contact=1.0)
    assert part.acts == [Act.NOD, Act.LAUGH]
    assert (part.muted, part.paused, part.portrait, part.over) == (True, True, 2, True)
    assert told("mute", "mute").muted is False


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "nothing is called ''; say neutral"),
        ("merry", "nothing is called 'merry'"),
        ("happy now", "happy takes no more words"),
        ("nod twice", "nod takes no more words"),
        ("eye-contact 2", "eye_contact must be from 0 to 1"),
        ("toggle", "toggle takes one of neutral"),
        ("gaze 10", "gaze takes 2 numbers"),
        ("gaze nan 0", "gaze yaw"),
        ("distance 9", "distance must be"),
        ("portrait 4", "portrait is 1 to 3"),
        ("portrait nan", "portrait is 1 to 3"),
        ("pause maybe", "pause takes on, off or nothing"),
    ],
)
def test_other_words_are_refused_in_a_sentence(words: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        told(words)


# Keys


def held(combinations: dict[str, str]) -> tuple[HeldKeys, list[str]]:
    said: list[str] = []

    def parse(text: str) -> list[Any]:
        if not text:
            raise ValueError(text)
        return text.split("+")

    return HeldKeys(combinations, parse, said.append), said


def test_only_whole_combinations_mean_something_and_once() -> None:
    keys, said = held({"ctrl+h": "toggle happy", "ctrl+shift+h": "hold sad"})
    for key in ("x", "h", "x"):
        keys.press(key)
        keys.release(key)
    assert said == []
    for key in ("ctrl", "h", "h", "h"):
        keys.press(key)
    keys.release("h")
    assert said == ["toggle happy"]
    keys.press("shift")
    keys.press("h")
    keys.release("ctrl")
    keys.release("h")
    assert said == ["toggle happy", "hold sad", "release"]


def test_a_combination_that_is_none_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"are like <ctrl>\+<alt>\+h, got ''"):
        held({"": "happy"})


def test_wayland_and_a_missing_desktop_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with hotkeys({"<ctrl>+h": "happy"}, cast(Steering, None), print):
            pass

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    with pytest.raises(UnavailableError, match="bind a key to `vivant tell happy`"):
        asyncio.run(story())
    monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(UnavailableError, match="hotkeys need"):
        asyncio.run(story())


def test_the_settings_name_them() -> None:
    config_folder().mkdir(parents=True)
    file = config_folder() / "config.toml"
    file.write_text('language = "de"\n[hotkeys]\n"<ctrl>+<alt>+h" = "toggle happy"\n')
    assert Settings.load().hotkeys == {"<ctrl>+<alt>+h": "toggle happy"}
    file.write_text('[hotkeys]\n"<f1>" = 3\n')
    with pytest.raises(InputError, match="texts are needed"):
        Settings.load()


# Another process


def with_channel(client: Callable[[], None]) -> Part:
    """What a part was told while ``client`` ran on another thread."""
    part = Part()

    async def story() -> None:
        async with control_channel(Steering(cast(Bridge, part), 3), print):
            assert control_file().stat().st_mode & 0o077 == 0
            with ThreadPoolExecutor() as pool:
                await asyncio.get_running_loop().run_in_executor(pool, client)

    asyncio.run(story())
    return part


def test_what_is_told_is_done() -> None:
    part = with_channel(lambda: tell(["happy"]))
    assert part.controls.emotion is Emotion.HAPPY
    assert not control_file().exists()


def test_what_cannot_be_told_is_a_sentence() -> None:
    def client() -> None:
        with pytest.raises(InputError, match="nothing is called 'merry'"):
            tell(["merry"])
        with pytest.raises(InputError, match="nothing is called a text of 30000 characters"):
            tell(["merry " * 5000])
        with pytest.raises(InputError, match="at most 65536 bytes can be told at once"):
            tell(["say", "merry " * 20_000])

    with_channel(client)
    with pytest.raises(UnavailableError, match="no `vivant cam` or `vivant motion` runs here"):
        tell(["happy"])


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"happy\n",
        b"[]\n",
        b'{"token": "00", "words": ["happy"]}\n',
        b'{"token": TOKEN, "words": [1]}\n',
        b'{"token": TOKEN, "words": 5}\n',
        b'{"token": TOKEN, "words": {"happy": 1}}\n',
        b'{"token": TOKEN}\n',
        b"[" * 4000 + b"\n",
        b"x" * 10_000 + b"\n",
        b"x" * 100_000 + b"\n",
    ],
)
def test_whoever_lacks_the_token_is_not_heard(line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    answers: list[bytes] = []

    def client() -> None:
        said = json.loads(control_file().read_text())
        with socket.create_connection(("127.0.0.1", said["port"]), 5) as stranger:
            stranger.sendall(line.replace(b"TOKEN", json.dumps(said["token"]).encode()))
            try:
                answers.append(stranger.recv(4096))
            except ConnectionResetError:  # more was sent than was read
                answers.append(b"")

    assert with_channel(client).controls == Controls()
    assert answers == [b""] or b"without the token" in answers[0]
    assert not caplog.records, "and nothing breaks"


@pytest.mark.skipif(sys.platform != "linux", reason="counts what /proc shows")
def test_no_port_stays_open_that_nobody_can_be_told_of() -> None:
    said: list[str] = []

    async def story() -> None:
        n_open = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        async with control_channel(Steering(cast(Bridge, Part()), 1), said.append):
            assert len(os.listdir("/proc/self/fd")) == n_open  # noqa: PTH208

    control_file().mkdir(parents=True)
    asyncio.run(story())
    assert len(said) == 1 and "`vivant tell` cannot reach this one" in said[0]


def test_the_one_that_started_last_keeps_its_file() -> None:
    async def story() -> None:
        steering = Steering(cast(Bridge, Part()), 1)
        first = control_channel(steering, print)
        await first.__aenter__()
        async with control_channel(steering, print):
            await first.__aexit__(None, None, None)
            assert control_file().exists()

    asyncio.run(story())
    assert not control_file().exists()
