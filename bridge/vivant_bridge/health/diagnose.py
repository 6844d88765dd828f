"""What a machine's facts mean for somebody who wants to be seen and heard, and the command that mends each fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vivant.extras import install
from vivant.liveportrait.graphs import missing_graphs
from vivant_bridge.health.probe import Facts, VideoNode
from vivant_bridge.health.tools import UDP_PORTS
from vivant_bridge.hotkeys import WAYLAND
from vivant_bridge.picture.camera import RELOAD

OLD_DRIVER = "0.12.7"
CABLES = {
    "Linux": "pactl load-module module-null-sink sink_name=vivant && "
    "pactl load-module module-remap-source master=vivant.monitor source_name=vivant_mic"
    " source_properties=device.description=Vivant",
    "Darwin": "brew install blackhole-2ch",
}
BUY_CABLE = {"Windows": "install VB-CABLE from https://vb-audio.com/Cable/ and restart"}
"""Where no command brings one."""
PORTAUDIO = "sudo apt install libportaudio2"
PLAIN_NETWORKS = "vivant setup --no-gpu"
CABLE_NAMES = ("cable", "blackhole", "vivant", "virtual", "loopback")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's."""

    good: bool
    what: str
    fix: str = ""
    """The exact command, as a shell takes it; empty where there is none, or where ``extra`` says it."""
    note: str = ""
    """What else to do, or instead: a restart, a click, another system's command."""
    extra: str = ""
    """The optional part of ours that is missing."""

    @property
    def runs(self) -> bool:
        """Whether a command mends it, so that `vivant setup` can."""
        return bool(self.fix or self.extra)

    @property
    def remedy(self) -> str:
        """All of it, for a person to read."""
        return "   ".join(part for part in (install(self.extra) if self.extra else self.fix, self.note) if part)


def findings(facts: Facts) -> list[Finding]:
    """In the order in which they should be mended."""
    camera = {"Linux": _loopback, "Windows": _obs_windows, "Darwin": _obs_macos}.get(facts.system, _unknown)
    return [*_extras(facts), *camera(facts), *_sound(facts), *_runtime(facts), *_avatars(facts)]


def _extras(facts: Facts) -> Iterator[Finding]:
    if facts.has_pyvirtualcam:
        yield Finding(True, "the camera library is installed")
    else:
        yield Finding(False, "the camera library (pyvirtualcam, GPL) is missing", extra="camera")


def _loopback(facts: Facts) -> Iterator[Finding]:
    loopbacks = [node for node in facts.nodes if node.is_loopback]
    if not facts.module_loaded:
        load = f"{RELOAD.split('&& ')[1]} video_nr=10"
        if facts.module_installed:
            yield Finding(False, "the camera driver v4l2loopback is not loaded", load)
        else:
            install_it = f"sudo apt install v4l2loopback-dkms v4l2loopback-utils && {load}"
            elsewhere = "(Fedora: akmod-v4l2loopback; Arch: v4l2loopback-dkms)"
            yield Finding(False, "the camera driver v4l2loopback is not installed", install_it, elsewhere)
        if facts.secure_boot:
            then = "then restart and choose Enroll MOK (Ubuntu: /var/lib/shim-signed/mok/MOK.der)"
            fix = "sudo mokutil --import /var/lib/dkms/mok.pub"
            yield Finding(False, "secure boot is on, so the kernel loads only signed modules", fix, then)
        return
    yield Finding(True, f"the camera driver is loaded ({', '.join(node.path for node in loopbacks) or 'no device'})")
    if not facts.exclusive_caps:
        yield Finding(False, "exclusive_caps is off: Chrome, Meet and Teams will not list the camera", RELOAD)
    if facts.module_version.startswith(OLD_DRIVER):
        what = f"v4l2loopback {OLD_DRIVER} takes one writer only after it was loaded: a second `vivant cam` is refused"
        yield Finding(False, what, RELOAD, "(before each start, or install 0.13 or newer)")
    for node in loopbacks:
        if not node.writable:
            yield _no_permission(node, facts)
        if node.held_by:
            what = f"{node.path} is in use by {', '.join(node.held_by)}"
            yield Finding(True, f"{what}; if that program feeds the camera, close it there")


def _no_permission(node: VideoNode, facts: Facts) -> Finding:
    what = f"no permission to write to {node.path}"
    if facts.in_video_group:
        return Finding(False, what, f"sudo chgrp video {node.path} && sudo chmod g+rw {node.path}")
    return Finding(False, what, "sudo usermod -a -G video $USER", "then log in again")


def _obs_windows(facts: Facts) -> Iterator[Finding]:
    if not facts.obs_installed:
        yield Finding(False, "OBS Studio, which brings the camera, is not installed", "winget install OBSProject.OBSStudio")
    elif not facts.obs_camera_registered:
        note = '"C:\\Program Files\\obs-studio\\data\\obs-plugins\\win-dshow\\virtualcam-install.bat"   (as administrator)'
        yield Finding(False, "OBS Virtual Camera is not registered", note=note)
    else:
        yield Finding(True, "OBS Virtual Camera is installed; do not start it in OBS while Vivant uses it")


def _obs_macos(facts: Facts) -> Iterator[Finding]:
    if not facts.obs_installed:
        yield Finding(False, "OBS Studio 30 or newer, which brings the camera, is not installed", "brew install --cask obs")
    elif not facts.obs_camera_registered:
        yield Finding(
            False,
            "OBS's camera extension is not allowed",
            "open -a OBS",
            "then Start Virtual Camera, Stop Virtual Camera, allow it in System Settings > General >"
            " Login Items & Extensions > Camera Extensions (macOS 13 and 14: Privacy & Security), and restart",
        )
    else:
        yield Finding(True, "OBS's camera extension is on; do not start it in OBS while Vivant uses it")


def _unknown(facts: Facts) -> Iterator[Finding]:
    yield Finding(False, f"no camera is known for {facts.system}", note="use --camera file:out.y4m, or another system")


def _sound(facts: Facts) -> Iterator[Finding]:
    if facts.sound_problem is not None:
        yield _sound_library(facts.sound_problem, facts)
        if not facts.has_sounddevice and not facts.portaudio_installed:
            yield Finding(False, "the sound library PortAudio is missing", PORTAUDIO)
    yield from _microphones(facts)
    yield _cable(facts)


def _microphones(facts: Facts) -> Iterator[Finding]:
    """What PortAudio lists, or else the sound server; without either nothing is known."""
    heard = [name for name in facts.pulse_sources if not name.endswith(".monitor")]
    inputs = [device.name for device in facts.sounds if device.inputs] or heard
    if facts.sound_problem is not None and not facts.pulse_sources:
        return
    if inputs:
        yield Finding(True, f"{len(inputs)} microphones, for instance {inputs[0]}")
    else:
        yield Finding(False, "there is no microphone", *_microphone_fix(facts.system))


def _sound_library(problem: str, facts: Facts) -> Finding:
    what, _, fix = problem.partition(": ")
    return Finding(False, what, fix or PORTAUDIO) if facts.has_sounddevice else Finding(False, what, extra="mic")


def _cable(facts: Facts) -> Finding:
    outputs = [device.name for device in facts.sounds if device.outputs]
    cables = [name for name in [*outputs, *facts.pulse_sinks] if any(word in name.lower() for word in CABLE_NAMES)]
    if cables:
        return Finding(True, f"the delayed voice can go to {cables[0]}")
    if facts.sound_problem is not None and facts.cable_installed:
        return Finding(True, "a virtual cable is installed")
    what = "no virtual cable, through which a call hears the voice in time with the lips"
    note = "" if facts.system in CABLES else BUY_CABLE.get(facts.system, "install a virtual audio cable")
    return Finding(False, what, CABLES.get(facts.system, ""), note)


def _microphone_fix(system: str) -> tuple[str, str]:
    """The command, and what else."""
    settings = "open 'x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone'"
    return {
        "Darwin": (settings, "and allow your terminal"),
        "Windows": ("start ms-settings:privacy-microphone", "and let desktop apps access your microphone"),
    }.get(system, ("sudo apt install libasound2-plugins pulseaudio-utils", "and see what `pactl list short sources` shows"))


def _networks(facts: Facts) -> Iterator[Finding]:
    if len(facts.onnxruntimes) > 1:
        both = " and ".join(facts.onnxruntimes)
        what = f"{both} are both in this environment and write over each other's files"
        yield Finding(False, what, PLAIN_NETWORKS, "(keeps the one for the processor; --gpu the other)")
    if facts.providers:
        more = f" (--provider takes {', '.join(facts.providers)})" if len(facts.providers) > 1 else ""
        yield Finding(True, f"portraits are read on the CPU, on this machine{more}")
    elif facts.has_onnxruntime:
        yield Finding(False, "onnxruntime, which reads portraits, does not start", PLAIN_NETWORKS)
    else:
        yield Finding(False, "the networks that read a portrait have nothing to run on", PLAIN_NETWORKS)


def _runtime(facts: Facts) -> Iterator[Finding]:
    yield from _networks(facts)
    if facts.voices:
        yield Finding(True, f"`vivant say` speaks with {', '.join(facts.voices)}")
    else:
        yield Finding(True, f"`vivant say` would need: {install('say')}")
    learns = "films teach a portrait its own mouth: `vivant learn`" if facts.has_learn_extra else ""
    yield Finding(True, learns or f"`vivant learn` would need: {install('learn')}")
    yield from _liveportrait(facts)
    if not facts.has_server_extra:
        yield Finding(True, f"`--runtime` would need: {install('server')}")
    if facts.on_wayland:
        yield Finding(True, WAYLAND)
    elif not facts.has_hotkeys_extra:
        yield Finding(True, f"`--hotkeys` would need: {install('hotkeys')}")
    if facts.cores < 2:
        yield Finding(False, "one core is little; draw elsewhere", note="vivant cam me.png --runtime HOST:50750")


def _liveportrait(facts: Facts) -> Iterator[Finding]:
    if facts.liveportrait is None:
        return
    missing = missing_graphs(Path(facts.liveportrait))
    if missing:
        yield Finding(False, f"{facts.liveportrait} lacks {', '.join(missing)}, so `--generator liveportrait` draws by the rig")
    elif "cuda" not in facts.providers:
        yield Finding(True, "`--generator liveportrait` runs on the processor here, some seconds a picture")
    else:
        yield Finding(True, "`--generator liveportrait` runs on the graphics card")


def _avatars(facts: Facts) -> Iterator[Finding]:
    if not facts.has_vtubing_extra:
        yield Finding(True, f"`--to vmc`, `--drive vmc` and `vtube-studio` would need: {install('vtubing')}")
    for name in facts.avatar_tools:
        port, whose = UDP_PORTS.get(name, (None, ""))
        who = f"a program listens on UDP port {port} ({whose})" if port else "VTube Studio's API answers"
        yield Finding(True, f"{who}: `vivant motion --to {name}`")
    if not facts.avatar_tools:
        yield Finding(True, "no avatar tool listens on this machine now, which `vivant motion --to` would wait for")
