"""A face in a web page: microphone to picture, what it costs the server, and how much motion alone sends.

``python -m benchmarks web``, with playwright and Debian's Chromium. On loopback, the page on the same machine. The delay is
measured by a marker: bursts in the voice that the page's microphone hears. The page notes when it captured one, finds it again
in the delayed sound, to the sample, and notes when it has drawn the first picture that is not earlier. Nothing of the server's
own clock or counting goes in; what a screen takes to show a canvas comes on top.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import cpu_ms
from benchmarks.report import ROOT, Row, put, show, table
from tests.device.web_kit import PAGE, WebServe, chromium, pages, started, until, write_microphone
from vivant.testing import VOICE_RATE_HZ, bundled_voice
from vivant.types import Float32Array

EVERY_S, BURST_S = 1.25, 0.002
"""Between two markers, so that they lie anywhere within a picture's time; and how long one is. Chosen."""
VOICE_SHARE, BURST = 0.3, 0.95
"""Of full scale: the voice at its loudest, and a marker, so that a threshold between them tells them apart."""
COST_S = 20.0
"""For how long processor time is counted."""
CORNER = [0, 0, 0.01, 0.01]
"""What the page looks at in each picture: as good as nothing, for that is not the client's work."""
FIND = """([above]) => {
  const loud = (samples, full) => samples.findIndex((sample) => Math.abs(sample) > above * full);
  run.captured = []; run.drawn = []; let waiting = null, quiet_ms = 0;
  const push = run.face.push.bind(run.face);
  run.face.push = (samples, captured_ms) => {
    const at = loud(samples, 32768), when_ms = captured_ms + 1000 * at / run.face.sample_rate_hz;
    if (at >= 0 && when_ms > quiet_ms) { run.captured.push(when_ms); quiet_ms = when_ms + 500; }
    push(samples, captured_ms);
  };
  let heard_us = 0;
  run.face.on('sound', ({ samples, number, pts_us }) => {
    const at = loud(samples, 32768), when_us = pts_us + 1e6 * at / number;
    if (at >= 0 && when_us > heard_us) { waiting = when_us; heard_us = when_us + 5e5; }
  });
  run.face.on('picture', ({ pts_us }) => {
    if (waiting !== null && pts_us >= waiting) { run.drawn.push(performance.now()); waiting = null; }
  });
}"""


def marked_voice(seconds: float) -> Float32Array:
    voice = bundled_voice()
    voice = np.tile(voice, int(np.ceil(seconds * VOICE_RATE_HZ / len(voice))))[: int(seconds * VOICE_RATE_HZ)]
    voice = VOICE_SHARE * voice / np.abs(voice).max()
    length = int(BURST_S * VOICE_RATE_HZ)
    for first in np.arange(EVERY_S, seconds - 1, EVERY_S):
        at = int(first * VOICE_RATE_HZ)
        voice[at : at + length] = BURST
    marked: Float32Array = voice.astype(np.float32)
    return marked


def delays_ms(page: Any, n: int) -> list[float]:  # noqa: ANN401
    """From the microphone to the picture, of so many markers."""
    page.evaluate(FIND, [(VOICE_SHARE + BURST) / 2])
    page.evaluate("run.face.listen()")
    until(page, f"run.drawn.length >= {n}")
    captured, drawn = page.evaluate("[run.captured, run.drawn]")
    return [shown - max(when for when in captured if when < shown) for shown in drawn]


def cost(server: WebServe, page: Any) -> tuple[float, float]:  # noqa: ANN401
    """Share of one core that the server's process takes, and how many pictures a second the page draws for it."""
    assert server.process is not None
    drawn, before_ms, began_s = page.evaluate("run.pictures.length"), cpu_ms(server.process.pid), time.perf_counter()
    page.wait_for_timeout(1000 * COST_S)
    took_s, spent_ms = time.perf_counter() - began_s, cpu_ms(server.process.pid) - before_ms
    return spent_ms / 1000 / took_s, (page.evaluate("run.pictures.length") - drawn) / took_s


def motion_bytes(browser: Any, origin: str, server: WebServe) -> int:  # noqa: ANN401
    """Of everything that comes in `COST_S` where motion alone was asked for."""
    sizes: list[int] = []
    page = browser.new_page()
    page.on("websocket", lambda line: line.on("framereceived", lambda payload: sizes.append(len(payload))))
    page.goto(f"{origin}/{PAGE}")
    page.wait_for_function("!!window.start")
    page.evaluate("(url) => { start(url, { canvas: null, fps: 30 }); run.face.listen() }", server.url)
    page.evaluate("run.face.ready")
    sizes.clear()
    page.wait_for_timeout(1000 * COST_S)
    page.close()
    return sum(sizes)


def rows(folder: Path, n: int) -> list[Row]:
    microphone = write_microphone(folder / "marked.wav", marked_voice(60), VOICE_RATE_HZ)
    with pages() as origin, chromium(microphone) as browser:
        server = WebServe(folder, "--web-origin", origin)
        server.start()
        try:
            page = started(browser, origin, server, fps=30, sound=True, box=CORNER)
            until(page, "run.pictures.length > 30")
            found = delays_ms(page, n)
            said = page.evaluate("run.delays")
            page.close()
            page = started(browser, origin, server, fps=30, box=CORNER)
            page.evaluate("run.face.listen()")
            until(page, "run.pictures.filter(p => p.speaking).length > 60")
            share, fps = cost(server, page)
            page.close()
            n_bytes = motion_bytes(browser, origin, server)
        finally:
            server.kill()
    return [
        Row(
            f"microphone to picture, by {len(found)} markers",
            "p50 < 250 ms, p95 < 350 ms",
            f"p50 {np.median(found):.0f} ms, p95 {np.percentile(found, 95):.0f} ms",
        ),
        Row("the same as the client says it", "within 20 ms of it", f"{np.median(said):.0f} ms"),
        Row(
            "server's process, one live face of 512 px at 30 fps",
            "<= 0.6 of a core",
            f"{share:.2f} of a core, {fps:.1f} pictures a second",
        ),
        Row("motion alone at 30 fps", "about 10 kB/s", f"{n_bytes / 1000 / COST_S:.1f} kB/s"),
    ]


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks web", description=__doc__)
    parser.add_argument("--markers", type=int, default=40)
    parser.add_argument("--write", action="store_true", help="into docs/web.md, too")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = rows(Path(folder), asked.markers)
    show(found)
    if asked.write:
        put(ROOT / "docs" / "web.md", "web", table(found))
