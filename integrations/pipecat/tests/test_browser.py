"""The face in a real browser, through Pipecat's small WebRTC transport: its mouth moves with the voice that is heard there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from browser_kit import Browser, is_installed, running, told

EXAMPLE = Path(__file__).parents[1] / "examples" / "browser_bot.py"
SECONDS = 9
WATCH = """
new Promise(async (done) => {
  await start();
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(face.srcObject).connect(analyser);
  const wave = new Float32Array(analyser.fftSize), seen = [];
  const pen = new OffscreenCanvas(16, 12).getContext("2d", { willReadFrequently: true });
  const began = performance.now();
  const look = (now, picture) => {
    const side = face.videoWidth;
    pen.drawImage(face, 0.36 * side, 0.55 * side, 0.28 * side, 0.21 * side, 0, 0, 16, 12);
    analyser.getFloatTimeDomainData(wave);
    const loud = Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);
    seen.push([side, loud, Array.from(pen.getImageData(0, 0, 16, 12).data)]);
    performance.now() - began < %d ? face.requestVideoFrameCallback(look) : done(seen);
  };
  face.requestVideoFrameCallback(look);
})
"""
"""With every picture: its side in px, how loud the voice is then, and 16 x 12 RGBA of where the mouth is."""


@pytest.mark.skipif(not is_installed(), reason="chromium is not installed")
def test_the_mouth_moves_with_the_voice_in_a_browser(tmp_path: Path) -> None:
    pytest.importorskip("aiortc", reason="pipecat-ai[webrtc] is not installed")
    with running([sys.executable, str(EXAMPLE), "--port", "0"], stdout=subprocess.PIPE) as bot, Browser(tmp_path) as page:
        page.open(told(bot.stdout, r"open (http://\S+)"))
        seen = page.value(WATCH % (1000 * SECONDS))
    side_px, loud = (np.array(column) for column in list(zip(*seen, strict=True))[:2])
    mouths = np.array([row[2] for row in seen], np.float32).reshape(len(seen), 12, 16, 4)[..., :3].mean(axis=3)
    assert set(side_px[5:]) == {512} and len(seen) > 10 * SECONDS
    moved = np.abs(np.diff(mouths, axis=0)).mean(axis=(1, 2))
    window = 15  # half a second of either
    moving, speaking = (np.convolve(each, np.ones(window) / window, "valid") for each in (moved, loud[1:]))
    quiet, spoken = speaking < 0.1 * speaking.max(), speaking > 0.4 * speaking.max()
    assert quiet.sum() > 5 and spoken.sum() > 20, "the voice was not heard to come and go"
    assert np.median(moving[spoken]) > 2 * np.median(moving[quiet])
    assert np.corrcoef(moving, speaking)[0, 1] > 0.5
