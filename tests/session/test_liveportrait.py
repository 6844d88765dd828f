"""LivePortrait's form of graphs behind `Face`: toy graphs of the same names and shapes (tests/liveportrait_toys.py)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import portrait_path
from tests.liveportrait_toys import BINS, write_toys
from vivant.face import RigFace
from vivant.liveportrait.face import LICENCE, LivePortraitFace, open_liveportrait
from vivant.liveportrait.fit import cached_map
from vivant.liveportrait.graphs import Graphs
from vivant.liveportrait.keypoints import Posture, rotation, slider_slopes
from vivant.portrait import PortraitAnalyser, Provider
from vivant.providers import Network
from vivant.rig.cache import cache_folder
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, Pose, arkit_weights

pytestmark = pytest.mark.session

SIZE_PX = 128
REST, OPEN = MotionFrame(0, 0, arkit_weights()), MotionFrame(1, 40_000, arkit_weights(jawOpen=0.7), pose=Pose(yaw_deg=8.0))


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toys(tmp_path_factory.mktemp("toys"))


def opened(folder: Path, analyser: PortraitAnalyser, monkeypatch: pytest.MonkeyPatch) -> LivePortraitFace | RigFace:
    monkeypatch.setenv("VIVANT_LIVEPORTRAIT", str(folder))
    return open_liveportrait(portrait_path("ada"), analyser=analyser, provider=Provider.CPU)


@pytest.mark.usefixtures("builds")
def test_our_motion_draws_by_graphs_of_that_form(
    toys: Path, analyser: PortraitAnalyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = opened(toys, analyser, monkeypatch)
    assert isinstance(face, LivePortraitFace) and LICENCE in face.notes and face.face_box is not None
    renderer = face.open(SIZE_PX)
    rest, moved = renderer.render(REST).pixels.copy(), renderer.render(OPEN)
    assert moved.pixels.shape == (SIZE_PX, SIZE_PX, 4) and (moved.index, moved.pts_us) == (1, 40_000)
    assert (moved.pixels != rest).any() and (moved.pixels[..., 3] == 255).all()
    np.testing.assert_array_equal(face.open(SIZE_PX).render(REST).pixels, rest)
    kept = list(cache_folder().glob("*.liveportrait.npz"))
    assert len(kept) == 1
    kept[0].write_bytes(kept[0].read_bytes()[:500])
    again = opened(toys, analyser, monkeypatch)
    assert isinstance(again, LivePortraitFace)
    np.testing.assert_array_equal(again.map.shapes, face.map.shapes)


@pytest.mark.usefixtures("builds")
@pytest.mark.parametrize("missing", ["warping_spade", "stitching"])
def test_the_rig_draws_where_a_graph_is_missing(
    missing: str, tmp_path: Path, analyser: PortraitAnalyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = opened(write_toys(tmp_path, leave_out=missing), analyser, monkeypatch)
    assert isinstance(face, RigFace) and f"{missing}.onnx is not in" in face.notes[-1]


@pytest.mark.usefixtures("builds")
def test_the_rig_draws_where_graphs_are_others_or_none_are_named(
    toys: Path, tmp_path: Path, analyser: PortraitAnalyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in toys.iterdir():
        (tmp_path / path.name).write_bytes((toys / "stitching.onnx").read_bytes())
    assert "another export" in opened(tmp_path, analyser, monkeypatch).notes[-1]
    (tmp_path / "stitching.onnx").write_bytes(b"no graph")
    assert isinstance(opened(tmp_path, analyser, monkeypatch), RigFace)
    monkeypatch.delenv("VIVANT_LIVEPORTRAIT")
    face = open_liveportrait(portrait_path("ada"), analyser=analyser)
    assert isinstance(face, RigFace) and "VIVANT_LIVEPORTRAIT" in face.notes[-1]


@pytest.mark.parametrize(("batch", "most"), [("n", 5), (1, 1)])
def test_faces_that_wait_are_drawn_in_one_run_and_each_gets_its_own(batch: int | str, most: int, tmp_path: Path) -> None:
    graphs, sizes, chance = Graphs(write_toys(tmp_path, batch), Provider.CPU), list[int](), np.random.default_rng(0)
    network, volume = graphs.networks["warping_spade"], chance.random((1, 32, 16, 64, 64), np.float32)
    points = chance.random((5, 21, 3), np.float32)
    alone = [network.run(volume, one[None], points[0][None])[0][0] for one in points]

    class Counting(Network):
        def run(self, *inputs: Float32Array) -> list[Float32Array]:
            sizes.append(len(inputs[1]))
            return super().run(*inputs)

    class Arriving(list[object]):
        def append(self, asked: object) -> None:
            super().append(asked)
            arrived.release()

    graphs.networks["warping_spade"], arrived = Counting(network.runner, network.provider), threading.Semaphore(0)
    graphs._waiting = Arriving()  # type: ignore[assignment]
    with ThreadPoolExecutor(5) as pool:
        with graphs._drawing:  # all of them come while another one draws
            answers = [pool.submit(graphs.draw, volume, one, points[0]) for one in points]
            assert all(arrived.acquire(timeout=20) for _ in points)
        for wanted, answer in zip(alone, answers, strict=True):
            np.testing.assert_allclose(answer.result(20), wanted, atol=1e-5)
    assert max(sizes) == most and sum(sizes) == 5


def test_numbers_become_points_as_published() -> None:
    """Angles are means of bins; nothing turned, nothing expressed and no shift leaves the points; depth is not shifted."""
    answers = {name: np.zeros((1, width), np.float32) for name, width in BINS.items()}
    answers["pitch"][0, 40], answers["scale"][0, 0], answers["t"][0] = 50.0, 2.0, (0.5, -0.5, 9.0)
    answers["kp"] = np.random.default_rng(0).random((1, 63), np.float32)
    posture = Posture.of(answers)
    np.testing.assert_allclose(posture.angles_deg, (40 * 3 - 97.5, 0.0, 0.0), atol=1e-3)
    placed = posture.placed(-posture.angles_deg, np.zeros((21, 3), np.float32))
    np.testing.assert_allclose(placed, 2 * posture.points + np.array((0.5, -0.5, 0), np.float32), atol=1e-5)
    np.testing.assert_allclose(np.array([0, 0, 1]) @ rotation(0, 90, 0), (1, 0, 0), atol=1e-6)


def test_the_fit_begins_with_the_published_slopes_and_follows_what_it_sees(
    toys: Path, ada: RigFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extractor that sees nothing leaves the sliders' slopes, less what two looks at nothing say."""
    graphs = Graphs(toys, Provider.CPU)
    blank = graphs.posture(np.zeros((1, 3, 256, 256), np.float32))
    found = cached_map(ada, graphs, lambda pixels: blank)
    jaw = ARKIT_INDEX["jawOpen"]
    np.testing.assert_allclose(found.shapes[jaw], slider_slopes()[jaw] * 0.3 / 1.55, atol=1e-6)
    assert not found.turns.any() and not found.gaze.any()
