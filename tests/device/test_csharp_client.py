"""The Unity package's core assembly, compiled as it is, talks to a real server over HTTP/2.

Needs mcs and the folder that ``scripts/dotnet-tools`` fills, named by VIVANT_DOTNET_TOOLS; CI has both.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.session.server_kit import gone, open_tint, serving, tone
from tests.session.slow_network import slow_network
from vivant.server.outflow import FIRST_FRAMES

pytestmark = pytest.mark.device

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "unity_sample" / "Packages" / "com.vivant.face"
TOOLS = Path(os.environ.get("VIVANT_DOTNET_TOOLS", "/nowhere"))
DOTNET = TOOLS / "dotnetcore2" / "bin" / "dotnet"
INVARIANT = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
FRAMEWORK = TOOLS / "dotnetcore2" / "bin" / "shared" / "Microsoft.NETCore.App" / "3.1.23"
WAIT_S = 240
SERVE = (sys.executable, '-c "from vivant.cli import main; main()" serve')
"""A program and its arguments, in the place of the bundle's."""
CORE = sorted((PACKAGE / "Runtime" / "Core").rglob("*.cs"))
needs_tools = pytest.mark.skipif(
    shutil.which("mcs") is None or not (TOOLS / "Google.Protobuf.dll").exists(),
    reason="mcs or the folder of scripts/dotnet-tools (VIVANT_DOTNET_TOOLS) is missing",
)


async def command(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    out, _ = await asyncio.wait_for(process.communicate(), WAIT_S)
    return process.returncode or 0, out.decode()


async def compiled(out: Path, *sources: Path, target: str) -> Path:
    names = ("System*.dll", "netstandard.dll", "Microsoft.Win32.Primitives.dll")
    references = [f"-r:{dll}" for name in names for dll in sorted(FRAMEWORK.glob(name)) if "WindowsRuntime" not in dll.name]
    options = ["-noconfig", "-nostdlib", "-langversion:7", "-nowarn:1701,1702,1591", f"-lib:{FRAMEWORK}", f"-target:{target}"]
    options.append("-define:ENABLE_LEGACY_INPUT_MANAGER")  # as most Unity projects have it
    code, said = await command("mcs", *options, *references, f"-r:{TOOLS / 'Google.Protobuf.dll'}", f"-out:{out}", *sources)
    assert code == 0, said
    return out


async def build_program(folder: Path, *sources: Path) -> Path:
    """Something that `run_program` runs."""
    program = await compiled(folder / "client.dll", *sources, target="exe")
    shutil.copy(TOOLS / "Google.Protobuf.dll", folder)
    framework = {"name": "Microsoft.NETCore.App", "version": "3.1.23"}
    (folder / "client.runtimeconfig.json").write_text(json.dumps({"runtimeOptions": {"framework": framework}}))
    return program


async def build_client(folder: Path, name: str) -> Path:
    """One of those in the folder beside this file."""
    sources = (Path(__file__).parent / "csharp" / f"{source}.cs" for source in (name, "Checks"))
    return await build_program(folder, *sources, *CORE)


async def run_program(program: Path, *arguments: str | Path) -> tuple[int, str]:
    return await command(DOTNET, program, *arguments, **INVARIANT)


@needs_tools
def test_the_core_assembly_speaks_interrupts_and_reconnects(tmp_path: Path) -> None:
    async def story() -> None:
        program = await build_client(tmp_path, "ConsoleClient")
        async with serving() as (server, _):
            code, said = await run_program(program, f"http://127.0.0.1:{server.port}")
        assert code == 0, said
        assert said.endswith("ok\n"), said

    asyncio.run(story())


@needs_tools
def test_a_game_has_a_server_of_its_own_that_comes_back_and_ends_with_it(tmp_path: Path) -> None:
    """By the code that Unity's VivantServer starts it with."""

    async def story() -> None:
        program = await build_client(tmp_path, "ProcessClient")
        code, said = await run_program(program, *SERVE)
        assert code == 0 and said.endswith("ok\n"), said
        first, second = (line.split()[1] for line in said.splitlines() if line.startswith("server "))
        assert first != second

    asyncio.run(story())


@needs_tools
def test_a_game_that_is_killed_leaves_no_server(tmp_path: Path) -> None:
    program = asyncio.run(build_client(tmp_path, "ProcessClient"))
    command = [str(DOTNET), str(program), *SERVE, "hang"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | INVARIANT) as game:
        assert game.stdout is not None
        said = iter(game.stdout.readline, "")
        server = int(next(line for line in said if line.startswith("server ")).split()[1])
        os.kill(server, 0)
        game.send_signal(signal.SIGKILL)
    asyncio.run(asyncio.wait_for(gone_process(server), WAIT_S))


async def gone_process(process: int) -> None:
    while Path(f"/proc/{process}/cmdline").exists() and Path(f"/proc/{process}/cmdline").read_bytes():
        await asyncio.sleep(0.05)


@needs_tools
def test_the_example_shows_pictures(tmp_path: Path) -> None:
    async def story() -> None:
        program = await build_program(tmp_path, ROOT / "examples" / "csharp" / "ShowFace.cs", *CORE)
        (tmp_path / "voice.pcm").write_bytes((tone(1) * 32767).round().astype("<i2").tobytes())
        (tmp_path / "pictures").mkdir()
        async with serving() as (server, _):
            address = f"http://127.0.0.1:{server.port}"
            code, said = await run_program(program, address, "ada", tmp_path / "voice.pcm", tmp_path / "pictures")
        assert code == 0, said

    asyncio.run(story())
    shown = sorted((tmp_path / "pictures").glob("*.bmp"))
    assert len(shown) >= 5
    ada = (ROOT / "runtime" / "vivant" / "assets" / "portraits" / "ada.jpg").read_bytes()
    with Image.open(shown[-1]) as picture:
        assert picture.size in ((256, 256), (128, 128))  # by level of detail
        assert abs(np.median(np.asarray(picture)[..., 0]) - open_tint(ada, transparent=False).tint) <= 3


@needs_tools
def test_a_slow_network_is_thinned_for_games_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    n_seen = 6

    async def story() -> list[int]:
        program = await build_client(tmp_path, "ConsoleClient")
        async with serving() as (server, _), slow_network(server.port, 1e6) as network:
            code, said = await run_program(program, f"http://127.0.0.1:{network.port}", str(n_seen))
            await gone(server)
        assert code == 0 and said.endswith("ok\n"), said
        return [int(word) for word in said.split()[:-1]]

    with caplog.at_level(logging.INFO, "vivant.server"):
        indices = asyncio.run(story())
    assert indices == sorted(indices)
    assert indices[-1] - indices[-2] > 10
    (sent,) = (vars(record)["frames_sent"] for record in caplog.records if record.message == "call over")
    assert sent - n_seen <= FIRST_FRAMES  # where the system's buffers would take ten


@needs_tools
def test_the_packages_own_tests_pass(tmp_path: Path) -> None:
    """Inside Unity its Test Runner finds them; here a few lines stand in for NUnit."""

    async def story() -> None:
        tests = sorted((PACKAGE / "Tests").rglob("*.cs"))
        program = await build_program(tmp_path, Path(__file__).parent / "csharp" / "NUnitStubs.cs", *tests, *CORE)
        code, said = await run_program(program)
        assert code == 0 and "MotionWaitsForItsTime" in said, said

    asyncio.run(story())


@needs_tools
def test_components_editor_and_sample_compile_against_stubs_of_unity(tmp_path: Path) -> None:
    """Says nothing about how they run inside Unity, only that they are sound C# and fit the core assembly."""
    folders = (PACKAGE / "Runtime", PACKAGE / "Editor", PACKAGE / "Samples~")
    sources = [source for folder in folders for source in sorted(folder.rglob("*.cs"))]
    stubs = Path(__file__).parent / "csharp" / "UnityStubs.cs"
    assert asyncio.run(compiled(tmp_path / "all.dll", stubs, *sources, target="library")).exists()
