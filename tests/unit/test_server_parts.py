"""The server's parts, each by itself: config, wire, ring, load shedder, conversions, security."""

from __future__ import annotations

import asyncio
import datetime
import errno
import gc
import os
import socket
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.session.server_kit import open_tint
from vivant.client import memory
from vivant.client.memory import attach, remove_abandoned
from vivant.clock import VirtualClock
from vivant.errors import InputError
from vivant.loopback import family_of, host_of, is_loopback, require_local
from vivant.render import _kernel
from vivant.server.config import resolve
from vivant.server.limits import Limits
from vivant.server.load_shedder import LoadShedder, Wanted
from vivant.server.ring import PREFIX, SLOTS, Ring
from vivant.server.security import Security, is_same_machine
from vivant.server.server import Server, ServerConfig
from vivant.server.status import StatusError
from vivant.server.workers import Load, WorkerPool
from vivant.session.presenter import LEAST_DETAIL, Presenter
from vivant.types import Controls, Emotion, MotionFrame, Pose, UInt8Array, arkit_weights
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import frame_response
from vivant.wire.values import controls_message, controls_of, motion_message, motion_of, samples_of

pytestmark = pytest.mark.unit


@given(data=st.binary(max_size=500), index=st.integers(0, 2**63), name=st.text(max_size=40))
def test_a_frame_put_together_by_hand_is_protobufs_own(data: bytes, index: int, name: str) -> None:
    head = pb.Frame(index=index, pts_us=index // 3, utterance_id=name, width_px=512)
    read = pb.AnimateResponse.FromString(frame_response(head, memoryview(data)))
    head.data = data
    assert read.frame == head


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (pb.SessionConfig(size_px=7), "size_px must be from 64 to 1024, got 7"),
        (pb.SessionConfig(fps=pb.Rational(numerator=500, denominator=1)), "fps must be from 12 to 60"),
        (pb.SessionConfig(fps=pb.Rational(denominator=1)), "fps.numerator"),
        (pb.SessionConfig(sample_rate_hz=96_000), "sample_rate_hz must be"),
        (pb.SessionConfig(pixel_format=9), "pixel_format 9 is unknown"),  # type: ignore[arg-type]
        (pb.SessionConfig(size_px=66, pixel_format=pb.PIXEL_FORMAT_I420), "multiple of 4"),
        (pb.SessionConfig(transparent=True, pixel_format=pb.PIXEL_FORMAT_JPEG), "transparent needs"),
        (pb.SessionConfig(controls=pb.Controls(gaze_yaw_deg=90)), "gaze yaw must be"),
        (pb.SessionConfig(controls=pb.Controls(gaze_yaw_deg=float("nan"))), "gaze yaw must be from -30 to 30 degrees, got nan"),
        (pb.SessionConfig(importance=pb.Importance(priority=101)), "priority must be"),
        (pb.SessionConfig(importance=pb.Importance(distance_m=float("nan"))), "distance_m must be"),
        (pb.SessionConfig(consent=pb.Consent(reference="x" * 300)), "at most 256 bytes"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(message: pb.SessionConfig, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        resolve(message, Limits())


def test_zero_is_a_value_where_it_can_be_meant() -> None:
    still = resolve(
        pb.SessionConfig(controls=pb.Controls(head_motion=0.0, intensity=0.0, mouth=0.5, singing=True)), Limits()
    ).controls
    assert still.head_motion == 0.0 and still.intensity == 0.0 and still.distance == 1.0
    assert still.mouth == 0.5 and still.singing


def test_controls_arrive_as_they_were_sent() -> None:
    sent = Controls((12.0, -7.0), 1.25, Emotion.SAD, 0.25, 0.5, 0.75, True)
    assert controls_of(controls_message(sent)) == sent
    assert controls_of(pb.Controls()) == Controls()


def test_motion_arrives_as_it_was_sent() -> None:
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    sent = MotionFrame(7, 233_333, weights, (0.25, 0.5), Pose(1.0, -2.0, 3.0, 0.5, -0.25, 1.125), (4.0, -5.0))
    got = motion_of(motion_message(sent, "line", 3))
    assert np.array_equal(got.weights, weights)
    assert [(each.index, each.pts_us, each.tongue, each.pose, each.gaze) for each in (got, sent)].count(
        (7, 233_333, (0.25, 0.5), sent.pose, (4.0, -5.0))
    ) == 2


def test_samples() -> None:
    assert np.allclose(samples_of(np.array([-32768, 0, 16384], "<i2").tobytes(), pb.AUDIO_FORMAT_PCM_S16LE), [-1, 0, 0.5])
    for data, audio_format in ((b"abc", pb.AUDIO_FORMAT_PCM_S16LE), (np.float32("nan").tobytes(), pb.AUDIO_FORMAT_F32LE)):
        with pytest.raises(InputError):
            samples_of(data, audio_format)
    assert np.array_equal(samples_of(np.array([-7, 0.5, 3], "<f4").tobytes(), pb.AUDIO_FORMAT_F32LE), [-1, 0.5, 1])


def test_a_portrait_that_is_no_longer_shown_is_let_go() -> None:
    first = open_tint(b"1", transparent=False)
    presenter = Presenter(first, size_px=64, portrait="1")
    presenter.present(MotionFrame(0, 0, arkit_weights()))
    gone = weakref.ref(first)
    del first
    presenter.show(open_tint(b"2", transparent=False), "2")
    gc.collect()
    assert gone() is None
    assert presenter.portrait == "2"


def test_a_ring_never_writes_what_the_client_may_still_read() -> None:
    ring = Ring(5000)
    try:
        slots = [ring.write(bytes([i]) * 10) for i in range(SLOTS)]
        assert [slot.sequence for slot in slots if slot] == list(range(1, SLOTS + 1))
        assert ring.write(b"x") is None
        ring.release(10_000)  # a lie
        assert ring.write(b"x") is None
        ring.release(2)
        again = ring.write(b"x"), ring.write(b"y"), ring.write(b"z")
        assert [slot.slot for slot in again if slot] == [0, 1] and again[2] is None
    finally:
        ring.close()


linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere shared memory is no file")


@linux
@pytest.mark.parametrize("harm", ["cut", "unlink", "folder"])
def test_a_client_that_harms_its_ring_harms_nobody_else(harm: str) -> None:
    ring = Ring(5000)
    path = memory.FOLDER / ring.message.name
    reader = attach(ring.message.name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_blocks * 512 >= SLOTS * ring.message.slot_bytes, "all of it is there before it is used"
    if harm == "cut":
        os.truncate(path, 0)
        with pytest.raises(OSError, match="cut"):
            reader.read(0, 10)
    else:
        path.unlink()
    if harm == "folder":
        path.mkdir()
    slot = ring.write(b"frame")
    assert slot is not None and reader.read(0, 5) == b"frame"
    reader.close()
    ring.close()
    if harm == "folder":
        path.rmdir()
    assert not path.exists()


@linux
def test_a_full_memory_is_an_error_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, first: int, n_bytes: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = set(memory.FOLDER.glob(f"{PREFIX}*"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space"):
            Ring(5000)
    assert set(memory.FOLDER.glob(f"{PREFIX}{os.getpid()}-*")) <= before


@linux
def test_rings_of_the_dead_are_removed_and_those_of_the_living_stay() -> None:
    code = (
        "from vivant.server.ring import Ring; ring = Ring(5000); print(ring.message.name, flush=True); import os; os._exit(9)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = memory.FOLDER / said.stdout.strip()
    ring = Ring(5000)
    try:
        assert left.exists()
        remove_abandoned(PREFIX)
        assert not left.exists() and (memory.FOLDER / ring.message.name).exists()
    finally:
        ring.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "nobody"])
def test_a_server_cannot_name_just_any_file(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        attach(name)


class Face:
    wanted: Wanted | None = None

    def __init__(self, priority: float, *, paced: bool = True) -> None:
        self.importance, self.detail, self.paced = (priority, 0.0), 0, paced

    def set_detail(self, level: int, why: str) -> None:
        self.detail = level


def test_overload_costs_the_least_important_first_and_is_given_back_last() -> None:
    clock = VirtualClock()
    with WorkerPool(clock, 1) as workers:
        load_shedder = LoadShedder(workers, clock, 8)
        far, near = Face(10), Face(90)
        for face in (far, near):
            load_shedder.admit(face)
        busy, calm = Load(0.99, 50_000), Load(0.2, 100)
        for _ in range(LEAST_DETAIL):
            load_shedder.judge(busy, 0)
            assert near.detail == 0
        assert far.detail == LEAST_DETAIL
        for _ in range(2 * LEAST_DETAIL):
            load_shedder.judge(busy, 0)
        assert near.detail == 0  # it is important, and there is another
        with pytest.raises(StatusError) as refused:
            load_shedder.admit(Face(50))
        assert refused.value.retry_after_ms
        load_shedder.admit(Face(90))
        for _ in range(4 * LEAST_DETAIL):
            load_shedder.judge(calm, 0)
        assert far.detail == 0
        load_shedder.leave(far)
        for _ in range(4 * LEAST_DETAIL):
            load_shedder.judge(busy, 0)
        assert near.detail == LEAST_DETAIL  # now there are only important ones


def test_of_those_that_may_lose_the_least_important_do_and_take_turns() -> None:
    clock = VirtualClock()
    with WorkerPool(clock, 1) as workers:
        load_shedder, faces = LoadShedder(workers, clock, 8), [Face(30), Face(10), Face(10)]
        for face in faces:
            load_shedder.admit(face)
        for details in ([0, 1, 0], [0, 1, 1], [0, 2, 1]):
            load_shedder.judge(Load(0.99, 50_000), 0)
            assert [face.detail for face in faces] == details


def test_a_call_that_is_never_late_keeps_its_quality_and_an_empty_server_takes_anyone() -> None:
    clock = VirtualClock()
    with WorkerPool(clock, 1) as workers:
        load_shedder, batch = LoadShedder(workers, clock, 8), Face(0, paced=False)
        load_shedder.admit(batch)
        for _ in range(2 * LEAST_DETAIL):
            load_shedder.judge(Load(0.99, 50_000), 0)
        assert batch.detail == 0
        load_shedder.leave(batch)
        load_shedder.admit(Face(50))


@given(pixels=hnp.arrays(np.uint8, (4, 6, 4)))
def test_conversions(pixels: UInt8Array) -> None:
    rgb = np.empty(4 * 6 * 3, np.uint8)
    _kernel.rgb_from_rgba(pixels, rgb)
    assert np.array_equal(rgb.reshape(4, 6, 3), pixels[..., :3])
    planes = np.empty(4 * 6 * 3 // 2, np.uint8)
    _kernel.i420_from_rgba(pixels, planes)
    r, g, b = (pixels[..., i].astype(float) for i in range(3))
    luma = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255
    assert np.abs(planes[:24].reshape(4, 6) - luma).max() <= 1.01
    means = [channel.reshape(2, 2, 3, 2).mean((1, 3)) for channel in (r, g, b)]
    u = 128 + (-37.797 * means[0] - 74.203 * means[1] + 112 * means[2]) / 255
    v = 128 + (112 * means[0] - 93.786 * means[1] - 18.214 * means[2]) / 255
    assert np.abs(planes[24:30].reshape(2, 3) - u).max() <= 1.3 and np.abs(planes[30:].reshape(2, 3) - v).max() <= 1.3


def test_a_conversion_needs_room_and_even_sides() -> None:
    with pytest.raises(ValueError, match="even"):
        _kernel.i420_from_rgba(np.zeros((3, 4, 4), np.uint8), np.zeros(18, np.uint8))
    with pytest.raises(ValueError, match="3 bytes"):
        _kernel.rgb_from_rgba(np.zeros((2, 2, 4), np.uint8), np.zeros(11, np.uint8))


def test_only_loopback_is_open() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "localhost.example", "")))
    assert host_of("[::1]:50051") == "[::1]" and host_of("render:443") == "render"
    assert is_same_machine("ipv4:127.0.0.1:5") and not is_same_machine("ipv4:10.0.0.1:5")
    with pytest.raises(InputError, match="TLS and a token are required"):
        Security("0.0.0.0")


def test_an_address_of_this_machine() -> None:
    for address, place in (
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("127.1.2.3:80", ("127.1.2.3", 80)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:5050", ("::1", 5050)),
        ("::1:5050", ("::1", 5050)),
    ):
        assert require_local(address, "it is", "tcp:127.0.0.1:1") == place
        assert (family_of(place[0]) is socket.AF_INET6) is (":" in place[0])
    for wrong in ("0.0.0.0:80", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:²", "127.0.0.1:65536", "::", "", "10.0.0.1:80"):
        with pytest.raises(InputError, match="it is on this machine only, for instance tcp"):
            require_local(wrong, "it is", "tcp:127.0.0.1:1")


def pair(folder: Path, name: str, curve: ec.EllipticCurve | None = None) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(form))
    paths[1].write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return paths


def test_what_is_wrong_with_a_certificate_is_said(tmp_path: Path) -> None:
    (one, its_key), (_, other_key) = pair(tmp_path, "one"), pair(tmp_path, "other")
    junk = tmp_path / "junk.pem"
    junk.write_text("hello")
    assert Security(certificate=one, key=its_key).credentials() is not None
    for certificate, key, sentence in (
        (junk, its_key, "junk.pem holds no PEM certificate"),
        (one, junk, "junk.pem holds no PEM private key"),
        (its_key, its_key, "one.key holds no PEM certificate"),
        (one, other_key, "does not belong to the certificate"),
        (tmp_path / "none", its_key, "none does not exist"),
        (one, tmp_path, "is a folder; give a key file"),
        (Path("/dev/zero"), its_key, "not a regular file"),
        (*pair(tmp_path, "curve", ec.SECP256K1()), "curve.key is of a kind that TLS servers do not use"),
    ):
        with pytest.raises(InputError, match=sentence):
            Security(certificate=certificate, key=key).credentials()


def test_a_certificate_that_starts_as_some_editors_write_it_is_served(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path, "one")
    certificate.write_bytes(b"\xef\xbb\xbfsubject: one\n" + certificate.read_bytes())

    async def listen() -> int:
        async with Server(ServerConfig(security=Security(certificate=certificate, key=key))) as server:
            return server.port

    assert asyncio.run(listen()) > 0


def test_brackets_of_an_address_count_once() -> None:
    async def listen() -> int:
        async with Server(ServerConfig(security=Security("[127.0.0.1]"))) as server:
            return server.port

    assert asyncio.run(listen()) > 0


@pytest.mark.parametrize("token", ["two\nlines", "t\u00f6ken", "bell\a"])
def test_a_token_that_no_call_can_carry_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="a token is one line"):
        Security(token=token)
