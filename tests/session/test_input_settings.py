"""Settings: one meaning at every entrance, here and for a server, or one InputError there and then."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.odd_values import (
    NO_AMOUNTS,
    NO_CONTROLS,
    NO_FACES,
    NO_FLAGS,
    NO_NAMES,
    RATE_HZ,
    WAVE,
    refused,
)
from tests.session.command_line import write_wav
from vivant.client import RemoteConfig, connect
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.media import open_audio, read_sound
from vivant.motion.articulatory import ArticulatoryMotion
from vivant.offline import render_file
from vivant.pixels import JPEG_QUALITIES
from vivant.session.background import Background
from vivant.session.config import SessionConfig
from vivant.session.presenter import Presenter
from vivant.session.session import Session
from vivant.session.stream import FaceStream
from vivant.size import Size
from vivant.talker import Talker
from vivant.testing import PlainFace
from vivant.types import PixelFormat, arkit_weights

pytestmark = [pytest.mark.session, pytest.mark.filterwarnings("ignore:vivant.Talker:DeprecationWarning")]

FPS, SIZE_PX, SEED = 25, 64, 3

Entrances = dict[str, Callable[[Any], object]]


def entrances(name: str, here: bool = True, there: bool = True) -> Entrances:
    """What each entrance says that a setting of that name is, once it took it."""
    made: Entrances = {
        "SessionConfig": lambda value: getattr(SessionConfig(**{name: value}), name),
        "Session": lambda value: getattr(Session(PlainFace(), SessionConfig(**{name: value})).config, name),
        "RemoteConfig": lambda value: getattr(RemoteConfig(**{name: value}), name),
    }
    streamed = {"pictures": "draws"}.get(name, name)
    if name in ("fps", "sample_rate_hz", "seed", "pictures"):
        made["FaceStream"] = lambda value: getattr(FaceStream(PlainFace(), **{name: value}), streamed)
    if name == "fps":
        made["Talker"] = lambda value: Talker(PlainFace(), fps=value).fps
    if name == "size_px":
        made["FaceStream"] = lambda value: FaceStream(PlainFace(), size_px=value).presenter.size
        made["Presenter"] = lambda value: Presenter(PlainFace(), size_px=value).size
    return {entrance: take for entrance, take in made.items() if (there if entrance.startswith("Remote") else here)}


def size_by(take: Callable[[Any], Any], value: Any) -> Size:  # noqa: ANN401
    """Some entrances keep a square by its side."""
    return Size.of(take(value))


SETTINGS: dict[str, tuple[Entrances, object, list[Any], list[Any]]] = {
    "fps": (
        entrances("fps"),
        Fraction(30_000, 1001),
        [29.97, "29.97", "30000/1001", Fraction(30_000, 1001), np.float32(29.97), np.float64(29.97)],
        [*(value for value in NO_AMOUNTS), "25 fps", 0, -30, 11, 61, (30_000, 1001), "1e99999"],
    ),
    "sample_rate_hz": (
        entrances("sample_rate_hz"),
        24_000,
        [24_000, 24_000.0, np.int64(24_000), np.int32(24_000), np.float32(24_000), Fraction(24_000)],
        [*NO_AMOUNTS, "24000", 0, -24_000, 24_000.5, 7_999, 192_001],
    ),
    "seed": (
        entrances("seed"),
        7,
        [7, 7.0, np.uint8(7), np.int64(7)],
        [*(value for value in NO_AMOUNTS if value is not None), "7", -1, 0.5, 2**64],
    ),
    "size_px": (
        {entrance: partial(size_by, take) for entrance, take in entrances("size_px").items()},
        (96, 96),
        [96, 96.0, np.int64(96), (96, 96), [96, 96], (96.0, np.float32(96))],
        [*NO_AMOUNTS, "96", "96x96", 0, -96, 63, 2049, 96.5, (96,), (96, "96"), (96, 9999)],
    ),
    "pictures": (entrances("pictures"), False, [False, np.bool_(False)], NO_FLAGS),
    "paced": (entrances("paced"), True, [True, np.bool_(True)], NO_FLAGS),
    "eager": (entrances("eager", there=False), True, [True], NO_FLAGS),
    "audio": (entrances("audio", there=False), True, [True], NO_FLAGS),
    "motion": (entrances("motion", here=False), False, [False], NO_FLAGS),
    "transparent": (entrances("transparent", here=False), True, [True], NO_FLAGS),
    "shared_memory": (entrances("shared_memory", here=False), True, [True], [odd for odd in NO_FLAGS if odd is not None]),
    "priority": (entrances("priority", here=False), 70, [70, 70.0, np.int8(70)], [*NO_AMOUNTS, "70", -1, 101, 0.5]),
    "label_off_reason": (entrances("label_off_reason", here=False), "ours", ["ours"], [7, b"ours", True, ["ours"]]),
    "pixel_format": (
        entrances("pixel_format", here=False)
        | {"Presenter": lambda value: Presenter(PlainFace(), pixel_format=value).pixel_format},
        PixelFormat.JPEG,
        ["jpeg", "JPEG", PixelFormat.JPEG],
        ["png", None, 3, b"jpeg", ["jpeg"]],
    ),
    "jpeg_quality": (
        entrances("jpeg_quality", here=False)
        | {"Presenter": lambda value: Presenter(PlainFace(), jpeg_quality=value)._jpeg_quality},
        80,
        [80, 80.0, np.uint8(80)],
        [*NO_AMOUNTS, "80", *(end + step for end, step in zip(JPEG_QUALITIES, (-1, 1), strict=True)), 80.5],
    ),
    "session_id": (
        {"Presenter": lambda value: Presenter(PlainFace(), session_id=value).session_id},
        9,
        [9, 9.0, np.int64(9)],
        ["9", -1, 2**32, 0.5, True, float("nan")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(SETTINGS))
def test_one_setting_in_any_type_at_every_entrance(name: str) -> None:
    takes, meant, same, _ = SETTINGS[name]
    for entrance, take in takes.items():
        for value in same:
            assert take(value) == meant, entrance


@pytest.mark.parametrize("name", list(SETTINGS))
def test_what_is_no_setting_is_refused_at_every_entrance_alike(name: str) -> None:
    takes, _, _, odd = SETTINGS[name]
    for value in odd:
        sentences = set()
        for take in takes.values():
            with pytest.raises(InputError) as caught:
                take(value)
            sentences.add(refused(caught.value))
        assert len(sentences) == 1 and "got" in sentences.pop()


def test_a_server_draws_squares() -> None:
    with pytest.raises(InputError, match="a server draws squares; size_px must be their side, got 128x64"):
        RemoteConfig(size_px=(128, 64))


def test_a_talker_is_told_the_rate_in_any_type_and_keeps_it() -> None:
    with Talker(PlainFace(), fps=FPS) as talker:
        for rate in (RATE_HZ, float(RATE_HZ), np.int64(RATE_HZ)):
            talker.push_for_motion(WAVE, rate)  # type: ignore[arg-type]
        odd: list[tuple[Any, str]] = [("16000", "whole number"), (24_000, "changed from 16000 to 24000"), (None, "got None")]
        for given, sentence in odd:
            with pytest.raises(InputError, match=sentence) as caught:
                talker.push_for_motion(WAVE, given)
            refused(caught.value)


def test_whoever_opens_a_face_hands_in_the_right_things() -> None:
    makers: list[tuple[Callable[[Any], object], list[Any]]] = [
        (lambda face: FaceStream(face), NO_FACES),
        (lambda face: Presenter(face), NO_FACES),
        (lambda face: Session(face), NO_FACES),
        (lambda controls: FaceStream(PlainFace(), controls=controls), NO_CONTROLS[1:]),
        (lambda controls: Session(PlainFace(), controls=controls), NO_CONTROLS[1:]),
        (lambda controls: Talker(PlainFace(), controls=controls), NO_CONTROLS[1:]),
        (lambda config: Session(PlainFace(), config), ["fast", 30, {"fps": 30}, RemoteConfig()]),
        (lambda consent: Presenter(PlainFace(), consent=consent), ["maybe", 1, True, ["me"]]),
        (lambda language: Presenter(PlainFace(), language=language), ["xx", "English", 7, ["en"], "x" * 200_000]),
        (lambda background: Presenter(PlainFace(), background=background), ["#00ff00", np.zeros((80, 80, 3)), 7]),
        (lambda reason: Presenter(PlainFace(), label_off_reason=reason), [7, True, b"ours", "", " "]),
        (lambda mirror: Presenter(PlainFace(), mirror=mirror), NO_FLAGS),
        (lambda name: Presenter(PlainFace(), portrait=name), NO_NAMES),
        (lambda motion: FaceStream(PlainFace(), motion=motion), ["voice", ArticulatoryMotion, 7]),
        (lambda presenter: FaceStream(PlainFace(), presenter=presenter), ["ada", PlainFace(), Presenter]),
        (lambda motion: Presenter(PlainFace()).present(motion), [None, arkit_weights(), "jawOpen"]),
        (lambda background: Background.parse(background, SIZE_PX), [None, 7, "x" * 200_000, "pinkish", "#12345g"]),
        (lambda size: Background.parse("#00ff00", size), ["64", 63, None]),
        (lambda address: connect(address), [None, 50_750, ("127.0.0.1", 50_750), b"127.0.0.1:50750"]),
        (lambda token: connect("127.0.0.1:1", token=token), [7, b"token", ["token"]]),
        (lambda ca: connect("127.0.0.1:1", ca=ca), ["ca.pem", Path("ca.pem"), 7]),
    ]
    for make, odd in makers:
        for value in odd:
            with pytest.raises(InputError) as caught:
                make(value)
            refused(caught.value)


def test_a_file_is_rendered_from_paths_and_rates_of_any_type(tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "a.wav", WAVE, RATE_HZ)
    made = set()
    rates = (Fraction(30_000, 1001), 29.97, "29.97", np.float32(29.97))
    for number, (path, fps) in enumerate(zip((sound, str(sound), sound, sound), rates, strict=True)):
        out = tmp_path / f"{number}.webm"
        presenter = Presenter(PlainFace(), size_px=SIZE_PX, session_id=7, pixel_format=PixelFormat.RGB)
        render_file(PlainFace(), path, out if number else str(out), fps=fps, seed=SEED, presenter=presenter)  # type: ignore[arg-type]
        made.add(out.read_bytes())
    assert len(made) == 1


def test_what_no_file_can_be_made_of(tmp_path: Path) -> None:
    sound, out = write_wav(tmp_path / "a.wav", WAVE, RATE_HZ), tmp_path / "a.mp4"
    whole: dict[str, Any] = {"face": PlainFace(), "audio": sound, "out": out, "fps": 30, "size_px": SIZE_PX}
    odd: dict[str, list[Any]] = {
        "face": NO_FACES,
        "audio": [None, 7, WAVE, b"RIFF", "x" * 200_000, "nowhere.wav", tmp_path],
        "out": [None, 7, b"a.mp4", "x" * 200_000],
        "fps": [None, True, "25 fps", 0, float("nan"), (30, 1)],
        "size_px": [None, "64", 63, (64,), 64.5],
        "seed": ["7", -1, 0.5, True],
        "track": ["1", 0, 2, 0.5, True, float("nan")],
        "controls": NO_CONTROLS[1:],
        "background": ["#00ff00", 7],
    }
    for name, values in odd.items():
        for value in values:
            with pytest.raises(InputError) as caught:
                render_file(**whole | {name: value})
            refused(caught.value)
            assert not out.exists()
    assert read_sound(str(sound))[1] == RATE_HZ
    for path in (None, 7, WAVE, b"RIFF", "x" * 200_000):
        with pytest.raises(InputError), open_audio(path):  # type: ignore[arg-type]
            pass


def test_one_frame_rate_everywhere() -> None:
    assert SessionConfig(fps=29.97).fps == RemoteConfig(fps=29.97).fps == as_fps("30000/1001")  # type: ignore[arg-type]
