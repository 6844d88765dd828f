"""Motion files: what another reader finds in them is the motion that went in."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pygltflib import GLTF2

from vivant.avatars import all_weights
from vivant.errors import InputError, OutputError
from vivant.motion_files import FORMATS, write_motion
from vivant.motion_files.unity_clip import TOLERANCE
from vivant.rig.canonical import canonical_face
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


@pytest.mark.full
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
    gltf = GLTF2.load_from_bytes(written(tmp_path, ".vrma", motion))
    extension = gltf.extensions["VRMC_vrm_animation"]
    assert extension["specVersion"] == "1.0" and gltf.extensionsUsed == ["VRMC_vrm_animation"]
    curves = curves_of(gltf, motion)
    for name, said in extension["expressions"]["custom"].items():
        assert curves[said["node"], "translation"][:, 0] == pytest.approx(list(weights_of(motion)[:, ARKIT_INDEX[name]]))
    assert set(extension["expressions"]["preset"]) == {"aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight"}
    require_turned(curves[extension["humanoid"]["humanBones"]["head"]["node"], "rotation"])


def test_gltf_animation(tmp_path: Path) -> None:
    motion = frames()
    gltf = GLTF2.load_from_bytes(written(tmp_path, ".glb", motion))
    assert [gltf.nodes[index].name for index in gltf.scenes[0].nodes] == ["Head"] and gltf.nodes[0].children == [1]
    curves = curves_of(gltf, motion)
    assert curves[1, "weights"].reshape(90, 52) == pytest.approx(weights_of(motion))
    require_turned(curves[0, "rotation"])


@pytest.mark.full
def test_a_gltf_animation_moves_a_face_by_targets_of_arkits_names(tmp_path: Path) -> None:
    gltf = GLTF2.load_from_bytes(written(tmp_path, ".glb", frames(1)))
    mesh, face = gltf.meshes[0], canonical_face()
    assert mesh.extras["targetNames"] == list(ARKIT_NAMES) and len(mesh.weights) == len(mesh.primitives[0].targets) == 52
    points = numbers(gltf, mesh.primitives[0].attributes.POSITION)
    assert np.ptp(points[:, 0]) == pytest.approx(0.148, abs=0.01)  # metres: a head
    for name, target in zip(ARKIT_NAMES, mesh.primitives[0].targets, strict=True):
        field = face.fields[ARKIT_INDEX[name], : len(points)] * face.cm_per_unit / 100
        assert numbers(gltf, target["POSITION"]) == pytest.approx(field, abs=2e-5), name
    triangles = numbers(gltf, mesh.primitives[0].indices)
    assert triangles.reshape(-1, 3) == pytest.approx(face.triangles)


def curves_of(gltf: GLTF2, motion: list[MotionFrame]) -> dict[tuple[int, str], Float32Array]:
    """Curves of the one animation by node and path; checks that they begin and end with the motion."""
    animation, curves = gltf.animations[0], {}
    assert animation.name == "it's a line"
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        times = numbers(gltf, sampler.input)[:, 0]
        assert times == pytest.approx([frame.pts_us / 1e6 for frame in motion], abs=1e-4)
        assert gltf.accessors[sampler.input].max == pytest.approx([times[-1]])
        curves[channel.target.node, channel.target.path] = numbers(gltf, sampler.output)
    return curves


def numbers(gltf: GLTF2, index: int) -> Float32Array:
    """(n, width) of an accessor, also a sparse one."""
    accessor = gltf.accessors[index]
    width, dtype = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type], {5126: "<f4", 5123: "<u2"}[accessor.componentType]
    if accessor.bufferView is not None:
        return np.frombuffer(view(gltf, accessor.bufferView), dtype).reshape(accessor.count, width)
    rows = np.zeros((accessor.count, width), np.float32)
    if accessor.sparse is not None:
        where = np.frombuffer(view(gltf, accessor.sparse.indices.bufferView), "<u2")
        assert len(where) == accessor.sparse.count and (np.diff(where.astype(int)) > 0).all()
        rows[where] = np.frombuffer(view(gltf, accessor.sparse.values.bufferView), "<f4").reshape(-1, width)
    return rows


def view(gltf: GLTF2, index: int) -> bytes:
    found = gltf.bufferViews[index]
    assert found.byteOffset % 4 == 0
    return bytes(gltf.binary_blob()[found.byteOffset : found.byteOffset + found.byteLength])


def require_turned(head: Float32Array) -> None:
    """The first frames turn to the left, up and to the left shoulder: in glTF's frame (x to the left, y up, z forward) the
    face looks to +x and +y, and the top of the head leans to +x."""
    assert np.linalg.norm(head, axis=1) == pytest.approx(np.ones(90), abs=1e-5)
    assert turned(head[5], (0, 0, 1))[:2].min() > 0 and turned(head[5], (0, 1, 0))[0] > 0


def turned(quaternion: Float32Array, vector: tuple[float, float, float]) -> np.ndarray[Any, Any]:
    axis, v = quaternion[:3].astype(float), np.array(vector, float)
    rotated: np.ndarray[Any, Any] = v + 2 * np.cross(axis, np.cross(axis, v) + quaternion[3] * v)
    return rotated


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_frame_is_a_file_too(tmp_path: Path, suffix: str) -> None:
    assert written(tmp_path, suffix, frames(1))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_name_that_is_no_text_is_written_without_what_is_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / os.fsdecode(b"line\xff\nm_Name: two" + suffix.encode())
    write_motion(path, frames(2), FPS)
    assert path.stat().st_size > 0 and b"\nm_Name: two" not in path.read_bytes()


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
    with pytest.raises(InputError, match=r"\.csv, \.jsonl, \.vmc, \.anim, \.vrma, \.tres, \.glb"):
        write_motion(tmp_path / "a.fbx", frames(1), FPS)
    for suffix in FORMATS:
        with pytest.raises(InputError, match="no frame of motion"):
            write_motion(tmp_path / f"a{suffix}", iter(()), FPS)
    with pytest.raises(OutputError):
        write_motion(tmp_path / "missing" / "a.csv", frames(1), FPS)
