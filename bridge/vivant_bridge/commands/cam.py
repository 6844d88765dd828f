"""``vivant cam PORTRAIT``: the portrait as a webcam."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from vivant import Clock, InputError, MonotonicClock
from vivant.commands.options import (
    DEFAULT_ANALYSER,
    AnalyserOption,
    ConsentOption,
    FaceOption,
    FpsOption,
    GeneratorOption,
    LabelOption,
    MotionOption,
    ProviderOption,
    SeedOption,
    console,
    say,
)
from vivant.face import as_fps
from vivant.media.apart import Inputs, require_apart
from vivant.portrait import Provider
from vivant.provenance.label import Label
from vivant.provenance.production import own_files
from vivant_bridge.bridge import RATE_HZ, Bridge
from vivant_bridge.choose import choose_camera, choose_receiver, choose_source, choose_speaker
from vivant_bridge.keys import keyboard
from vivant_bridge.opening import Drawing, open_here, open_there
from vivant_bridge.picture.compositor import SIZES, Compositor, Fill
from vivant_bridge.runtime.runtime import Runtime
from vivant_bridge.sound.noise_gate import NoiseGate
from vivant_bridge.status import LOG_US, LOOK_US, figures_line, panel, watch_keys
from vivant_bridge.terminal import stderr_lines

MOST_PORTRAITS = 9
"""One for each of the keys 1 to 9."""
GATE_OFF_DB, GATE_MOST_DB = -90.0, -10.0
"""Louder than the upper end nobody speaks for long."""


def cam(
    portraits: Annotated[
        list[Path], typer.Argument(help="One picture, or up to nine for the keys 1 to 9; bundled names work.")
    ],
    mic: Annotated[
        str,
        typer.Option(
            help="default, a microphone's name, none, tone, file:PATH, loop:PATH, - (raw PCM on standard input),"
            " tcp:127.0.0.1:PORT (raw PCM), monitor or monitor:SINK (what another program plays; Linux), pulse:SOURCE (Linux)."
        ),
    ] = "default",
    speaker: Annotated[
        str, typer.Option(help="Where the delayed voice goes: none, default, an output's name, pulse:SINK (Linux), null.")
    ] = "none",
    camera: Annotated[
        str,
        typer.Option(
            help="auto, obs, unitycapture, v4l2loopback, tcp:127.0.0.1:PORT (a stream for OBS), file:OUT.y4m, null,"
            " or what another package brings."
        ),
    ] = "auto",
    device: Annotated[str | None, typer.Option(help="The camera device, such as /dev/video2.")] = None,
    size: Annotated[str, typer.Option(help="720p (1280x720), 480p (640x480) or square (512x512).")] = "720p",
    fill: Annotated[
        str,
        typer.Option(
            help="Beside the portrait: blur, a colour such as #1e2b3c, an image file, transparent (RGBA cameras); or crop."
        ),
    ] = "blur",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Swap left and right; most programs mirror only your own view.")
    ] = False,
    fps: FpsOption = "30",
    send: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:ARGUMENT]",
            help="Who else gets the motion: vmc, vtube-studio, live-link-face, ifacialmocap; may be repeated.",
        ),
    ] = None,
    sync_offset: Annotated[
        float, typer.Option(metavar="MS", help="Play the voice so much later than the picture, -200 to 500.")
    ] = 0.0,
    gate: Annotated[
        float, typer.Option(metavar="DB", help="Noise gate: quieter than this is silence, -90 (off) to -10.")
    ] = -55.0,
    push_to_talk: Annotated[bool, typer.Option("--push-to-talk", help="Hear only while the space bar is held.")] = False,
    pcm_rate: Annotated[int, typer.Option(metavar="HZ", help="Sample rate of raw PCM (16 bit little-endian).")] = 48_000,
    pcm_channels: Annotated[int, typer.Option(metavar="N", help="Channels of raw PCM.")] = 1,
    runtime: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Draw on a server (`vivant serve`) instead.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the server's token, or VIVANT_TOKEN.")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="PEM certificate of the server's authority; turns TLS on.")] = None,
    face_number: FaceOption = 1,
    seed: SeedOption = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so long; default: when you quit.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what goes wrong.")] = False,
    consent: ConsentOption = None,
    no_label: LabelOption = None,
    generator: GeneratorOption = "rig",
    motion: MotionOption = "voice",
    analyser: AnalyserOption = DEFAULT_ANALYSER,
    provider: ProviderOption = Provider.AUTO,
) -> None:
    """Show PORTRAIT as a webcam that speaks with your voice, and play that voice in time with it."""
    _require_ranges(portraits, size, sync_offset, gate, runtime, mirror)
    clock, rate = MonotonicClock(), as_fps(fps)
    _require_apart(camera, portraits, mic, fill, token_file, tls_ca)
    width, height = SIZES[size]
    beside = Fill.parse(fill)
    source = choose_source(mic, clock, pcm_rate_hz=pcm_rate, pcm_channels=pcm_channels)
    sink, output = choose_camera(camera, device), choose_speaker(speaker, clock)
    canvas = Compositor(width, height, beside, label=None if no_label else Label(), pixel_format=sink.pixel_format)
    receivers = [choose_receiver(text) for text in send or ()]
    drawing = Drawing(
        face_number, generator, motion, analyser, provider, transparent=beside.kind == "transparent", mirror=mirror
    )
    face: Runtime
    if runtime is None:
        face = open_here(portraits, drawing, seed, consent, no_label)
    else:
        drawing.require_usual()
        face = open_there(
            runtime,
            portraits,
            consent,
            no_label,
            token_file,
            tls_ca,
            transparent=drawing.transparent,
            motion=bool(receivers),
        )

    def make() -> Bridge:
        return Bridge(
            face,
            source,
            sink,
            canvas,
            output,
            receivers=receivers,
            fps=rate,
            seed=seed,
            sync_offset_ms=sync_offset,
            gate=NoiseGate(RATE_HZ, None if gate == GATE_OFF_DB else gate, push_to_talk=push_to_talk),
            clock=clock,
            report=say,
        )

    if not quiet:
        say(f"{sink.name}: {width}x{height} at {fps} fps, drawn {face.name}; voice from {source.name}, to {speaker}")
        if output is None and mic != "none":
            say("hint: a call that hears your microphone hears it before it sees the lips; --speaker plays it in time")
    _wake_in_time()
    asyncio.run(_run(make, clock, face.n_portraits, seconds, quiet=quiet))


def _wake_in_time() -> None:
    """Windows lets sleepers lie up to 16 ms too long unless a program asks for more."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.winmm.timeBeginPeriod(1)


async def _run(make: Callable[[], Bridge], clock: Clock, n_portraits: int, seconds: float | None, *, quiet: bool) -> None:
    bridge = make()
    for sign in (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])):
        with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(sign, bridge.quit)
    with keyboard() as keys:
        beside = [_show(bridge, clock) if console.is_terminal else _log(bridge, clock)] if not quiet else []
        beside += [watch_keys(bridge, keys, n_portraits, clock)] if keys is not None else []
        beside += [_quit_after(bridge, clock, seconds)] if seconds is not None else []
        tasks = [asyncio.create_task(story) for story in beside]
        try:
            await bridge.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if not quiet:
        say(f"ended; {figures_line(bridge.figures())}")


async def _show(bridge: Bridge, clock: Clock) -> None:
    with Live(panel(bridge), console=console, auto_refresh=False, transient=True) as live, stderr_lines(say):
        width = console.width
        while True:
            await clock.sleep_until(clock.now_us() + 2 * LOOK_US)
            if console.width != width:  # the terminal has folded the old lines anew, nobody knows how
                console.clear()
                width = console.width
            live.update(panel(bridge), refresh=True)


async def _log(bridge: Bridge, clock: Clock) -> None:
    while True:
        await clock.sleep_until(clock.now_us() + LOG_US)
        say(figures_line(bridge.figures()))


async def _quit_after(bridge: Bridge, clock: Clock, seconds: float) -> None:
    await clock.sleep_until(clock.now_us() + round(1e6 * seconds))
    bridge.quit()


def _require_apart(
    camera: str, portraits: list[Path], mic: str, fill: str, token_file: Path | None, tls_ca: Path | None
) -> None:
    """Refuse a recording over what is read."""
    kind, _, out = camera.partition(":")
    if kind != "file":
        return
    sound = Path(mic.partition(":")[2]) if mic.startswith(("file:", "loop:")) else None
    for portrait in portraits:
        require_apart(Path(out), {"portrait": portrait})
    read: Inputs = {"sound": sound, "fill": Path(fill), "token": token_file, "authority": tls_ca}
    require_apart(Path(out), dict(read) | own_files())


def _require_ranges(
    portraits: list[Path], size: str, sync_offset: float, gate: float, runtime: str | None, mirror: bool
) -> None:
    if len(portraits) > MOST_PORTRAITS:
        raise InputError(f"at most {MOST_PORTRAITS} portraits, one for each key; got {len(portraits)}")
    if size not in SIZES:
        raise InputError(f"--size is {', '.join(SIZES)}; got {size!r}")
    if not -200 <= sync_offset <= 500:
        raise InputError(f"--sync-offset is from -200 to 500 ms, got {sync_offset:g}")
    if not GATE_OFF_DB <= gate <= GATE_MOST_DB:
        raise InputError(f"--gate is from {GATE_OFF_DB:g} (off) to {GATE_MOST_DB:g} dB, got {gate:g}")
    if mirror and runtime is not None:
        raise InputError(
            "--mirror would turn the server's label too; turn the portrait itself, or mirror in the program that shows it"
        )
