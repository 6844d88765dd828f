"""The doctor and the list of devices, from facts that are put together here."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.session.vtube_studio_kit import VTubeStudioKit, running
from vivant.sealed import onnx
from vivant_bridge.commands.devices import listing
from vivant_bridge.device_registry import choose_receiver
from vivant_bridge.health.diagnose import Finding, findings
from vivant_bridge.health.probe import Facts, VideoNode, gather
from vivant_bridge.health.tools import UDP_PORTS, answers_as_vtube_studio, is_taken
from vivant_bridge.sound.portaudio import SoundDevice

pytestmark = pytest.mark.unit

MICROPHONE = SoundDevice(0, "USB Headset", "ALSA", 1, 2, 48_000)
WELL = Facts(
    "Linux",
    has_pyvirtualcam=True,
    nodes=(VideoNode("/dev/video10", "Vivant", is_loopback=True, writable=True),),
    module_loaded=True,
    module_installed=True,
    module_version="0.13.2",
    exclusive_caps=True,
    sounds=(MICROPHONE,),
    pulse_sources=("vivant.monitor",),
    pulse_sinks=("vivant",),
    has_sounddevice=True,
    has_onnxruntime=True,
    providers=("cpu",),
    has_server_extra=True,
    has_vtubing_extra=True,
    has_hotkeys_extra=True,
)
OBS = replace(WELL, nodes=(), module_loaded=False, obs_installed=True, obs_camera_registered=True)
CABLE = SoundDevice(1, "CABLE Input", "WASAPI", 0, 2, 48_000)


def bad(facts: Facts) -> list[Finding]:
    return [finding for finding in findings(facts) if not finding.good]


@pytest.mark.parametrize(
    "facts",
    [
        WELL,
        replace(OBS, system="Windows", pulse_sinks=(), sounds=(MICROPHONE, CABLE)),
        replace(OBS, system="Darwin", pulse_sinks=(), sounds=(MICROPHONE, replace(CABLE, name="BlackHole 2ch"))),
    ],
)
def test_a_machine_in_order(facts: Facts) -> None:
    assert bad(facts) == []
    assert len(findings(facts)) >= 4


@pytest.mark.parametrize(
    ("change", "what", "fix"),
    [
        ({"has_pyvirtualcam": False}, "pyvirtualcam", 'pip install ".[camera]"'),
        ({"module_loaded": False, "module_installed": False}, "not installed", "sudo apt install v4l2loopback-dkms"),
        ({"module_loaded": False}, "not loaded", "sudo modprobe v4l2loopback exclusive_caps=1"),
        ({"module_loaded": False, "secure_boot": True}, "secure boot", "sudo mokutil --import /var/lib/dkms/mok.pub"),
        (
            {"exclusive_caps": False},
            "exclusive_caps is off",
            "modprobe -r v4l2loopback && sudo modprobe v4l2loopback exclusive_caps=1",
        ),
        ({"module_version": "0.12.7"}, "one writer", "sudo modprobe -r v4l2loopback"),
        ({"nodes": (replace(WELL.nodes[0], writable=False),)}, "no permission", "sudo usermod -a -G video $USER"),
        (
            {"nodes": (replace(WELL.nodes[0], writable=False),), "in_video_group": True},
            "no permission",
            f"sudo chgrp video {WELL.nodes[0].path}",
        ),
        (
            {"sounds": (), "sound_problem": "the sound library PortAudio is missing; x"},
            "PortAudio",
            "sudo apt install libportaudio2",
        ),
        ({"sounds": (replace(MICROPHONE, inputs=0),)}, "no microphone", "pactl list short sources"),
        ({"pulse_sinks": ()}, "no virtual cable", "pactl load-module module-null-sink sink_name=vivant"),
        ({"has_onnxruntime": False, "providers": ()}, "nothing to run on", "vivant setup --no-gpu"),
        ({"onnxruntimes": ("onnxruntime", "onnxruntime-gpu")}, "onnxruntime and onnxruntime-gpu", "vivant setup --no-gpu"),
        ({"cores": 1}, "one core", "--runtime"),
        ({"system": "Plan 9"}, "no camera is known", "--camera file:out.y4m"),
    ],
)
def test_every_fault_has_its_command(change: dict[str, object], what: str, fix: str) -> None:
    found = bad(replace(WELL, **change))  # type: ignore[arg-type]
    (finding,) = [finding for finding in found if what in finding.what]
    assert fix in finding.remedy
    assert all(finding.remedy for finding in found)


BARE = Facts(
    "Linux",
    sound_problem="microphones and speakers need the extra 'mic': pip install \".[mic]\" in the folder of this repository",
    portaudio_installed=False,
    pulse_sources=("dummy.monitor",),
    pulse_sinks=("dummy",),
    has_onnxruntime=True,
    providers=("cpu",),
)


def test_every_fault_is_said_once_and_all_in_one_round() -> None:
    """Nothing new may appear after everything that was said is mended."""
    said = bad(BARE)
    subjects = ("camera library", "v4l2loopback", "extra 'mic'", "PortAudio", "no microphone", "no virtual cable")
    assert len(said) == len(subjects)
    for subject in subjects:
        assert len([finding for finding in said if subject in finding.what]) == 1
    mended = replace(WELL, sounds=(MICROPHONE,), pulse_sinks=("vivant",))
    assert bad(mended) == []
    (driver,) = [finding for finding in said if "v4l2loopback" in finding.what]
    assert "apt install v4l2loopback-dkms" in driver.remedy and "modprobe v4l2loopback" in driver.remedy


@pytest.mark.parametrize("system", ["Windows", "Darwin"])
@pytest.mark.parametrize("has_cable", [True, False])
def test_a_cable_is_judged_without_the_sound_library(system: str, has_cable: bool) -> None:
    bare = replace(OBS, system=system, sounds=(), pulse_sources=(), pulse_sinks=(), sound_problem="no library: x")
    said = [finding.what for finding in bad(replace(bare, cable_installed=has_cable))]
    assert len(said) == 2 - has_cable
    assert any("no virtual cable" in what for what in said) is not has_cable


def test_only_what_vivant_can_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        @staticmethod
        def get_available_providers() -> list[str]:
            return ["AzureExecutionProvider", "XnnpackExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]

    monkeypatch.setattr(onnx, "load", Library)
    facts = gather(lambda *_: "", Path("/nowhere"), "Linux")
    assert facts.providers == ("cpu", "cuda")
    text = "\n".join(finding.what for finding in findings(facts))
    assert "read on the CPU, on this machine (--provider takes cpu, cuda)" in text
    assert "zure" not in text


@pytest.mark.parametrize(
    ("system", "change", "fix"),
    [
        ("Windows", {"obs_installed": False}, "winget install OBSProject.OBSStudio"),
        ("Windows", {"obs_camera_registered": False}, "virtualcam-install.bat"),
        ("Windows", {"sounds": (CABLE,)}, "ms-settings:privacy-microphone"),
        ("Windows", {}, "VB-CABLE"),
        ("Darwin", {"obs_installed": False}, "brew install --cask obs"),
        ("Darwin", {"obs_camera_registered": False}, "open -a OBS"),
        ("Darwin", {"sounds": (CABLE,)}, "Privacy_Microphone"),
        ("Darwin", {}, "brew install blackhole-2ch"),
    ],
)
def test_faults_of_other_systems(system: str, change: dict[str, object], fix: str) -> None:
    found = bad(replace(replace(OBS, system=system, pulse_sinks=()), **change))  # type: ignore[arg-type]
    assert [finding for finding in found if fix in finding.remedy]


def test_a_device_in_use_is_named() -> None:
    busy = replace(WELL, nodes=(replace(WELL.nodes[0], held_by=("obs (process 4711)",)),))
    assert [finding for finding in findings(busy) if "obs (process 4711)" in finding.what]
    assert "in use by obs (process 4711)" in "\n".join(listing(busy))


def test_listing() -> None:
    lines = list(
        listing(replace(WELL, nodes=(*WELL.nodes, VideoNode("/dev/video0", "Laptop", is_loopback=False, writable=True))))
    )
    text = "\n".join(lines)
    assert "/dev/video10   (Vivant, ready)" in text
    assert "/dev/video0   (Laptop, a real camera: not for Vivant)" in text
    assert "USB Headset   (ALSA, 1 channels, 48000 Hz)" in text
    assert "pulse:vivant.monitor" in text
    empty = list(listing(Facts("Linux")))
    assert empty.count("  none") == 2
    assert "  none; `vivant doctor` says what to install" in empty
    assert "--camera obs" in "\n".join(listing(replace(OBS, system="Windows")))
    assert "PortAudio is missing" in "\n".join(listing(Facts("Linux", sound_problem="PortAudio is missing")))


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_facts_of_a_linux_machine(tmp_path: Path) -> None:
    write(tmp_path / "sys/module/v4l2loopback/version", "0.12.7\n")
    write(tmp_path / "sys/module/v4l2loopback/parameters/exclusive_caps", "Y,N,N,N\n")
    write(tmp_path / "sys/class/video4linux/video10/name", "Vivant\n")
    write(tmp_path / "sys/class/video4linux/video10/max_openers", "10\n")
    write(tmp_path / "sys/class/video4linux/video0/name", "Laptop\n")
    write(tmp_path / "sys/firmware/efi/efivars/SecureBoot-8be4df61", b"\x06\x00\x00\x00\x01")
    write(tmp_path / "dev/video10", "")
    write(tmp_path / "proc/4711/comm", "obs\n")
    (tmp_path / "proc/4711/fd").mkdir(parents=True)
    (tmp_path / "proc/4711/fd/9").symlink_to(tmp_path / "dev/video10")
    printed = {"modinfo": "/lib/modules/x.ko\n", "id": "me video\n", "pactl": "0\tvivant\tmodule\n1\tvivant.monitor\tmodule\n"}
    facts = gather(lambda *command: printed.get(command[0], ""), tmp_path, "Linux")
    assert facts.module_loaded
    assert facts.module_installed
    assert facts.exclusive_caps
    assert facts.secure_boot
    assert facts.module_version == "0.12.7"
    assert facts.pulse_sinks == ("vivant", "vivant.monitor")
    laptop, ours = facts.nodes
    assert (laptop.is_loopback, laptop.writable) == (False, False)
    assert ours == VideoNode("/dev/video10", "Vivant", is_loopback=True, writable=True, held_by=("obs (process 4711)",))


def test_facts_of_other_systems(tmp_path: Path) -> None:
    (tmp_path / "Program Files/obs-studio").mkdir(parents=True)
    windows = gather(lambda *command: "ok" if command[0] == "reg" else "", tmp_path, "Windows")
    assert (windows.obs_installed, windows.obs_camera_registered) == (True, True)
    (tmp_path / "Applications/OBS.app").mkdir(parents=True)
    line = "*\t*\t2MMRE5MTB8\tcom.obsproject.obs-studio.mac-camera-extension (30.0/1)\tOBS\t[activated enabled]"
    macos = gather(lambda *command: line if command[0] == "systemextensionsctl" else "", tmp_path, "Darwin")
    assert (macos.obs_installed, macos.obs_camera_registered) == (True, True)
    assert not gather(lambda *_: "", tmp_path / "none", "Darwin").obs_installed
    assert gather(lambda *_: "", tmp_path, "Plan 9").system == "Plan 9"


def test_what_avatar_tools_would_need_is_named_and_is_no_fault() -> None:
    (finding,) = (found for found in findings(replace(WELL, has_vtubing_extra=False)) if "vmc" in found.what)
    assert finding.good and "[vtubing]" in finding.what


def test_voices_are_named_or_what_would_bring_one_and_none_is_no_fault() -> None:
    said = [finding.what for finding in findings(replace(WELL, voices=("hibari heart 0.2.1", "espeak-ng 1.51")))]
    assert "`vivant say` speaks with hibari heart 0.2.1, espeak-ng 1.51" in said
    (missing,) = (finding for finding in findings(WELL) if "vivant say" in finding.what)
    assert missing.good and 'pip install ".[say]"' in missing.what


def test_what_hotkeys_would_need_is_named_and_on_wayland_the_way_without_them() -> None:
    (finding,) = (found for found in findings(replace(WELL, has_hotkeys_extra=False)) if "hotkeys" in found.what)
    assert finding.good and "[hotkeys]" in finding.what
    (finding,) = (found for found in findings(replace(WELL, on_wayland=True)) if "Wayland" in found.what)
    assert finding.good and "vivant tell happy" in finding.what


def test_avatar_tools_are_named_as_to_takes_them() -> None:
    said = [finding.what for finding in findings(replace(WELL, avatar_tools=("vmc", "vtube-studio"))) if finding.good]
    assert "a program listens on UDP port 39539 (VSeeFace, VNyan, Warudo, EVMC4U and other receivers of VMC)" in said[-2]
    assert said[-1] == "VTube Studio's API answers: `vivant motion --to vtube-studio`"
    for name in UDP_PORTS:
        assert choose_receiver(name).name
    assert "no avatar tool listens" in findings(WELL)[-1].what and bad(WELL) == []


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_a_udp_port_that_a_tool_has_is_taken(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tool:
        tool.bind((host, 0))
        port = tool.getsockname()[1]
        assert is_taken(port)
    assert not is_taken(port)


@pytest.mark.parametrize("malformed", [None, "no JSON", "[]", "{}", '{"messageType": "APIError"}', "[" * 5000, b"\xff"])
def test_vtube_studio_is_known_by_its_answer(malformed: bytes | str | None) -> None:
    kit = VTubeStudioKit(malformed=malformed)
    with running(kit) as port:
        assert answers_as_vtube_studio(port) == (malformed is None)
    assert kit.questions == 0
    assert not answers_as_vtube_studio(port)
