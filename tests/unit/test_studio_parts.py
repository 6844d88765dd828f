"""Parts of the studio: what a show's messages hold, and how they are placed in a film."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest

from tests.conftest import portrait_path
from vivant import InputError, PixelFormat, Pose, VideoFrame, arkit_weights
from vivant.errors import OutputError
from vivant.face import RigFace
from vivant.media import open_audio, open_video
from vivant.pixels import encoded

pytest.importorskip("starlette")
from vivant.server.clients import Clients
from vivant.web.frames import HEAD, MOTION, PICTURE, SOUND
from vivant_bridge.studio.app import TOKEN_FILE, watch_token
from vivant_bridge.studio.presets import MOST, keep_preset, preset_of
from vivant_bridge.studio.recording import WAITING, Film, Recording, production_of
from vivant_bridge.studio.show import Piece, Show, Shows

pytestmark = pytest.mark.unit

RATE_HZ, SIDE_PX = 48_000, 512
CONFIG = {"portrait": "ada", "fps": 30, "sample_rate_hz": RATE_HZ, "pictures": "jpeg", "size_px": SIDE_PX}


def ready(**config: object) -> str:
    return json.dumps({"type": "ready", "session": "1a2b3c4d", "client": "name", "config": CONFIG | config})


READY = ready()
PRESET = {"controls": {"emotion": "happy"}, "stage": {"background": "blur", "label_corner": "auto"}}


def message(kind: int, pts_us: int, body: bytes, number: int = 1, n_colours: int = 0) -> bytes:
    return HEAD.pack(kind, 1, SIDE_PX, 3, pts_us, number, n_colours) + body


def picture(pts_us: int, grey: int, side_px: int = SIDE_PX) -> bytes:
    pixels = np.full((side_px, side_px, 4), grey, np.uint8)
    jpeg = encoded(VideoFrame(0, pts_us, pixels, PixelFormat.RGBA), PixelFormat.JPEG).pixels.tobytes()
    return message(PICTURE, pts_us, jpeg, n_colours=len(jpeg))


def sound(pts_us: int, samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> bytes:
    return message(SOUND, pts_us, samples.astype("<i2").tobytes(), RATE_HZ)


def test_motion_travels_whole() -> None:
    weights = arkit_weights(jawOpen=0.5)
    rest = np.arange(1, 17, dtype="<f4")
    motion = Piece.parse(message(MOTION, 40_000, weights.tobytes() + rest.tobytes(), number=7)).motion()
    assert (motion.index, motion.pts_us, motion.gaze, motion.tongue) == (7, 40_000, (7.0, 8.0), (9.0, 10.0))
    assert np.array_equal(motion.weights, weights)
    assert (motion.pose, motion.body) == (Pose(1, 2, 3, 4, 5, 6), Pose(11, 12, 13, 14, 15, 16))


def test_a_show_knows_whose_it_is_and_tells_its_watchers() -> None:
    shows, show = Shows(), Show()
    heard: list[Show] = []
    client = Clients.named("name", "")
    with pytest.raises(InputError, match="no face of this page"):
        shows.of(client)
    shows.on_ready = heard.append
    shows.pass_on(show, READY)
    assert shows.of(client) is show is heard[0] and show.session_id == 0x1A2B3C4D
    with pytest.raises(InputError, match="no face of this page"):
        shows.of(Clients.named("another", ""))
    pieces: list[Piece] = []
    show.watchers.add(lambda piece, _: pieces.append(piece))
    shows.pass_on(show, message(SOUND, 5, b"\0\0"))
    assert [(piece.kind, piece.pts_us, piece.epoch) for piece in pieces] == [(SOUND, 5, 3)]


def test_a_show_knows_which_utterance_is_spoken() -> None:
    show = Show()
    show.take(READY)
    for kind, name, spoken in (
        ("utterance_started", "one", "one"),
        ("utterance_started", "two", "two"),
        ("utterance_finished", "one", "two"),
        ("interrupted", "two", ""),
    ):
        show.take(json.dumps({"type": kind, "utterance_id": name}))
        assert show.utterance == spoken


def test_a_film_begins_with_its_first_picture_and_no_sound_is_heard_twice(tmp_path: Path) -> None:
    out, second = tmp_path / "film.mp4", 1_000_000
    loud = np.full(RATE_HZ // 2, 8000, np.int16)
    with open_video(out, width=SIDE_PX, height=SIDE_PX, fps=Fraction(30), sample_rate_hz=RATE_HZ, alpha=False) as video:
        film = Film(video, Fraction(30), RATE_HZ, SIDE_PX)
        film.add(Piece.parse(sound(9 * second, loud)))  # before the film
        film.add(Piece.parse(picture(10 * second, 40)))
        film.add(Piece.parse(sound(10 * second, loud)))
        film.add(Piece.parse(sound(10 * second + second // 4, loud)))  # overlaps, as after an interruption
        film.add(Piece.parse(picture(10 * second + 33_000, 200)))
        film.add(Piece.parse(picture(10 * second + 34_000, 90)))  # the same frame again
        film.add(Piece.parse(picture(11 * second, 40)))
    assert film.seconds == pytest.approx(1.0)
    with open_audio(out) as heard:
        samples = np.concatenate([chunk.samples for chunk in heard.chunks()])
    assert len(samples) / heard.sample_rate_hz == pytest.approx(0.75, abs=0.05)


def test_a_film_that_cannot_be_written_holds_nobody_up(ada: RigFace, tmp_path: Path) -> None:
    """Its encoder has given up, as on a full disk, and takes nothing any more; the show goes on, and ends, all the same."""
    show = Show()
    show.take(READY)
    film = Recording(show, tmp_path / "no folder" / "film.mp4", production_of(ada, portrait_path("ada"), None, show), {})
    noise = Piece.parse(sound(0, np.zeros(480, np.int16)))
    for _ in range(WAITING + 10):
        for watcher in tuple(show.watchers):
            watcher(noise, b"")
    ending = Thread(target=lambda: [end() for end in tuple(show.on_end)], daemon=True)
    ending.start()
    ending.join(5)
    assert not ending.is_alive(), "the event loop would stand still"
    with pytest.raises(OutputError, match="does not exist"):
        film.finish()


def test_a_film_is_as_large_as_the_pictures_of_its_page(ada: RigFace, tmp_path: Path) -> None:
    show, out = Show(), tmp_path / "film.mp4"
    show.take(ready(size_px=96))
    film = Recording(show, out, production_of(ada, portrait_path("ada"), None, show), {})
    for number, side_px in enumerate((96, 48)):  # the second of a low level of detail
        message = picture(number * 40_000, 200, side_px)
        for watcher in tuple(show.watchers):
            watcher(Piece.parse(message), message)
    film.finish()
    with av.open(out) as made:
        assert [(frame.width, frame.height) for frame in made.decode(video=0)] == [(96, 96)] * 2


@pytest.mark.parametrize(("config", "word"), [({"size_px": 301}, "even size"), ({"pictures": "none"}, "nothing to film")])
def test_what_could_be_no_film_is_refused_when_it_would_begin(
    ada: RigFace, tmp_path: Path, config: dict[str, object], word: str
) -> None:
    show = Show()
    show.take(ready(**config))
    production = production_of(ada, portrait_path("ada"), None, show)
    with pytest.raises(InputError, match=word):
        Recording(show, tmp_path / "film.mp4", production, {})
    assert not show.watchers and not show.on_end


def test_presets_kept_at_the_same_time_are_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path))
    names = [str(number) for number in range(40)]
    with ThreadPoolExecutor(8) as pages:
        list(pages.map(lambda name: keep_preset(name, PRESET), names))
    assert all(preset_of(name) == PRESET for name in names)


def test_an_empty_token_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a full disk may leave its file."""
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path))
    (tmp_path / TOKEN_FILE).write_text("\n")
    token = watch_token()
    assert len(token) > 16 and watch_token() == token


def test_presets_are_bounded_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(tmp_path))
    assert preset_of("a") == {}
    for number in range(MOST + 1):
        keep_preset(str(number), PRESET)
    assert preset_of("0") == {} and preset_of(str(MOST)) == PRESET
    assert (tmp_path / "studio.json").stat().st_mode & 0o077 == 0
    (tmp_path / "studio.json").write_text("damaged")
    assert preset_of(str(MOST)) == {}
