"""Learning: a film of somebody whose mouth is known becomes a better mouth, and what is broken off goes on. Needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vivant.face import RigFace
from vivant.finish.network import N_MOTION, load
from vivant.finish.synthetic import GREY, N_PORTRAIT, chroma, folded, portrait_of
from vivant.learn.film import APART, Examples, Seen, compared, smoothed
from vivant.learn.score import error, lab, sharpness
from vivant.rig.canonical import N_SURFACE
from vivant.rig.rig import Rig
from vivant.types import MotionFrame, Pose, UInt8Array, arkit_weights

pytestmark = pytest.mark.unit

HEIGHT, WIDTH, N = 24, 32, 24


def examples() -> Examples:
    """A grey bar that should be white above and dark below, inside a mask; the skin around it is another colour in the film."""
    rig, truth = np.full((N, HEIGHT, WIDTH, 3), 150, np.uint8), np.full((N, HEIGHT, WIDTH, 3), 190, np.uint8)
    mask = np.zeros((N, HEIGHT, WIDTH), np.uint8)
    for k in range(N):
        low = 12 + k % 6
        rig[k, 8:low, 8:24], mask[k, 8:low, 8:24] = 90, 255
        truth[k, 8:10, 8:24], truth[k, 10:low, 8:24] = 230, 30
    return Examples(rig, mask, np.zeros((N, N_MOTION), np.float32), truth, mask > 0)


def test_a_rigs_own_pictures_lie_upon_what_it_draws(small_ada: Rig) -> None:
    """Of mouth and both eyes, one after the other; only what moves is compared and may be painted."""
    face, seen, pictures = RigFace(small_ada), list[Seen](), list[UInt8Array]()
    renderer = face.open_rig(512)
    shapes: list[dict[str, float]] = [{}, {"jawOpen": 0.5}, {"eyeBlinkLeft": 0.9}]
    for number, weights in enumerate(shapes):
        motion = MotionFrame(number, 0, arkit_weights(**weights), pose=Pose(yaw_deg=3.0 * number, roll_deg=4.0 * number))
        pictures.append(renderer.render(motion).pixels[..., :3].copy())
        seen.append(Seen(number, renderer.places(N_SURFACE).copy(), motion))
    found = compared(pictures, seen, face, smoothing=APART)
    assert len(found["mouth"]) == 3 and len(found["eyes"]) == 6
    for examples in found.values():
        assert np.abs(examples.rig.astype(int) - examples.truth).mean() < 1.0
        np.testing.assert_array_equal(examples.inside.any(axis=(1, 2)), examples.mask.any(axis=(1, 2)))
    assert found["mouth"].inside.any(axis=(1, 2)).tolist() == [False, True, False]
    assert found["eyes"].inside.any(axis=(1, 2)).tolist() == [False] * 5 + [True]


def test_a_few_steps_paint_nearer_to_the_film_and_nothing_outside_the_mask() -> None:
    training = pytest.importorskip("vivant.learn.training", exc_type=ImportError)
    known = examples()
    painted = training.paint(known, training.train(known, 60))
    before, after = (error(patches, known.truth, known.inside) for patches in (known.rig, painted))
    assert after < 0.8 * before
    outside = known.mask == 0
    np.testing.assert_array_equal(painted[outside], known.rig[outside])


def test_training_that_was_broken_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = pytest.importorskip("vivant.learn.training", exc_type=ImportError)
    monkeypatch.setattr(training, "SAVE_EVERY", 2)
    kept, steps, known = tmp_path / "training.pt", list[int](), examples()

    def stop(step: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(known, 6, kept=kept, heard=stop)
    resumed = training.train(known, 6, kept=kept, heard=lambda step, loss: steps.append(step))
    assert steps == [3, 4, 5, 6]
    whole = training.train(known, 6)
    for name, array in whole.items():
        np.testing.assert_allclose(resumed[name], array, atol=1e-3)


def test_what_torch_trains_is_what_the_graph_computes() -> None:
    network = pytest.importorskip("vivant.learn.network", exc_type=ImportError)
    torch, chance = network.torch, np.random.default_rng(0)
    module = network.FinishModule()
    for parameter in module.parameters():
        parameter.data = parameter.data.half().float() * 2
    patch, motion = chance.random((2, 4, 24, 32), np.float32), chance.random((2, N_MOTION), np.float32)
    wanted = module(torch.from_numpy(patch), torch.from_numpy(motion)).detach().numpy()
    np.testing.assert_allclose(load(module.arrays()).run(patch, motion)[0], wanted, atol=1e-4)


def test_a_shared_network_folds_into_plain_arrays() -> None:
    """What it is told of a portrait as of a motion, and told once for all, is the same; and grey stays grey."""
    network = pytest.importorskip("vivant.learn.network", exc_type=ImportError)
    torch, chance = network.torch, np.random.default_rng(0)
    module = network.FinishModule(N_MOTION + N_PORTRAIT)
    for parameter in module.parameters():
        parameter.data = parameter.data.half().float() * 2
    patch, told = chance.random((1, 4, 24, 32), np.float32), chance.random((1, N_MOTION + N_PORTRAIT), np.float32)
    wanted = module(torch.from_numpy(patch), torch.from_numpy(told)).detach().numpy()
    wide, motion, portrait = module.arrays(), told[:, :N_MOTION], told[0, N_MOTION:]
    np.testing.assert_allclose(load(folded(wide, portrait, GREY, 1.0)).run(patch, motion)[0], wanted, atol=5e-3)
    grey = np.concatenate([np.repeat(patch[:, :1], 3, 1), patch[:, 3:]], 1)
    painted = load(folded(wide, portrait, GREY, 0.0)).run(grey, motion)[0][0]
    assert np.ptp(painted[:3], axis=0).max() < 1e-6 and np.abs(painted[:3] - grey[0, :3]).max() > 0.01
    assert portrait_of(patch[0]).shape == (N_PORTRAIT,) and chroma(grey[0], GREY) < 1e-6 < chroma(patch[0], GREY)


def test_colours_are_those_of_the_standard() -> None:
    """sRGB white, mid grey and pure red, by CIE 15; a black edge on white is a step of 100."""
    known = {(255, 255, 255): (100.0, 0.0, 0.0), (119, 119, 119): (50.0, 0.0, 0.0), (255, 0, 0): (53.2, 80.1, 67.2)}
    for rgb, wanted in known.items():
        np.testing.assert_allclose(lab(np.array([rgb], np.uint8))[0], wanted, atol=0.15)
    edge = np.zeros((1, 2, 2, 3), np.uint8)
    edge[:, :, 1] = 255
    assert sharpness(edge, np.ones((1, 2, 2), bool)) == pytest.approx(50.0, abs=0.1)
    assert np.isnan(error(edge, edge, np.zeros((1, 2, 2), bool)))


def test_smoothing_keeps_what_is_constant_and_complex() -> None:
    values = np.full((40, 3), 2 + 3j)
    assert np.abs(smoothed(values, 4.0) - values).max() < 1e-9
    noisy = np.random.default_rng(0).normal(0, 1, 400)
    assert smoothed(noisy, 5.0).std() < 0.4 and len(smoothed(noisy[:3], 25.0)) == 3
