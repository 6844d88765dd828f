"""The studio with one live face: delay as the page measures it, and processor time: python -m benchmarks.studio --seconds 60

Linux. The browser's share is that of headless Chromium without a graphics card.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.device.studio_page import browser, page_at, wait_for, write_wav
from tests.session.studio_kit import running_studio, studio_elsewhere
from vivant.testing.voice import bundled_voice

TOKEN = "the-token"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--webrtc", action="store_true", help="as another machine has it, by TLS and WebRTC")
    asked = parser.parse_args()
    seconds = asked.seconds
    with (
        TemporaryDirectory() as folder,
        studio_elsewhere(Path(folder), TOKEN) if asked.webrtc else running_studio(Path(folder)) as studio,
    ):
        voice = write_wav(Path(folder) / "voice.wav", bundled_voice(15.0))
        with browser(voice) as chromium, page_at(chromium, f"{studio.url}/#token={TOKEN}", ignore_https_errors=True) as page:
            page.click('[data-portrait="ada"] button')
            wait_for(page, "speaking")
            page.click("#microphone")
            page.wait_for_selector("#delay:not([hidden])")
            page.wait_for_timeout(3000)
            server, browsers = [studio.process.pid], list(_below(os.getpid(), except_for=studio.process.pid))
            began_s, used_s = time.monotonic(), [_cpu_s(pids) for pids in (server, browsers)]
            delays_ms, fps = [], []
            for _ in range(seconds):
                page.wait_for_timeout(1000)
                delays_ms.append(int(page.inner_text("#delay").split()[0]))
                fps.append(int(page.evaluate("document.querySelector('.plot output').textContent")))
            took_s = time.monotonic() - began_s
            shares = [(_cpu_s(pids) - used) / took_s for pids, used in zip((server, browsers), used_s, strict=True)]
    p50, p95 = np.percentile(delays_ms, (50, 95))
    print(f"microphone to drawn picture, medians of {seconds} seconds: p50 {p50:.0f}, p95 {p95:.0f}, most {max(delays_ms)} ms")
    print(f"pictures a second: {np.mean(fps):.1f}; studio {shares[0]:.2f} of a core, browser {shares[1]:.2f}")
    print(f"load average {os.getloadavg()[0]:.1f}")


def _cpu_s(pids: list[int]) -> float:
    """That these have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _below(pid: int, *, except_for: int) -> Iterator[int]:
    """Processes that a process has started, and those that they have."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if int(child) != except_for:
            yield int(child)
            yield from _below(int(child), except_for=except_for)


if __name__ == "__main__":
    main()
