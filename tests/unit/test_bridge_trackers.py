"""Trackers: what others send, as a face; and what cannot be, dropped and counted."""

from __future__ import annotations

import math
import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message_builder import OscMessageBuilder

from tests.examples import examples
from tests.unit.test_bridge_avatars import MOTIONS
from vivant.avatars import Quaternion, all_weights, vowels
from vivant.clock import VirtualClock
from vivant.drive.driver import Seen
from vivant.drive.live import ClockOffset, LiveDrive, LiveTrack
from vivant.errors import InputError, UnavailableError
from vivant.types import ARKIT_INDEX, Float32Array, MotionFrame, Pose, arkit_weights
from vivant.vmc.decoder import VmcDecoder
from vivant.vmc.encoder import VmcEncoder
from vivant_bridge.avatars.ifacialmocap import encode as ifacialmocap_packet
from vivant_bridge.avatars.live_link import LiveLinkEncoder
from vivant_bridge.trackers.ifacialmocap import decode as ask_phone
from vivant_bridge.trackers.ifacialmocap import ifacialmocap
from vivant_bridge.trackers.live_link import decode, live_link
from vivant_bridge.trackers.udp import UdpDriver
from vivant_bridge.trackers.vmc import vmc
from vivant_bridge.trackers.webcam import webcam

pytestmark = pytest.mark.unit

ME, OTHER = ("127.0.0.1", 5001), ("127.0.0.1", 5002)


def osc(address: str, *values: Any) -> bytes:  # noqa: ANN401
    message = OscMessageBuilder(address)
    for value in values:
        message.add_arg(value)
    return message.build().dgram


def motion_of(seen: Seen | None) -> MotionFrame:
    assert seen is not None and seen.motion is not None
    return seen.motion


def but_looks(motion: MotionFrame) -> Float32Array:
    """Weights but those of gaze, which is one for both eyes again."""
    return np.delete(all_weights(motion), [place for name, place in ARKIT_INDEX.items() if "Look" in name])


# What we send comes back


@given(MOTIONS)
def test_live_link_reads_what_live_link_sends(motion: MotionFrame) -> None:
    found = motion_of(decode(LiveLinkEncoder()(motion), 7))
    assert found.pts_us == 7 and but_looks(found) == pytest.approx(but_looks(motion), abs=1e-6)
    sent = motion.pose
    assert (found.pose.yaw_deg, found.pose.pitch_deg, found.pose.roll_deg) == pytest.approx(
        (sent.yaw_deg, sent.pitch_deg, sent.roll_deg), abs=1e-3
    )


@given(MOTIONS)
def test_vmc_reads_what_perfect_sync_sends(motion: MotionFrame) -> None:
    found = motion_of(VmcDecoder()(VmcEncoder("perfect-sync")(motion), 7))
    assert but_looks(found) == pytest.approx(but_looks(motion), abs=1e-5)
    assert found.pose.yaw_deg == pytest.approx(motion.pose.yaw_deg, abs=1e-3)


@given(MOTIONS)
def test_ifacialmocap_reads_what_ifacialmocap_sends(motion: MotionFrame) -> None:
    first = ifacialmocap_packet(motion)
    second = re.sub(rb"([A-Za-z_]+)-(\d+)\|", rb"\1&\2|", first)
    for packet in (first, second):
        found = motion_of(ask_phone(packet, 7))
        assert but_looks(found) == pytest.approx(but_looks(motion), abs=0.0051)
        assert found.pose.pitch_deg == pytest.approx(motion.pose.pitch_deg, abs=1e-3)
        assert found.pose.yaw_deg == pytest.approx(motion.pose.yaw_deg, abs=1e-3)
    assert ask_phone(b"trackingStatus-0|" + first, 7).motion is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback has one address")
def test_a_phone_is_asked_and_nobody_else_is_heard() -> None:
    """A twin of the app on another address of loopback: it sends once it was asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        phone.bind(("127.0.0.2", 0))
        phone.settimeout(10)
        packet = ifacialmocap_packet(MotionFrame(0, 0, arkit_weights(jawOpen=0.5)))
        with ifacialmocap(f"127.0.0.2:{phone.getsockname()[1]}") as driver:
            question, here = phone.recvfrom(100)
            assert question.startswith(b"iFacialMocap_")
            for out in (other, phone):
                out.sendto(packet, here)
            for _ in range(200):
                if driver.n_taken + driver.n_dropped == 2:
                    break
                threading.Event().wait(0.02)
            assert (driver.n_taken, driver.n_dropped) == (1, 1)
    with pytest.raises(InputError, match="needs the phone's address"):
        ifacialmocap("")


@pytest.mark.full
def test_a_phone_may_be_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(10)
        asked = "localhost", phone.getsockname()[1]
        with UdpDriver("a phone", ("127.0.0.1", 0), lambda: ask_phone, asked=asked, question=b"?") as driver:
            _, here = phone.recvfrom(100)
            phone.sendto(ifacialmocap_packet(MotionFrame(0, 0, arkit_weights(jawOpen=0.5))), here)
            for _ in range(200):
                if driver.n_taken + driver.n_dropped:
                    break
                threading.Event().wait(0.02)
            assert (driver.n_taken, driver.n_dropped) == (1, 0)
    nobody = UdpDriver("a phone", ("127.0.0.1", 0), lambda: ask_phone, asked=("no-phone.invalid", 1), question=b"?")
    with pytest.raises(UnavailableError, match=r"cannot be asked: .*; check its address"), nobody:
        pass


@pytest.mark.parametrize("names", ["vrm0", "vrm1"])
def test_five_mouths_and_two_lids_are_a_face_again(names: str) -> None:
    sent = MotionFrame(
        0, 0, arkit_weights(jawOpen=0.3, eyeBlinkLeft=0.8), pose=Pose(yaw_deg=12.0, pitch_deg=-5.0, roll_deg=3.0)
    )
    seen = VmcDecoder()(VmcEncoder(names)(sent), 0)
    found = motion_of(seen)
    assert vowels(found.weights) == pytest.approx(vowels(sent.weights), abs=0.02)
    assert found.weights[ARKIT_INDEX["eyeBlinkLeft"]] == pytest.approx(0.8)
    assert (found.pose.yaw_deg, found.pose.pitch_deg, found.pose.roll_deg) == pytest.approx((12, -5, 3), abs=1e-3)
    assert seen is not None and seen.known is not None
    assert not seen.known[ARKIT_INDEX["browInnerUp"]], "what nobody names is the voice's to say"


@given(st.tuples(*[st.floats(-89, 89)] * 3))
def test_the_angles_of_a_quaternion(angles: tuple[float, float, float]) -> None:
    assert Quaternion.of(*angles).angles_deg() == pytest.approx(angles, abs=1e-6)


def test_neck_and_head_turn_one_another_and_an_untracked_face_is_lost() -> None:
    decoder, half = VmcDecoder(), Quaternion.of(10.0, 0.0)
    for bone in ("Neck", "Head"):
        seen = decoder(osc("/VMC/Ext/Bone/Pos", bone, 0.0, 0.0, 0.0, half.x, half.y, half.z, half.w), 0)
    assert motion_of(seen).pose.yaw_deg == pytest.approx(20.0, abs=1e-4)
    lost = decoder(osc("/VMC/Ext/OK", 1, 3, 0, 0), 1)
    assert lost is not None and lost.motion is None


# What cannot be


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x06",
        b"\x06\xff\xff\xff\xff",
        b"#bundle\0" + bytes(8) + b"\x7f\xff\xff\xff",
        b"#bundle\0" * 4000,
        osc("/VMC/Ext/Blend/Val", "Joy", math.nan),
        osc("/VMC/Ext/Blend/Val", "Joy", math.inf),
        osc("/VMC/Ext/Blend/Val", "Joy", 7.0),
        osc("/VMC/Ext/Blend/Val", 3.0, "Joy"),
        osc("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        osc("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, math.nan, 0.0, 0.0, 1.0),
        osc("/VMC/Ext/Bone/Pos", "Head"),
        LiveLinkEncoder()(MotionFrame(0, 0, arkit_weights()))[:-1],
        LiveLinkEncoder()(MotionFrame(0, 0, arkit_weights()))[:-4] + struct.pack("!f", math.nan),
        LiveLinkEncoder()(MotionFrame(0, 0, arkit_weights()))[:-36] + struct.pack("!f", math.nan) + bytes(32),
    ],
)
def test_a_packet_that_cannot_be_is_dropped_and_counted(packet: bytes) -> None:
    for driver in (vmc(""), live_link(""), ifacialmocap("127.0.0.1")):
        driver.take(packet, ME)
        assert (driver.n_taken, driver.n_dropped) == (0, 1) and driver.open(0).at(0) is None


@given(st.binary(max_size=600))
@examples(60)
def test_no_bytes_break_a_driver(packet: bytes) -> None:
    for driver in (vmc(""), live_link(""), ifacialmocap("127.0.0.1")):
        for sent in (packet, b"#bundle\0" + packet, b"\x06\0\0\0\0\0\0\0\0" + packet):
            driver.take(sent, ME)
        assert driver.n_taken + driver.n_dropped == 3


def test_packets_that_cannot_be_are_not_written_down(caplog: pytest.LogCaptureFixture) -> None:
    driver = vmc("")
    driver.take(b"#bundle\0" + bytes(11) + b"\x08secret..", ME)
    driver.take(osc("/VMC/Ext/Blend/Val", "secret", 0.5).replace(b",sf", b",sQ"), ME)
    assert driver.n_dropped == 2 and not caplog.records


def test_names_of_an_avatars_own_are_not_kept() -> None:
    decoder = VmcDecoder()
    for n in range(3):
        decoder(osc("/VMC/Ext/Blend/Val", f"tail {n}", 0.5), n)
    decoder(osc("/VMC/Ext/Blend/Val", "Joy", 0.5), 3)
    assert decoder._values == {"joy": 0.5}


def test_a_stranger_is_not_heard_while_a_tracker_speaks() -> None:
    clock = VirtualClock()
    driver = UdpDriver("a tracker", ("127.0.0.1", 1), lambda: decode, clock)
    packet = LiveLinkEncoder()(MotionFrame(0, 0, arkit_weights(jawOpen=0.5)))
    driver.take(b"noise", OTHER)
    driver.take(packet, ME)
    driver.take(packet, OTHER)
    assert (driver.n_taken, driver.n_dropped) == (1, 2)
    clock._now_us = 1_500_000  # the tracker was started again, on another port
    driver.take(packet, OTHER)
    assert (driver.n_taken, driver.n_dropped) == (2, 2)
    assert driver.state() == "a tracker at 127.0.0.1:1: heard, 2 packets dropped"


# Ports and cameras


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_a_sentence(taken: int) -> None:
    with pytest.raises(UnavailableError, match=f"port {taken} of 127.0.0.1 is taken by another program"), vmc(str(taken)):
        pass


def test_a_tracker_is_heard_on_this_machine_only_unless_told() -> None:
    assert "at 127.0.0.1:39539" in vmc("").name and "at 0.0.0.0:11111" in live_link("0.0.0.0").name
    with pytest.raises(UnavailableError, match="name an address of this machine"), vmc("192.0.2.1:39539"):
        pass


def test_a_camera_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(UnavailableError, match="no camera"), webcam("97"):
        pass
    with pytest.raises(InputError, match="counts cameras from 0"):
        webcam("front")
    with pytest.raises(InputError, match=r"takes \?calibrate"):
        webcam("0?calibrated")
    assert webcam("1?calibrate").name == "webcam:1"


# Time


def test_a_clocks_offset_is_that_of_what_came_soonest() -> None:
    offset, chance = ClockOffset(), np.random.default_rng(2)
    off = [
        offset.ours(at_us, at_us + 5_000_000 + late_us) - at_us - 5_000_000
        for at_us, late_us in zip(range(0, 20_000_000, 33_333), chance.integers(0, 40_000, 601).tolist(), strict=False)
    ]
    assert max(off[60:]) < 6_000, "jitter of 40 ms hardly shows"
    assert offset.ours(21_000_000, 21_000_000 + 8_000_000) == 29_000_000, "and a clock that stood still begins anew"


def test_a_live_drive_shows_what_was_seen_when_the_sound_was_heard() -> None:
    class Clock(VirtualClock):
        now = 0

        def now_us(self) -> int:
            return self.now

    clock, track = Clock(), LiveTrack()
    for time_us in range(0, 1_000_000, 33_333):
        track.add(Seen(time_us, MotionFrame(0, time_us, arkit_weights(), pose=Pose(yaw_deg=time_us / 1e5))))
    drive = LiveDrive(track, clock, 110_000)
    for pts_us in range(0, 700_000, 40_000):
        clock.now = 200_000 + pts_us  # the timeline began at 90 ms
        seen = drive.at(pts_us)
        assert motion_of(seen).pose.yaw_deg == pytest.approx((90_000 + pts_us) / 1e5, abs=1e-3)
    clock.now = 1_400_000
    assert drive.at(1_200_000) is None, "nothing new for a quarter of a second"
