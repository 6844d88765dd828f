"""The face in a real browser, through Pipecat's small WebRTC transport: its mouth moves with the voice that is heard there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from browser_kit import Browser, is_installed, running, told

EXAMPLE = Path(__file__).parents[1] / "examples" / "browser_bot.py"
SIDE_PX = 256
WATCH = """
new Promise(async (done) => {
  await start();
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(face.srcObject).connect(analyser);
  const wave = new Float32Array(analyser.fftSize), seen = [];
  const pen = new OffscreenCanvas(16, 12).getContext("2d", { willReadFrequently: true });
  let last = Infinity;
  const look = () => {
    const now = performance.now(), side = face.videoWidth;
    pen.drawImage(face, 0.36 * side, 0.55 * side, 0.28 * side, 0.21 * side, 0, 0, 16, 12);
    analyser.getFloatTimeDomainData(wave);
    const loud = Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);
    if (loud > 0.01) last = now;
    seen.push([now, side, loud, Array.from(pen.getImageData(0, 0, 16, 12).data)]);
    now < last + 4000 ? face.requestVideoFrameCallback(look) : done(seen);
  };
  face.requestVideoFrameCallback(look);
})
"""
"""With every picture, until four seconds after the last word: its time in ms and side in px, how loud the voice is then, and
16 x 12 RGBA of where the mouth is."""
LOUD = 0.02
APART_MS = 1000
"""Sound and picture may be so far apart on a machine that has no time for either."""
JUDGED_FROM_HZ = 15
"""With fewer pictures a second nobody sees whether lips are in time."""


@pytest.mark.skipif(not is_installed(), reason="chromium is not installed")
def test_the_mouth_moves_with_the_voice_in_a_browser(tmp_path: Path) -> None:
    pytest.importorskip("aiortc", reason="pipecat-ai[webrtc] is not installed")
    command = [sys.executable, str(EXAMPLE), "--port", "0", "--size", str(SIDE_PX), "--lines", "1"]
    with running(command, stdout=subprocess.PIPE) as bot, Browser(tmp_path) as page:
        page.open(told(bot.stdout, r"open (http://\S+)"))
        seen = page.value(WATCH)
    at_ms, side_px, loud = (np.array(column) for column in list(zip(*seen, strict=True))[:3])
    mouths = np.array([row[3] for row in seen], np.float32).reshape(len(seen), 12 * 16, 4)[..., :3].mean(axis=2)
    heard_ms = at_ms[loud > LOUD]
    assert set(side_px[2:]) == {SIDE_PX} and np.ptp(heard_ms) > 1500

    is_speaking = (at_ms > heard_ms[0]) & (at_ms < heard_ms[-1])
    is_quiet = at_ms > heard_ms[-1] + APART_MS
    assert mouths[is_speaking].std(axis=0).mean() > 2 * mouths[is_quiet].std(axis=0).mean()

    if len(heard_ms) / np.ptp(heard_ms) * 1000 > JUDGED_FROM_HZ:
        moved = np.abs(np.diff(mouths, axis=0)).mean(axis=1)
        near = np.abs(at_ms[1:, None] - np.arange(at_ms[1], at_ms[-1], 50)) < 150
        moving, speaking = ((each[:, None] * near).sum(axis=0) / near.sum(axis=0).clip(1) for each in (moved, loud[1:]))
        assert np.corrcoef(moving, speaking)[0, 1] > 0.5
