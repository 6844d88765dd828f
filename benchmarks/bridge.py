"""The bridge in real time: a voice in, a face, a camera in memory and an output. ``python -m benchmarks.bridge [--minutes N]``

By default the voice is the bundled one and the output a twin; ``--mic`` and ``--speaker`` name real ones as `vivant cam` does.
The camera is a twin that keeps nothing but times, unless ``--camera`` names one. What is measured is what `vivant cam` shows.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.report import PORTRAITS, VOICE, Row, show
from vivant import MonotonicClock, open_portrait
from vivant_bridge.bridge import Bridge, Figures
from vivant_bridge.device_registry import choose_camera, choose_source, choose_speaker
from vivant_bridge.picture.compositor import SIZES, Compositor, Fill
from vivant_bridge.runtime.local import LocalRuntime
from vivant_bridge.runtime.remote import RemoteRuntime
from vivant_bridge.runtime.runtime import Runtime

WARM_UP_S = 5
"""Left out: the first frames build renderers."""


@dataclass
class Course:
    """One sample of the bridge's figures per second."""

    figures: list[Figures] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def watch(self, bridge: Bridge, seconds: float) -> None:
        await asyncio.sleep(WARM_UP_S)
        for _ in range(round(seconds)):
            self.figures.append(bridge.figures())
            self.memory_mb.append(memory_mb())
            await asyncio.sleep(1)
        self.figures.append(bridge.figures())
        bridge.quit()


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def run(
    minutes: float, *, mic: str, speaker: str, camera: str, size: str, fps: int, runtime: str | None
) -> tuple[Course, Bridge]:
    """Real time; what the options of this command mean."""
    clock, course = MonotonicClock(), Course()
    portrait = next(path for path in PORTRAITS if path.stem == "ada")
    faces: Runtime
    if runtime is None:
        face = open_portrait(portrait)
        faces = LocalRuntime([face])
    else:
        faces = RemoteRuntime(runtime, ["ada"], consents=["synthetic"])
    bridge = Bridge(
        faces,
        choose_source(mic, clock, pcm_rate_hz=48_000, pcm_channels=1),
        choose_camera(camera, None),
        Compositor(*SIZES[size], Fill("blur")),
        choose_speaker(speaker, clock),
        fps=Fraction(fps),
        clock=clock,
        report=course.said.append,
    )
    watching = asyncio.create_task(course.watch(bridge, 60 * minutes))
    await bridge.run()
    await watching
    return course, bridge


def rows_of(course: Course, bridge: Bridge, minutes: float, fps: int) -> list[Row]:
    first, last = course.figures[0], course.figures[-1]
    delays_ms = [figures.delay_ms for figures in course.figures]
    offsets_ms = [figures.offset_ms for figures in course.figures if figures.offset_ms is not None]
    sent = fps * 60 * minutes
    return [
        Row(f"bridge, {minutes:g} min: frames per second", f"{fps}", f"{np.mean([f.fps for f in course.figures]):.2f}"),
        Row(
            "bridge: intervals above 1.5 frames; repeated; late",
            "0",
            f"{last.gaps - first.gaps}; {last.repeated - first.repeated}; {last.late - first.late} of {sent:.0f}",
        ),
        Row(
            "bridge: microphone to camera driver, ms",
            "p95 <= 200",
            f"p50 {np.median(delays_ms):.0f}, p95 {np.percentile([f.delay_p95_ms for f in course.figures], 95):.0f}",
        ),
        Row(
            "bridge: picture minus sound, ms",
            "-45 to +15",
            told(offsets_ms) if offsets_ms else "no output",
        ),
        Row("bridge: gaps in the voice", "0", f"{last.sound_gaps - first.sound_gaps}"),
        Row(
            "bridge: faces opened; memory growth, MB",
            "1; 0",
            f"{last.lives}; {course.memory_mb[-1] - course.memory_mb[0]:+.1f}",
        ),
    ]


def told(offsets_ms: list[float]) -> str:
    """One sample per second."""
    outside = sum(not -45 <= offset_ms <= 15 for offset_ms in offsets_ms)
    span = f"{min(offsets_ms):+.1f} to {max(offsets_ms):+.1f}"
    return f"median {np.median(offsets_ms):+.1f}, {span}; outside in {outside} of {len(offsets_ms)} s"


def rows(minutes: float = 0.5) -> list[Row]:
    """For the table of all figures."""
    story = run(minutes, mic=f"loop:{VOICE}", speaker="null", camera="null", size="720p", fps=30, runtime=None)
    return rows_of(*asyncio.run(story), minutes, 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--mic", default=f"loop:{VOICE}")
    parser.add_argument("--speaker", default="null")
    parser.add_argument("--camera", default="null")
    parser.add_argument("--size", choices=SIZES, default="720p")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--runtime", metavar="HOST:PORT")
    options = parser.parse_args()
    load_before = os.getloadavg()
    course, bridge = asyncio.run(run(**vars(options)))
    show(rows_of(course, bridge, options.minutes, options.fps))
    for sentence in course.said:
        sys.stdout.write(f"said: {sentence}\n")
    cpu_s = sum(os.times()[:2])
    share = 100 * cpu_s / (60 * options.minutes + WARM_UP_S)
    sys.stdout.write(f"load before {load_before[0]:.1f}, after {os.getloadavg()[0]:.1f}; {share:.0f} % of one core\n")


if __name__ == "__main__":
    main()
