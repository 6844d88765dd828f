"""``vivant learn``: a film of somebody and their portrait to a rig with a finish."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import portrait_path
from tests.session.command_line import Run
from vivant.face import RigFace, open_portrait
from vivant.learn import learning
from vivant.media import open_video
from vivant.rig.cache import cache_folder
from vivant.rig.seal import is_sealed
from vivant.types import MotionFrame, PixelFormat, UInt8Array, VideoFrame, arkit_weights

pytestmark = pytest.mark.session

FPS, FRAMES, SIZE_PX = Fraction(15), 150, 320
GREEN = np.array((30, 200, 90), np.uint8)
"""Of the teeth of somebody who does not exist."""


def write_film(path: Path, pictures: Sequence[UInt8Array]) -> Path:
    with open_video(path, width=SIZE_PX, height=SIZE_PX, fps=FPS, sample_rate_hz=None, alpha=False) as sink:
        for index, picture in enumerate(pictures):
            sink.write(VideoFrame(index, 0, picture, PixelFormat.RGB))
    return path


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    return write_film(tmp_path / "nobody.mp4", [np.full((SIZE_PX, SIZE_PX, 3), 90, np.uint8)] * 4)


@pytest.mark.usefixtures("builds")
def test_what_cannot_be_learnt_from_is_said_in_a_sentence_and_nothing_is_written(
    run: Run, tmp_path: Path, nobody: Path
) -> None:
    portrait, out = str(portrait_path("ada")), tmp_path / "me.vivant"
    assert "must end in .vivant" in run("learn", str(nobody), "--portrait", portrait, "-o", str(tmp_path / "me.png")).sentence()
    assert "does not exist" in run("learn", "no.mp4", "--portrait", portrait, "-o", str(out)).sentence()
    own = tmp_path / "own.vivant"
    own.write_bytes(b"somebody's")
    assert "own.vivant" in run("learn", str(nobody), "--portrait", str(own), "-o", str(own)).sentence()
    pytest.importorskip("torch")
    assert "was seen in 0 pictures" in run("learn", str(nobody), "--portrait", portrait, "-o", str(out)).sentence()
    assert not out.exists() and own.read_bytes() == b"somebody's"


def test_without_torch_the_extra_is_named(run: Run, tmp_path: Path, nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "TRAINER", "vivant.learn.not_there")
    done = run("learn", str(nobody), "--portrait", str(portrait_path("ada")), "-o", str(tmp_path / "me.vivant"))
    assert 'pip install ".[learn]"' in done.sentence()


@pytest.mark.slow
def test_a_film_teaches_its_own_teeth(run: Run, tmp_path: Path, ada: RigFace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody like ada, but with green teeth, talks for ten seconds; the rig that comes back has green teeth, is sealed and
    says whom it was learnt from; nothing of the film is left in the cache.
    """
    pytest.importorskip("torch")
    out, film = tmp_path / "me.vivant", write_film(tmp_path / "me.mp4", list(_green(ada)))
    monkeypatch.setenv("VIVANT_CONSENT", "synthetic")
    done = run("learn", str(film), "--portrait", str(portrait_path("ada")), "-o", str(out), "--steps", "120")
    assert done.code == 0 and "inside the lips" in done.out
    face = open_portrait(out)
    assert face.name.endswith("personal finish") and is_sealed(out.read_bytes())
    assert face.rig.finish is not None and face.rig.finish.card.consent == "synthetic"
    assert face.rig.finish.card.error_after < 0.7 * face.rig.finish.card.error_before
    wide = MotionFrame(0, 0, arkit_weights(jawOpen=0.35, mouthUpperUpLeft=0.4, mouthUpperUpRight=0.4))
    painted, plain = (renderer.render(wide).pixels for renderer in (face.open(512), face.open_rig(512)))
    teeth = plain[..., :3].min(axis=2) > 150
    changed = teeth & (painted != plain).any(axis=2)
    excess = painted[changed][:, 1].astype(int) - painted[changed][:, 0]
    assert changed.sum() > 50 and np.median(excess) > 30
    assert not list((cache_folder() / "learning").rglob("*.*"))


def _green(ada: RigFace) -> list[UInt8Array]:
    renderer, pictures = ada.open(SIZE_PX), []
    for index in range(FRAMES):
        t = index / float(FPS)
        opened = 0.0 if t < 1 else 0.45 * float(np.sin(2.3 * t) ** 2)
        motion = MotionFrame(index, 0, arkit_weights(jawOpen=opened, mouthUpperUpLeft=opened, mouthUpperUpRight=opened))
        picture = renderer.render(motion).pixels[..., :3].copy()
        rows = slice(int(SIZE_PX * 0.5), int(SIZE_PX * 0.75))
        part = picture[rows]
        part[(part.min(axis=2) > 140) & (np.ptp(part, axis=2) < 45)] = GREEN
        pictures.append(picture)
    return pictures


@pytest.mark.parametrize("words", [("cache", "clear"), ("uninstall", "--yes")])
def test_what_is_kept_of_a_film_goes_with_the_rest(run: Run, words: tuple[str, ...]) -> None:
    kept = cache_folder() / "learning" / "film-portrait" / learning.EXAMPLES.format(part="mouth")
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"patches of a film")
    assert run(*words).code == 0
    assert not (cache_folder() / "learning").exists()
