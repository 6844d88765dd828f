"""Nothing leaves the machine: every command and a served line, where no network exists and every packet is seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import portrait_path
from tests.session.command_line import write_wav
from vivant import cli
from vivant.types import Float32Array

pytestmark = pytest.mark.session

KIT = Path(__file__).with_name("no_network_kit.py")
XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="http://192.0.2.7/seen.c2pa"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)
COMMANDS = [
    "--version",
    "demo --size 256",
    "render me.jpg voice.wav -o out.mp4 --size 96",
    "say Hello.",
    "say Hello. me.jpg -o said.mp4 --size 96",
    "say --voices",
    "portraits -o bundled.png",
    "motion voice.wav -o motion.csv",
    "motion --mic tone --to vmc --seconds 1",
    "inspect me.jpg -o sheet.png",
    "verify me.jpg",
    "verify out.mp4",
    "cam me.jpg --mic tone --speaker null --camera null --size square --seconds 2",
    "tell happy",
    "capture demo.mp4 -o motion.jsonl --seconds 1",
    "learn --manner demo.mp4 --name somebody",
    "devices",
    "doctor",
    "setup --dry-run",
    "setup --gpu --dry-run",
    "keys renew",
    "cache list",
    "cache clear",
    "uninstall --yes",
]
MAY_FAIL = {"verify me.jpg": 3, "doctor": 1, "tell happy": 1, "learn --manner demo.mp4 --name somebody": 1}
"""What they say of a picture without credentials, without a camera, where no face runs, and of less than a minute."""
CALL = "import sys; from vivant.cli import main; sys.argv = ['vivant', *{words!r}]; main()"
SERVED = """
import asyncio, json, numpy as np
from websockets.asyncio.client import connect as page
from vivant.client import connect
from vivant.server.security import Security
from vivant.server.server import Server
from vivant.v1 import vivant_pb2 as pb
from vivant.web.serving import WebConfig, open_door

async def main():
    async with Server() as server:
        async with open_door(server.host, Security(), WebConfig(0)) as (_, web):
            async with page(f"ws://127.0.0.1:{web.port}/v1/face", proxy=None) as socket:
                await socket.send(json.dumps({"type": "config", "size_px": 64}))
                while isinstance(await socket.recv(), str):
                    pass
        async with connect(f"127.0.0.1:{server.port}") as client, client.animate("ada", pb.SessionConfig(size_px=64)) as face:
            await face.push(np.zeros(16000, np.float32))
            async for item in face:
                print("a line was served")
                break
asyncio.run(main())
"""

STUDIO = """
import asyncio, urllib.request
from vivant import MonotonicClock
from vivant.web import WebServer
from vivant_bridge.picture.sink import NullCamera
from vivant_bridge.studio.app import studio_app

async def main():
    async with WebServer(studio_app(NullCamera, MonotonicClock())) as web:
        for path in ("/", "/assets/main.js", "/studio/portraits/ada/alive.webp", "/studio/voice.pcm", "/studio/doctor"):
            with await asyncio.to_thread(urllib.request.urlopen, web.url + path) as answer:
                answer.read()
asyncio.run(main())
"""

CLUSTERED = """
import asyncio, numpy as np
from vivant.client import RemoteConfig, connect
from vivant.cluster.application import Scale
from vivant.cluster.serving import GatewayServer, started
from vivant.server.server import ServerConfig

async def main(cluster):
    async with GatewayServer(ServerConfig(), cluster) as gateway, connect(f"127.0.0.1:{gateway.port}") as client:
        async with client.animate("ada", RemoteConfig(size_px=64)) as face:
            await face.push(np.zeros(16000, np.float32))
            async for item in face:
                break
with started(ServerConfig(), Scale(1, 1, 1)) as cluster:
    asyncio.run(main(cluster))
"""
ON_RAY = [CLUSTERED, CALL.format(words=["render", "lines.csv", "-o", "lines", "--format", "jsonl", "--cluster"])]


def namespace() -> list[str]:
    """A command before others that takes the network away; skips where there is none."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        pytest.skip("network namespaces need Linux and unshare")
    before = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets nobody make a network namespace")
    return before


def test_every_command_is_tried() -> None:
    assert {words.split()[0] for words in COMMANDS} >= {e.name for e in entry_points(group=cli.GROUP)} - {"serve", "studio"}


@pytest.mark.slow
def test_nothing_leaves_the_machine(tmp_path: Path, voice: Float32Array) -> None:
    write_wav(tmp_path / "voice.wav", voice[:12_000], 24_000)
    Image.open(portrait_path("noor")).convert("RGB").resize((400, 400)).save(tmp_path / "me.jpg", xmp=XMP.encode())
    home = tmp_path / "home"
    home.mkdir()
    # Without CI and the switch in the environment: under either onnxruntime would be silent by itself.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "VIVANT_CONSENT": "synthetic",
        "VIVANT_CACHE_DIR": str(tmp_path / "cache"),
        "VIVANT_CONFIG_DIR": str(tmp_path / "config"),
    }
    programs = [*(CALL.format(words=words.split()) for words in COMMANDS[:-2]), SERVED, STUDIO]
    (tmp_path / "lines.csv").write_text("file\nvoice.wav\n")
    programs += ON_RAY if find_spec("ray") else []
    programs += [CALL.format(words=words.split()) for words in COMMANDS[-2:]]
    command = [*namespace(), sys.executable, str(KIT), *programs]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    outcome = json.loads(done.stdout)
    assert any("canary" in packet for packet in outcome["canaries"]), "look-ups are not seen here"
    assert any("192.0.2.1:443" in packet for packet in outcome["canaries"]), "packets are not seen here"
    expected = [MAY_FAIL.get(words, 0) for words in COMMANDS[:-2]] + [0] * (len(programs) - len(COMMANDS) + 2)
    assert [code for code, _ in outcome["said"]] == expected, outcome["said"]
    assert outcome["seen"] == []
    assert [path for path in home.rglob("*") if "icrosoft" in str(path)] == []
