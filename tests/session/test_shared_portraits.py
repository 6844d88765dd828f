"""Several servers with one store: a face put at one is everywhere, its client's alone, and deleted everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.session.server_kit import open_tint, picture, settings, tone, until
from tests.session.test_server_guests import Stranger
from vivant.client import Client, connect
from vivant.client.messages import CLIENT_KEY
from vivant.errors import InputError, UnavailableError
from vivant.provenance.consent import Consent
from vivant.server.server import Server, ServerConfig

pytest.importorskip("fsspec")
pytestmark = pytest.mark.session


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "store")
        return
    yield from bucket(monkeypatch)


def bucket(monkeypatch: pytest.MonkeyPatch) -> Generator[str, None, None]:
    """Of a server of S3's protocol on loopback."""
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in (
            ("ACCESS_KEY_ID", "test"),
            ("SECRET_ACCESS_KEY", "test"),
            ("ENDPOINT_URL", f"http://{host}:{port}"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket="faces")
        yield "s3://faces/vivant"
    finally:
        server.stop()


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[Server, Server]]:
    async with AsyncExitStack() as stack:
        servers = [Server(ServerConfig(portraits=url), opener=open_tint) for _ in range(2)]
        yield await stack.enter_async_context(servers[0]), await stack.enter_async_context(servers[1])


async def name_of(client: Client) -> str:
    await client.capabilities()
    assert client._name
    return client._name[0][1]


def test_a_face_put_once_is_everywhere_and_its_clients_alone(url: str) -> None:
    async def story() -> None:
        async with two(url) as (here, there), connect(f"127.0.0.1:{here.port}") as client:
            portrait = await client.put_portrait(picture(3), Consent.ME)
            name = (CLIENT_KEY, await name_of(client))
            async with (
                Stranger(there, name) as later,
                Stranger(there) as thief,
                Stranger(there, (CLIENT_KEY, "ours")) as forger,
            ):
                assert await later.own() == [portrait] and await later.may_use(portrait)
                for other in (thief, forger):
                    assert await other.own() == [] and not await other.may_use(portrait)
                assert await later.put(picture(3)) == portrait  # the same picture is the same portrait everywhere
            async with connect(f"127.0.0.1:{there.port}") as moved:
                moved._name = [name]
                async with moved.animate(picture(3), settings(consent=None)) as face:  # who it shows was said elsewhere
                    await face.push(tone(0.2))
                    await face.end()
                    await until(face, "UTTERANCE_FINISHED")
                    assert face.started.config.portrait.id == portrait
                await moved.delete_portrait(portrait)
            with pytest.raises(InputError, match="no portrait"):
                await client.warm_up(portrait, size_px=64)
            assert portrait not in await client.portraits()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_what_a_nameless_connection_puts_stays_with_its_server(tmp_path: Path) -> None:
    async def story() -> None:
        async with two(str(tmp_path)) as (here, _), Stranger(here) as nobody:
            portrait = await nobody.put(picture(1))
            assert await nobody.own() == [portrait]
        assert not list((tmp_path / "portraits").glob("**/*")) if (tmp_path / "portraits").exists() else True

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_store_that_is_gone_ends_calls_with_a_status_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(url: str) -> None:
        async with two(url) as (here, _), connect(f"127.0.0.1:{here.port}") as client:
            await client.put_portrait(picture(1), Consent.ME)
            buckets.close()
            with pytest.raises(UnavailableError, match="store does not answer"):
                await client.put_portrait(picture(2), Consent.ME)

    buckets = bucket(monkeypatch)
    asyncio.run(asyncio.wait_for(story(next(buckets)), 60))
