"""Nobody's portrait speaks before somebody has said who it shows, whichever way its pictures leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import portrait_path
from tests.session.command_line import write_wav
from vivant.errors import InputError
from vivant.face import RigFace, open_portrait
from vivant.offline import render_file
from vivant.provenance.consent import REFUSED, Consent, keep_consent
from vivant.session.presenter import Presenter
from vivant.session.session import Session, SessionConfig
from vivant.session.stream import FaceStream
from vivant.testing import PlainFace
from vivant.types import MotionFrame, Output, arkit_weights

pytestmark = pytest.mark.session

NOBODY_SAID = r"nobody has said yet who this portrait shows; say it in open_portrait.*VIVANT_CONSENT.*config\.toml"
REST = MotionFrame(0, 0, arkit_weights())
SHA256 = "5a" * 32


class Somebody(PlainFace):
    """A face of a portrait that did not come with Vivant."""

    portrait_sha256 = SHA256


@pytest.fixture(scope="module")
def friend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of one's own."""
    with Image.open(portrait_path("ada")) as image:
        image.crop((4, 4, image.width, image.height)).save(path := tmp_path_factory.mktemp("own") / "friend.png")
    return path


def speak(face: Somebody, tmp_path: Path) -> None:
    FaceStream(face, size_px=64)


def live(face: Somebody, tmp_path: Path) -> None:
    Session(face, SessionConfig(size_px=64))


def present(face: Somebody, tmp_path: Path) -> None:
    Presenter(face, size_px=64)


def swap(face: Somebody, tmp_path: Path) -> None:
    FaceStream(PlainFace(), size_px=64).set_face(face)


def to_file(face: Somebody, tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "sound.wav", np.zeros(1600, np.float32), 16_000)
    render_file(face, sound, tmp_path / "out.mp4", fps=SessionConfig().fps, size_px=64)


@pytest.mark.parametrize("way", [speak, live, present, swap, to_file])
def test_no_way_out_without_an_answer(way: Callable[[Somebody, Path], None], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=NOBODY_SAID):
        way(Somebody(), tmp_path)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("way", [speak, live, present, swap, to_file])
@pytest.mark.parametrize("said", ["environment", "settings", "kept"])
def test_whatever_was_said_counts(
    said: str,
    way: Callable[[Somebody, Path], None],
    tmp_path: Path,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if said == "environment":
        monkeypatch.setenv("VIVANT_CONSENT", "agreed")
    elif said == "settings":
        (cache_dir / "config").mkdir()
        (cache_dir / "config" / "config.toml").write_text('consent = "me"')
    else:
        keep_consent(SHA256, Consent.UNREAL)
    way(Somebody(), tmp_path)


def test_the_presenter_may_be_told(tmp_path: Path) -> None:
    presenter = Presenter(Somebody(), size_px=64, consent=Consent.ME)
    assert presenter.present(REST) is not None
    presenter.show(Somebody())


def test_a_portrait_opened_with_an_answer_speaks_and_one_without_is_a_plain_renderer(friend: Path) -> None:
    told = open_portrait(friend, consent="agreed")
    assert told.consent is Consent.AGREED
    FaceStream(told, size_px=64)
    untold = open_portrait(friend)
    assert untold.open(64).render(REST).pixels.shape == (64, 64, 4)
    with pytest.raises(InputError, match=NOBODY_SAID):
        FaceStream(untold, size_px=64)


def test_opening_says_what_an_answer_is(friend: Path) -> None:
    with pytest.raises(InputError, match="consent must be one of me, agreed, unreal, synthetic, got 'maybe'"):
        open_portrait(friend, consent="maybe")
    with pytest.raises(InputError, match=REFUSED[:40]):
        open_portrait(friend, consent="other")


def test_bundled_portraits_and_motion_alone_show_nobody(ada: RigFace) -> None:
    FaceStream(ada, size_px=64)
    with FaceStream(Somebody(), size_px=64, pictures=False) as stream:
        items = [*stream.push(np.zeros(8_000, np.float32)), *stream.finish()]
    assert all(item.picture is None for item in items if isinstance(item, Output)) and len(items) > 10
    stream.draws = True
    with pytest.raises(InputError, match="motion alone"):
        stream.presenter.present(REST)


def test_a_running_session_keeps_its_face_when_the_next_is_refused() -> None:
    async def story() -> Session:
        async with Session(PlainFace(), SessionConfig(size_px=64, paced=False)) as session:
            with pytest.raises(InputError, match=NOBODY_SAID):
                await session.set_face(Somebody(), "2")
            await session.push(np.zeros(3_200, np.float32))
            await session.finish()
            pictures = [item.picture async for item in session if isinstance(item, Output)]
        assert len(pictures) > 3 and None not in pictures
        return session

    assert asyncio.run(story()).stream.presenter.portrait == ""
