"""``vivant cam PORTRAIT``: the portrait as a webcam."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Annotated

import typer

from vivant import Clock, InputError, MonotonicClock
from vivant.commands.options import (
    DEFAULT_ANALYSER,
    AnalyserOption,
    BackgroundOption,
    ConsentOption,
    DriveConsentOption,
    DriveOption,
    FaceOption,
    FinishOption,
    FpsOption,
    GeneratorOption,
    LabelOption,
    LipsOption,
    MannerOption,
    MotionOption,
    ProviderOption,
    SayOption,
    SeedOption,
    TextLanguageOption,
    VoiceOption,
    driver_of,
    in_manner,
    known_text,
    say,
    text_file,
)
from vivant.face import as_fps
from vivant.media.apart import Inputs, require_apart
from vivant.motion.driven import Lips
from vivant.portrait import Provider
from vivant.provenance.label import Label
from vivant.provenance.production import own_files
from vivant.provenance.settings import FILE, Settings, config_folder
from vivant.voices import AUTO, choose_voice, language_of
from vivant_bridge.bridge import RATE_HZ, Bridge
from vivant_bridge.commands.running import run_on_terminal
from vivant_bridge.device_registry import choose_camera, choose_receiver, choose_source, choose_speaker
from vivant_bridge.open_runtime import Address, Drawing, open_runtime
from vivant_bridge.picture.compositor import SIZES, Backdrop, Compositor
from vivant_bridge.sound.noise_gate import NoiseGate
from vivant_bridge.sound.output import AudioSink
from vivant_bridge.sound.spoken import SpokenSource

UNHEARD = "hint: a call that hears your microphone hears it before it sees the lips; --speaker plays it in time"
UNSAID = "hint: nobody hears what is said; --speaker default plays it, or the name of a virtual cable takes it into a call"
MOST_PORTRAITS = 9
"""One for each of the keys 1 to 9."""
GATE_OFF_DB, GATE_MOST_DB = -90.0, -10.0
"""Louder than the upper end nobody speaks for long."""

PortraitsArgument = Annotated[
    list[Path], typer.Argument(help="One picture, or up to nine for the keys 1 to 9; bundled names work.")
]
MicOption = Annotated[
    str,
    typer.Option(
        help="default, a microphone's name, none, tone, file:PATH, loop:PATH, - (raw PCM on standard input),"
        " tcp:127.0.0.1:PORT (raw PCM), monitor or monitor:SINK (what another program plays; Linux), pulse:SOURCE (Linux)."
    ),
]
SpeakerOption = Annotated[
    str, typer.Option(help="Where the delayed voice goes: none, default, an output's name, pulse:SINK (Linux), null.")
]
CameraOption = Annotated[
    str,
    typer.Option(
        help="auto, obs, unitycapture, v4l2loopback, tcp:127.0.0.1:PORT (a stream for OBS), file:OUT.y4m, null,"
        " or what another package brings."
    ),
]
DeviceOption = Annotated[str | None, typer.Option(help="The camera device, such as /dev/video2.")]
SizeOption = Annotated[str, typer.Option(help="720p (1280x720), 480p (640x480) or square (512x512).")]
FillOption = Annotated[
    str,
    typer.Option(
        help="Beside the portrait: blur, a colour such as #1e2b3c, an image file, transparent (RGBA cameras); or crop."
    ),
]
MirrorOption = Annotated[bool, typer.Option("--mirror", help="Swap left and right; most programs mirror only your own view.")]
SendOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[:ARGUMENT]",
        help="Who else gets the motion: vmc, vtube-studio, live-link-face, ifacialmocap; may be repeated.",
    ),
]
SyncOffsetOption = Annotated[
    float, typer.Option(metavar="MS", help="Play the voice so much later than the picture, -200 to 500.")
]
GateOption = Annotated[float, typer.Option(metavar="DB", help="Noise gate: quieter than this is silence, -90 (off) to -10.")]
PushToTalkOption = Annotated[bool, typer.Option("--push-to-talk", help="Hear only while the space bar is held.")]
PcmRateOption = Annotated[int, typer.Option(metavar="HZ", help="Sample rate of raw PCM (16 bit little-endian).")]
PcmChannelsOption = Annotated[int, typer.Option(metavar="N", help="Channels of raw PCM.")]
RuntimeOption = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Draw on a server (`vivant serve`) instead.")]
TokenFileOption = Annotated[Path | None, typer.Option(help="File with the server's token, or VIVANT_TOKEN.")]
TlsCaOption = Annotated[Path | None, typer.Option(help="PEM certificate of the server's authority; turns TLS on.")]
SecondsOption = Annotated[float | None, typer.Option(min=0, help="Stop after so long; default: when you quit.")]
HotkeysOption = Annotated[
    bool,
    typer.Option("--hotkeys", help="Listen for the key combinations of config.toml while other programs have the keyboard."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Say only what goes wrong.")]


def cam(
    portraits: PortraitsArgument,
    mic: MicOption = "default",
    said: SayOption = "",
    voice: VoiceOption = AUTO,
    text_language: TextLanguageOption = "",
    speaker: SpeakerOption = "none",
    camera: CameraOption = "auto",
    device: DeviceOption = None,
    size: SizeOption = "720p",
    fill: FillOption = "blur",
    background: BackgroundOption = "original",
    mirror: MirrorOption = False,
    fps: FpsOption = "30",
    drive: DriveOption = None,
    lips: LipsOption = Lips.BOTH,
    drive_consent: DriveConsentOption = None,
    send: SendOption = None,
    sync_offset: SyncOffsetOption = 0.0,
    gate: GateOption = -55.0,
    push_to_talk: PushToTalkOption = False,
    hotkeys: HotkeysOption = False,
    pcm_rate: PcmRateOption = 48_000,
    pcm_channels: PcmChannelsOption = 1,
    runtime: RuntimeOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
    face_number: FaceOption = 1,
    seed: SeedOption = None,
    seconds: SecondsOption = None,
    quiet: QuietOption = False,
    consent: ConsentOption = None,
    no_label: LabelOption = None,
    generator: GeneratorOption = "rig",
    finish: FinishOption = None,
    motion: MotionOption = "voice",
    manner: MannerOption = None,
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Show PORTRAIT as a webcam that speaks with your voice, and play that voice in time with it."""
    _require_ranges(portraits, size, sync_offset, gate)
    read = {"fill": Path(fill), "background": Path(background), "token": token_file, "authority": tls_ca}
    _require_apart(camera, read | {"text": text_file(said)} | dict(_files(portraits, mic, drive)))
    combinations, clock, rate = _combinations() if hotkeys else None, MonotonicClock(), as_fps(fps)
    (width, height), backdrop = SIZES[size], Backdrop.parse(background, fill, SIZES[size])
    line = _line(said, text_language, mic)
    source = _spoken(voice, line, clock) if line else choose_source(mic, clock, pcm_rate_hz=pcm_rate, pcm_channels=pcm_channels)
    sink, output, label = choose_camera(camera, device), choose_speaker(speaker, clock), None if no_label else Label()
    compositor = Compositor(width, height, backdrop.fill, label=label, pixel_format=sink.pixel_format)
    receivers, driver = [choose_receiver(text) for text in send or ()], driver_of(drive, drive_consent)
    way, moved = Address.stated(runtime, token_file, tls_ca), in_manner(motion, manner)
    drawing = Drawing(face_number, generator, finish, moved, analyser, provider, backdrop, mirror, driver, lips)
    face = open_runtime(way, portraits, drawing, seed, consent, no_label, motion=bool(receivers))
    around = partial(Bridge, face, source, sink, compositor, output, receivers=receivers, driver=driver, report=say)
    make = partial(around, fps=rate, seed=seed, sync_offset_ms=sync_offset, gate=_gate(gate, push_to_talk), clock=clock)
    if not quiet:
        say(f"{sink.name}: {width}x{height} at {fps} fps, drawn {face.name}; voice from {source.name}, to {speaker}")
        _hint(output, mic, line)
    run_on_terminal(make, clock, face.n_portraits, seconds, quiet=quiet, combinations=combinations, said=line)


def _gate(gate_db: float, push_to_talk: bool) -> NoiseGate:
    return NoiseGate(RATE_HZ, None if gate_db == GATE_OFF_DB else gate_db, push_to_talk=push_to_talk)


def _hint(output: AudioSink | None, mic: str, line: tuple[str, str] | None) -> None:
    if output is None and mic != "none":
        say(UNHEARD if line is None else UNSAID)


def _line(said: str, language: str, mic: str) -> tuple[str, str] | None:
    """The text that ``--say`` means, and its language. Raises InputError where a microphone is asked for beside it."""
    if not said:
        return None
    if mic != "default":
        raise InputError("--say speaks instead of a microphone; leave --mic away")
    text = known_text(said)
    return text, language_of(text, language)


def _spoken(voice: str, line: tuple[str, str], clock: Clock) -> SpokenSource:
    """Raises InputError and UnavailableError where nobody here could say that line."""
    choose = cache(partial(choose_voice, voice))  # systems take their time to list their voices
    choose(line[1])
    return SpokenSource(choose, clock, say)


def _combinations() -> dict[str, str]:
    """Of the settings. Raises InputError where they name none."""
    combinations = Settings.load().hotkeys
    if not combinations:
        raise InputError(f"--hotkeys needs combinations; name some in {config_folder() / FILE}, under [hotkeys]")
    return combinations


def _files(portraits: list[Path], mic: str, drive: str | None) -> Inputs:
    """What is shown, heard and followed, where these are files."""
    sound = Path(mic.partition(":")[2]) if mic.startswith(("file:", "loop:")) else None
    driving = Path(drive.removeprefix("file:")) if drive is not None else None
    return {"sound": sound, "driving": driving} | {f"portrait {portrait.name}": portrait for portrait in portraits}


def _require_apart(camera: str, read: Inputs) -> None:
    """Refuse a recording over what is read."""
    kind, _, out = camera.partition(":")
    if kind == "file":
        require_apart(Path(out), dict(read) | own_files())


def _require_ranges(portraits: list[Path], size: str, sync_offset: float, gate: float) -> None:
    if len(portraits) > MOST_PORTRAITS:
        raise InputError(f"at most {MOST_PORTRAITS} portraits, one for each key; got {len(portraits)}")
    if size not in SIZES:
        raise InputError(f"--size is {', '.join(SIZES)}; got {size!r}")
    if not -200 <= sync_offset <= 500:
        raise InputError(f"--sync-offset is from -200 to 500 ms, got {sync_offset:g}")
    if not GATE_OFF_DB <= gate <= GATE_MOST_DB:
        raise InputError(f"--gate is from {GATE_OFF_DB:g} (off) to {GATE_MOST_DB:g} dB, got {gate:g}")
