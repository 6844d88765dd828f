"""What a program of 0.1 says still works in 0.2, with a warning that names what to say instead."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import vivant
from tests.session.live import opened
from tests.session.server_kit import SIZE_PX, kind_of, picture, picture_in, run_served, settings, tone, until
from vivant.client import Client, RemoteFrame, RemoteSession
from vivant.face import RigFace
from vivant.server.server import Server
from vivant.testing import PlainFace, run_virtual

pytestmark = [pytest.mark.session, pytest.mark.realtime]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "upgrading.md"


def test_a_talker_gives_the_pictures_of_a_stream() -> None:
    voice = tone(0.5).astype(np.float32)
    with pytest.warns(DeprecationWarning, match=r"vivant\.FaceStream"):
        talker = vivant.Talker(PlainFace(), fps=30, size_px=SIZE_PX, seed=3)
    with talker:
        frames = [*talker.push(voice, sample_rate_hz=16_000), *talker.end()]
    with vivant.FaceStream(PlainFace(), fps=30, size_px=SIZE_PX, seed=3) as stream:
        items = [*stream.push(voice), *stream.end()]
    pictures = [item.picture for item in items if isinstance(item, vivant.Output)]
    assert len(frames) == 15
    assert [frame.pts_us for frame in frames] == [made.pts_us for made in pictures if made is not None]


def test_a_session_takes_its_controls_as_a_value() -> None:
    async def story() -> None:
        session, happy = opened(), vivant.Controls(emotion=vivant.Emotion.HAPPY)
        with pytest.warns(DeprecationWarning, match="set_controls"):
            session.controls = happy
        assert session.controls == session.stream.controls == happy
        with pytest.warns(DeprecationWarning, match="pace"):
            assert session.due_us(0) == session.pace.due_us(0)
        await session.close()

    run_virtual(story())


def test_a_remote_face_has_its_old_name_and_verbs() -> None:
    import vivant.client as package

    with pytest.warns(DeprecationWarning, match="RemoteSession"):
        assert package.RemoteFace is RemoteSession
    with pytest.raises(AttributeError, match="RemoteFaces"):
        package.RemoteFaces  # noqa: B018

    async def story(server: Server, client: Client) -> None:
        async with client.animate(picture(10), settings()) as face:
            with pytest.warns(DeprecationWarning, match="set_controls"):
                await face.steer(vivant.Controls(mouth=0.0))
            with pytest.warns(DeprecationWarning, match="set_priority"):
                await face.matter(90, 2.0)
            with pytest.warns(DeprecationWarning, match="set_portrait"):
                await face.show(picture(200))
            before, said = await until(face, "PORTRAIT_CHANGED")
            after = await anext(item async for item in face if isinstance(item, RemoteFrame))
            assert [kind_of(item) for item in said] == ["PORTRAIT_CHANGED"]
            assert all(isinstance(item, RemoteFrame) for item in before)
            assert abs(float(picture_in(after)[..., :3].mean()) - 200) < 40

    run_served(story)


def test_the_page_names_only_what_there_is() -> None:
    """Every `vivant.X` of its right column exists."""
    names = re.findall(r"`vivant\.([A-Z]\w+)`", PAGE.read_text(encoding="utf-8"))
    assert "FaceStream" in names and len(names) > 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [name for name in names if not hasattr(vivant, name)] == []


def test_a_new_stream_is_labelled_where_a_talker_was_not(ada: RigFace) -> None:
    from vivant.provenance.watermark_detector import detect

    with vivant.FaceStream(ada, sample_rate_hz=16_000) as stream:
        items = [*stream.push(tone(0.3).astype(np.float32)), *stream.finish()]
    pictures = [item.picture.pixels[..., :3] for item in items if isinstance(item, vivant.Output) and item.picture is not None]
    assert detect(pictures) is not None


def test_modules_of_provenance_have_their_old_names_too() -> None:
    from vivant.provenance import credentials, production, watermark_code

    assert import_module("vivant.honest.credentials") is credentials
    assert import_module("vivant.honest.code") is watermark_code
    assert import_module("vivant.honest.produce") is production
    assert credentials.__spec__ is not None and credentials.__spec__.name == "vivant.provenance.credentials"
