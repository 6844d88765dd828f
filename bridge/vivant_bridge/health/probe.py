"""What is known about this machine: drivers, permissions, programs, libraries. Only looked up here, judged elsewhere."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from vivant import UnavailableError, VivantError
from vivant.extras import FLAVOURS
from vivant.provenance.settings import Settings
from vivant.providers import available
from vivant.registry import VOICES, find, names
from vivant_bridge.health.tools import listening_tools
from vivant_bridge.hotkeys import is_wayland
from vivant_bridge.sound.portaudio import SoundDevice, sound_devices

Run = Callable[..., str]


@dataclass(frozen=True, slots=True)
class VideoNode:
    """A video device of Linux."""

    path: str
    name: str
    is_loopback: bool
    writable: bool
    held_by: tuple[str, ...] = ()
    """Programs of this user that have it open."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Fields that do not apply to a system keep their default."""

    system: str
    """``Linux``, ``Windows`` or ``Darwin``."""
    has_pyvirtualcam: bool = False
    nodes: tuple[VideoNode, ...] = ()
    module_loaded: bool = False
    module_installed: bool = False
    module_version: str = ""
    exclusive_caps: bool = False
    in_video_group: bool = False
    """Which video devices usually belong to."""
    secure_boot: bool = False
    obs_installed: bool = False
    obs_camera_registered: bool = False
    sound_problem: str | None = None
    """Why the sound library cannot be used."""
    sounds: tuple[SoundDevice, ...] = ()
    portaudio_installed: bool = True
    """False where the system must bring it and does not."""
    cable_installed: bool = False
    """A driver of a virtual cable, where its files tell."""
    pulse_sources: tuple[str, ...] = ()
    pulse_sinks: tuple[str, ...] = ()
    has_sounddevice: bool = False
    """The library's Python part, from the extra ``mic``."""
    has_onnxruntime: bool = False
    onnxruntimes: tuple[str, ...] = ()
    """Distributions of it in this environment, of which one is enough."""
    providers: tuple[str, ...] = ()
    """As ``--provider`` takes them."""
    has_learn_extra: bool = False
    liveportrait: str | None = None
    """Folder of its graphs, where one is named."""
    has_server_extra: bool = False
    has_vtubing_extra: bool = False
    has_hotkeys_extra: bool = False
    on_wayland: bool = False
    """Where no program hears the keys of another."""
    voices: tuple[str, ...] = ()
    """That `vivant say` could speak with, by their full names."""
    avatar_tools: tuple[str, ...] = ()
    """That listen now, as ``--to`` names them."""
    cores: int = 2


def run_quietly(*command: str) -> str:
    """What a program prints; nothing when it is missing, fails or takes long."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def gather(run: Run = run_quietly, root: Path = Path("/"), system: str | None = None) -> Facts:
    """Look everything up; takes about a second. ``run`` and ``root`` are for tests."""
    system = system or platform.system()
    sounds, problem = _sounds()
    facts: dict[str, object] = {
        "system": system,
        "has_pyvirtualcam": _has("pyvirtualcam"),
        "sounds": sounds,
        "sound_problem": problem,
        "has_sounddevice": _has("sounddevice"),
        "has_onnxruntime": _has("onnxruntime"),
        "onnxruntimes": installed_flavours(),
        "providers": tuple(available()),
        "has_learn_extra": _has("torch"),
        "liveportrait": Settings.load().liveportrait,
        "has_server_extra": _has("grpc"),
        "has_vtubing_extra": _has("pythonosc") and _has("websockets"),
        "has_hotkeys_extra": _has("pynput"),
        "on_wayland": is_wayland(),
        "voices": _voices(),
        "avatar_tools": listening_tools(),
        "cores": os.cpu_count() or 1,
    }
    look = {"Linux": _linux, "Windows": _windows, "Darwin": _macos}.get(system)
    return Facts(**facts, **(look(run, root) if look is not None else {}))  # type: ignore[arg-type]


def _voices() -> tuple[str, ...]:
    found = []
    for name in names(VOICES):
        with suppress(UnavailableError):
            found.append(find(VOICES, name)("").card.name)
    return tuple(dict.fromkeys(found))


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def installed_flavours() -> tuple[str, ...]:
    """Which of onnxruntime's distributions are in this environment."""
    return tuple(name for name in FLAVOURS if next(iter(distributions(name=name)), None) is not None)


def _sounds() -> tuple[tuple[SoundDevice, ...], str | None]:
    try:
        return tuple(sound_devices()), None
    except VivantError as error:
        return (), str(error)


def _linux(run: Run, root: Path) -> dict[str, object]:
    caps = _text(root / "sys/module/v4l2loopback/parameters/exclusive_caps")
    return {
        "nodes": tuple(_node(path, root) for path in sorted((root / "sys/class/video4linux").glob("video*"))),
        "module_loaded": (root / "sys/module/v4l2loopback").exists(),
        "module_installed": bool(run("modinfo", "-F", "filename", "v4l2loopback").strip()),
        "module_version": _text(root / "sys/module/v4l2loopback/version"),
        "exclusive_caps": "Y" in caps.split(",") or "1" in caps.split(","),
        "in_video_group": os.name == "posix" and (os.geteuid() == 0 or "video" in run("id", "-nG").split()),
        "secure_boot": _secure_boot(root),
        "portaudio_installed": ctypes.util.find_library("portaudio") is not None,
        "pulse_sources": _pulse(run("pactl", "list", "short", "sources")),
        "pulse_sinks": _pulse(run("pactl", "list", "short", "sinks")),
    }


def _node(path: Path, root: Path) -> VideoNode:
    device = root / "dev" / path.name
    return VideoNode(
        f"/dev/{path.name}",
        _text(path / "name"),
        # Only a loopback device has these files.
        (path / "max_openers").exists() or (path / "state").exists(),
        os.access(device, os.W_OK),
        _holders(device, root),
    )


def _holders(device: Path, root: Path) -> tuple[str, ...]:
    found = set()
    for link in (root / "proc").glob("[0-9]*/fd/*"):
        try:
            if link.readlink() == device and link.parts[-3] != str(os.getpid()):
                found.add(f"{_text(link.parents[1] / 'comm')} (process {link.parts[-3]})")
        except OSError:
            continue
    return tuple(sorted(found))


def _secure_boot(root: Path) -> bool:
    for variable in (root / "sys/firmware/efi/efivars").glob("SecureBoot-*"):
        try:
            return variable.read_bytes()[-1:] == b"\x01"
        except OSError:
            continue
    return False


def _pulse(listing: str) -> tuple[str, ...]:
    return tuple(line.split("\t")[1] for line in listing.splitlines() if "\t" in line)


def _windows(run: Run, root: Path) -> dict[str, object]:
    clsid = r"HKLM\SOFTWARE\Classes\CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
    return {
        "obs_installed": any((root / folder / "obs-studio").exists() for folder in ("Program Files", "Program Files (x86)")),
        "obs_camera_registered": bool(run("reg", "query", clsid)),
        "cable_installed": (root / "Program Files/VB/CABLE").exists(),
    }


def _macos(run: Run, root: Path) -> dict[str, object]:
    extensions = run("systemextensionsctl", "list")
    ours = [line for line in extensions.splitlines() if "obsproject" in line and "camera" in line]
    return {
        "obs_installed": (root / "Applications/OBS.app").exists(),
        "cable_installed": any((root / "Library/Audio/Plug-Ins/HAL").glob("BlackHole*")),
        "obs_camera_registered": any("activated enabled" in line for line in ours),
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
