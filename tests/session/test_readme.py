"""The README's Python runs exactly as it stands there."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import portrait_path
from vivant.face import RigFace
from vivant.provenance.watermark_detector import detect
from vivant.types import Float32Array, UInt8Array

pytestmark = pytest.mark.session

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 16_000
SPOKEN_S = 0.6


def blocks(page: str) -> list[str]:
    """The Python of a page, in its order."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def sound() -> Float32Array:
    """(n,) at the README's rate; something like a vowel."""
    time_s = np.arange(round(SPOKEN_S * RATE_HZ)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 140 * time_s) * np.sin(2 * np.pi * 3 * time_s)).astype(np.float32)


def require_shown(shown: list[UInt8Array]) -> None:
    """As the README's comment says it: their shape, and that all are marked."""
    assert {(pixels.shape, pixels.dtype) for pixels in shown} == {((512, 512, 4), np.dtype(np.uint8))}
    mark = detect([pixels[..., :3] for pixels in shown[:4]])
    assert mark is not None and mark.session_id is not None


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_the_first_example(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(portrait_path("ada"), tmp_path / "me.jpg")
    monkeypatch.chdir(tmp_path)
    shown: list[UInt8Array] = []
    exec(blocks(page)[0], {"samples": sound(), "show": shown.append})
    require_shown(shown)
    if page == "README.md":
        assert len(shown) == round(SPOKEN_S * 30)


def test_the_live_example(ada: RigFace) -> None:
    shown: list[UInt8Array] = []
    names: dict[str, Any] = {"show": shown.append}
    exec(blocks("README.md")[1], names)

    async def microphone() -> AsyncIterator[Float32Array]:
        for chunk in np.array_split(sound(), 10):
            yield chunk

    asyncio.run(asyncio.wait_for(names["main"](ada, microphone()), 60))
    assert len(shown) >= 3  # of 18; a busy machine leaves some out
    require_shown(shown)


def test_these_are_all() -> None:
    assert len(blocks("README.md")) == 2 and len(blocks("docs/api.md")) == 1
