"""Vector code of the kernel: every instruction set gives the numbers of the plain loops."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "runtime/vivant/render"
SOURCES = [ROOT / "tests/kernel/vectors.cpp", KERNEL / "watermark.cpp", KERNEL / "encoder.cpp"]
FLAGS = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", f"-I{KERNEL}"]
ARM64 = ["aarch64-linux-gnu-g++", "-static"], ["qemu-aarch64-static"]
"""Debian: g++-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static."""


def told(compiler: list[str], runner: list[str], folder: Path) -> str:
    for tool in (compiler[0], *runner):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")
    program = folder / "vectors"
    subprocess.run([*compiler, *FLAGS, *map(str, SOURCES), "-o", str(program)], check=True)
    return subprocess.run([*runner, str(program)], check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the flags are those of g++ and clang++")
@pytest.mark.parametrize(
    ("compiler", "runner"),
    [(["g++"], []), (["g++", "-DVIVANT_BASELINE"], []), ARM64],
    ids=["this machine", "baseline", "arm64"],
)
def test_vectors_equal_plain_loops(compiler: list[str], runner: list[str], tmp_path: Path) -> None:
    plain = told(["g++", "-DVIVANT_PLAIN"], [], tmp_path)
    assert plain.startswith("operations ") and "triangles " in plain
    assert plain.count("watermark ") == 6 and plain.count("encoder ") == 3
    assert told(compiler, runner, tmp_path) == plain
