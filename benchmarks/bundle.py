"""The portable server of scripts/bundle: its size, how soon it listens, and two faces that speak on it.

    python -m benchmarks.bundle dist/vivant-server          # with an empty environment
    python -m benchmarks.bundle dist/vivant-server --bare   # and in a root folder of its own; Linux, as root

In a root folder of its own there is nothing but the bundle, glibc, zlib and a few devices: no Python, no shell, no home.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import vivant
from benchmarks.report import PORTRAITS, Row, quiet, show
from vivant.client import RemoteConfig, connect

PROGRAM = "vivant-server.exe" if sys.platform == "win32" else "vivant-server"
SYSTEM = (
    "libz.so.1",
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
)
DEVICES = {"null": 3, "zero": 5, "urandom": 9}
"""Minor numbers of the character devices 1:N that the kernel's documentation gives."""
RATE_HZ, SPOKEN_S, MOST_S = 16_000, 0.5, 60.0
STARTS = 5
LISTENS = re.compile(r"^vivant listens on 127\.0\.0\.1:(\d+) ")


@contextmanager
def started(bundle: Path, bare: Path | None) -> Iterator[tuple[int, float]]:
    """Its port, and seconds until it said so; ``bare`` is a folder that `furnish` has made a root. It is ended behind."""
    command = [str(bundle / PROGRAM)] if bare is None else [shutil.which("chroot") or "chroot", str(bare), f"/bundle/{PROGRAM}"]
    needed = {"SYSTEMROOT": os.environ["SYSTEMROOT"]} if sys.platform == "win32" else {}  # or Windows has no sockets
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([*command, "--port", "0"], env=needed, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            listens = LISTENS.match(line)
            if listens is None:
                raise RuntimeError(f"the server of {bundle} says {line!r} and ends with {server.wait(10)}")
            yield int(listens[1]), time.perf_counter() - began
        finally:
            server.terminate()
            server.wait(30)
            assert server.stdout is not None
            server.stdout.close()


def furnish(root: Path, bundle: Path) -> None:
    """A root folder with the bundle, the C library and zlib of this system, and devices and folders that every system has."""
    shutil.copytree(bundle, root / "bundle", symlinks=True)
    linked = subprocess.run(["ldd", str(bundle / PROGRAM)], capture_output=True, text=True, check=True).stdout
    loader = re.search(r"/\S*ld-linux\S*", linked)
    library = re.search(r"/\S*libc\.so\.6", linked)
    assert loader is not None and library is not None, linked
    for source in (Path(loader[0]), *(Path(library[0]).with_name(name) for name in SYSTEM)):
        if source.exists():
            place = root / source.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.resolve(), place)
            place.chmod(0o755)
    for folder in ("tmp", "dev", "dev/shm"):
        (root / folder).mkdir()
        (root / folder).chmod(0o1777)
    for name, minor in DEVICES.items():
        os.mknod(root / "dev" / name, 0o20666, os.makedev(1, minor))


async def speak(port: int) -> dict[str, int]:
    """Pictures of half a second each, of a bundled face and of a picture that the client sends."""
    voice = (0.3 * np.sin(np.arange(round(SPOKEN_S * RATE_HZ)) * 2 * np.pi * 150 / RATE_HZ)).astype(np.float32)
    drawn: dict[str, int] = {}
    async with connect(f"127.0.0.1:{port}") as client:
        for name, portrait in (("bundled", "ada"), ("sent", PORTRAITS[0].read_bytes())):
            async with client.animate(portrait, RemoteConfig(size_px=256, paced=False), "synthetic") as session:
                await session.push(voice)
                await session.finish()
                items = [item async for item in session]
            drawn[name] = sum(isinstance(item, vivant.Output) and item.picture is not None for item in items)
    return drawn


def rows(bundle: Path, bare: Path | None) -> list[Row]:
    """Of one bundle. Raises RuntimeError where it does not serve."""
    size_mb = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
    times = []
    for _ in range(STARTS):
        with started(bundle, bare) as (_, seconds):
            times.append(seconds)
    with started(bundle, bare) as (port, _):
        drawn = asyncio.run(asyncio.wait_for(speak(port), MOST_S))
    archive = bundle.parent / f"{bundle.name}.tar.xz"
    packed = [Row("archive, MB", "<= 60", f"{archive.stat().st_size / 1e6:.1f}")] if archive.exists() else []
    return [
        Row("bundle, MB", "<= 160", f"{size_mb:.1f}"),
        *packed,
        Row("start until it listens, s, middle and worst", "<= 1.5", f"{np.median(times):.2f} and {max(times):.2f}"),
        *(Row(f"pictures of {SPOKEN_S} s, portrait {name}", "> 0", str(count)) for name, count in drawn.items()),
    ]


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    with quiet(), tempfile.TemporaryDirectory() as root:
        if options.bare:
            furnish(Path(root), options.bundle.resolve())
        show(rows(options.bundle.resolve(), Path(root) if options.bare else None))


if __name__ == "__main__":
    main()
