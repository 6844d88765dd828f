"""Motion files: what another reader finds in them is the motion that went in."""

from __future__ import annotations

import csv
import io
import json
import math
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from vivant.avatars import all_weights
from vivant.errors import InputError, OutputError
from vivant.motion_files import FORMATS, write_motion
from vivant.motion_files.unity_clip import TOLERANCE
from vivant.types import ARKIT_INDEX, ARKIT_NAMES, Float32Array, MotionFrame, Pose, frame_pts_us

pytestmark = pytest.mark.unit

FPS = Fraction(30000, 1001)


def frames(n: int = 90) -> list[MotionFrame]:
    """A face that does something with every shape."""
    chance = np.random.default_rng(3)
    steps = np.cumsum(chance.normal(0, 0.05, (n, 52)), axis=0)
    return [
        MotionFrame(
            i,
            frame_pts_us(i, FPS),
            np.clip(steps[i], 0, 1).astype(np.float32),
            tongue=(0.1, 0.0),
            pose=Pose(10 * math.sin(i / 9), 5 * math.cos(i / 7), 3.0),
            gaze=(4.0, -3.0),
        )
        for i in range(n)
    ]


def written(tmp_path: Path, suffix: str, motion: list[MotionFrame]) -> bytes:
    write_motion(tmp_path / f"it's a line{suffix}", iter(motion), FPS)
    return (tmp_path / f"it's a line{suffix}").read_bytes()


def weights_of(motion: list[MotionFrame]) -> Float32Array:
    return np.array([all_weights(frame) for frame in motion])


def test_live_link_csv(tmp_path: Path) -> None:
    motion = frames()
    rows = list(csv.DictReader(io.StringIO(written(tmp_path, ".csv", motion).decode("ascii"))))
    assert len(rows) == 90 and len(rows[0]) == 63
    for name in ARKIT_NAMES:
        column = [float(row[name[0].upper() + name[1:]]) for row in rows]
        assert column == pytest.approx(list(weights_of(motion)[:, ARKIT_INDEX[name]]), abs=1e-6)
    assert float(rows[9]["HeadYaw"]) == pytest.approx(math.radians(10 * math.sin(1)), abs=1e-6)
    assert [row["Timecode"] for row in rows[28:32]] == [
        "00:00:00:28.000",
        "00:00:00:29.000",
        "00:00:01:00.000",
        "00:00:01:01.000",
    ]


def test_json_lines(tmp_path: Path) -> None:
    motion = frames()
    head, *lines = [json.loads(line) for line in written(tmp_path, ".jsonl", motion).splitlines()]
    assert head == {"vivant_motion": 1, "name": "it's a line", "fps": "30000/1001", "weights": list(ARKIT_NAMES)}
    for frame, line in zip(motion, lines, strict=True):
        assert line["pts_us"] == frame.pts_us
        assert line["weights"] == pytest.approx(list(frame.weights), abs=1e-5)
        assert line["pose"]["yaw_deg"] == pytest.approx(frame.pose.yaw_deg, abs=1e-5)
        assert (line["gaze"], line["tongue"]) == ([4.0, -3.0], [0.1, 0.0])


class UnityLoader(yaml.SafeLoader):
    """Unity's tags name classes by number."""


UnityLoader.add_multi_constructor("tag:unity3d.com,2011:", lambda loader, _, node: loader.construct_mapping(node, deep=True))


def test_a_unity_clip_misses_no_value_by_more_than_its_tolerance(tmp_path: Path) -> None:
    motion = frames(30)
    clip = yaml.load(written(tmp_path, ".anim", motion), UnityLoader)["AnimationClip"]
    assert clip["m_Name"] == "it's a line" and clip["m_SampleRate"] == pytest.approx(29.97, abs=0.01)
    times = [frame.pts_us / 1e6 for frame in motion]
    curves: dict[str, Any] = {curve["attribute"]: curve for curve in clip["m_FloatCurves"]}
    for name in ARKIT_NAMES:
        expected = 100 * weights_of(motion)[:, ARKIT_INDEX[name]]
        if expected.max() > TOLERANCE:
            curve = curves[f"blendShape.{name}"]
            assert (curve["classID"], curve["path"]) == (137, None)
            keys = curve["curve"]["m_Curve"]
            found = np.interp(times, [key["time"] for key in keys], [key["value"] for key in keys])
            assert found == pytest.approx(expected, abs=2 * TOLERANCE)
    head = curves["localEulerAnglesRaw.y"]["curve"]["m_Curve"]
    found = np.interp(times, [key["time"] for key in head], [key["value"] for key in head])
    assert found == pytest.approx([-frame.pose.yaw_deg for frame in motion], abs=2 * TOLERANCE)


def test_a_unity_clip_has_no_key_that_says_nothing(tmp_path: Path) -> None:
    still = [MotionFrame(i, frame_pts_us(i, FPS), np.full(52, 0.5, np.float32)) for i in range(100)]
    clip = yaml.load(written(tmp_path, ".anim", still), UnityLoader)["AnimationClip"]
    assert {len(curve["curve"]["m_Curve"]) for curve in clip["m_FloatCurves"]} == {2}


def test_vrm_animation(tmp_path: Path) -> None:
    motion = frames()
    document, numbers = glb(written(tmp_path, ".vrma", motion))
    extension = document["extensions"]["VRMC_vrm_animation"]
    assert extension["specVersion"] == "1.0" and document["extensionsUsed"] == ["VRMC_vrm_animation"]
    curves = {}
    for channel in document["animations"][0]["channels"]:
        sampler = document["animations"][0]["samplers"][channel["sampler"]]
        times, values = (accessor(document, numbers, sampler[side]) for side in ("input", "output"))
        assert times[:, 0] == pytest.approx([frame.pts_us / 1e6 for frame in motion], abs=1e-4)
        curves[channel["target"]["node"], channel["target"]["path"]] = values
    for name, said in extension["expressions"]["custom"].items():
        assert curves[said["node"], "translation"][:, 0] == pytest.approx(list(weights_of(motion)[:, ARKIT_INDEX[name]]))
    assert set(extension["expressions"]["preset"]) == {"aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight"}
    head = curves[extension["humanoid"]["humanBones"]["head"]["node"], "rotation"]
    assert np.linalg.norm(head, axis=1) == pytest.approx(np.ones(90), abs=1e-5)
    # The first frames turn to the left, up and to the left shoulder: in glTF's frame (x to the left, y up, z forward) the
    # face looks to +x and +y, and the top of the head leans to +x.
    assert turned(head[5], (0, 0, 1))[:2].min() > 0 and turned(head[5], (0, 1, 0))[0] > 0


def turned(quaternion: Float32Array, vector: tuple[float, float, float]) -> np.ndarray[Any, Any]:
    axis, v = quaternion[:3].astype(float), np.array(vector, float)
    rotated: np.ndarray[Any, Any] = v + 2 * np.cross(axis, np.cross(axis, v) + quaternion[3] * v)
    return rotated


def glb(data: bytes) -> tuple[dict[str, Any], bytes]:
    """After the glTF 2.0 specification, section 4.4."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    (text_length, text_kind), text_end = struct.unpack_from("<I4s", data, 12), 20 + struct.unpack_from("<I", data, 12)[0]
    (rest_length, rest_kind) = struct.unpack_from("<I4s", data, text_end)
    assert (text_kind, rest_kind, text_length % 4, rest_length % 4) == (b"JSON", b"BIN\0", 0, 0)
    return json.loads(data[20:text_end]), data[text_end + 8 :]


def accessor(document: dict[str, Any], numbers: bytes, index: int) -> Float32Array:
    entry = document["accessors"][index]
    view = document["bufferViews"][entry["bufferView"]]
    assert entry["componentType"] == 5126 and view["byteOffset"] % 4 == 0
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[entry["type"]]
    assert view["byteLength"] == 4 * width * entry["count"]
    return np.frombuffer(numbers, "<f4", width * entry["count"], view["byteOffset"]).reshape(-1, width)


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_frame_is_a_file_too(tmp_path: Path, suffix: str) -> None:
    assert written(tmp_path, suffix, frames(1))


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_half_written_stays(tmp_path: Path, suffix: str) -> None:
    def breaks() -> Any:  # noqa: ANN401
        yield frames(1)[0]
        raise InputError("the voice ends in a fault")

    (tmp_path / f"a{suffix}").write_text("older")
    with pytest.raises(InputError, match="fault"):
        write_motion(tmp_path / f"a{suffix}", breaks(), FPS)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"] and (tmp_path / f"a{suffix}").read_text() == "older"


def test_other_names_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv, \.jsonl, \.anim, \.vrma"):
        write_motion(tmp_path / "a.fbx", frames(1), FPS)
    with pytest.raises(OutputError):
        write_motion(tmp_path / "missing" / "a.csv", frames(1), FPS)
