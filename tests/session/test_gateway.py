"""The gateway before two servers, with leases but without Ray: what it hands on, a lost server, and what is held back."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import pytest

from tests.session.server_kit import open_tint, picture, picture_in, settings, tone, until
from tests.session.test_server_guests import Stranger
from vivant.client import Client, RemoteConfig, connect
from vivant.cluster.certificate import make_certificate
from vivant.cluster.gateway import Gateway
from vivant.cluster.lease import Lease, Leases
from vivant.errors import InputError, UnavailableError
from vivant.provenance.consent import Consent
from vivant.server.clients import Clients
from vivant.server.limits import Limits
from vivant.server.listener import Listener
from vivant.server.portrait_store import PortraitStore
from vivant.server.security import Security
from vivant.server.server import Server, ServerConfig
from vivant.types import Output
from vivant.v1 import vivant_pb2 as pb

pytest.importorskip("fsspec")
pytestmark = pytest.mark.session

WAIT_S = 30.0


class Replica:
    """A server that is leased."""

    def __init__(self, store: str, folder: Path | None) -> None:
        self.leases, self._token = Leases(), secrets.token_hex(8)
        chain, key = make_certificate(folder) if folder else (None, None)
        self._certificate = chain.read_bytes() if chain else None
        config = ServerConfig(security=Security("127.0.0.1", chain, key, self._token), portraits=store)
        self.server = Server(config, opener=open_tint, guards=[self.leases], behind_gateway=True)
        self.n_leases = 0

    async def lease(self) -> AsyncIterator[Lease]:
        with self.leases.held() as (lease, over):
            self.n_leases += 1
            try:
                yield Lease(lease, f"127.0.0.1:{self.server.port}", self._token, self._certificate)
                await over()
            finally:
                self.n_leases -= 1


class Fewest:
    """`Places` that counts leases. As in Ray Serve a lease lasts as long as its call, whether anybody waits for that or not."""

    def __init__(self, replicas: list[Replica]) -> None:
        self.replicas = replicas

    async def lease(self) -> AsyncGenerator[Lease, None]:
        self.replicas = [*self.replicas[1:], *self.replicas[:1]]  # of equals, another one each time
        answer = min(self.replicas, key=lambda replica: replica.n_leases).lease()
        lease = await anext(answer)
        ending = asyncio.create_task(anext(answer, None))
        try:
            yield lease
        finally:
            ending.cancel()


@asynccontextmanager
async def cluster(tmp_path: Path, *, tls: bool = False) -> AsyncIterator[tuple[Client, list[Replica], Listener]]:
    store = str(tmp_path / "store")
    folders = [tmp_path / name if tls else None for name in ("a", "b")]
    for folder in folders:
        if folder is not None:
            folder.mkdir()
    replicas = [Replica(store, folder) for folder in folders]
    clients = Clients(token=False, secret=PortraitStore(store).secret)
    listener = Listener(Security(), 0, Limits())
    async with AsyncExitStack() as stack:
        for replica in replicas:
            await stack.enter_async_context(replica.server)
        places = Fewest(replicas)
        gateway = Gateway(places, clients, Limits())
        await listener.open(lambda server: server.add_generic_rpc_handlers((gateway,)))
        stack.push_async_callback(listener.close)
        client = await stack.enter_async_context(connect(f"127.0.0.1:{listener.port}"))
        yield client, replicas, listener


async def speak(client: Client, portrait: str | bytes = "ada") -> list[Output]:
    async with client.animate(portrait, RemoteConfig(size_px=64, shared_memory=False)) as face:
        await face.push(tone(0.3))
        await face.end()
        outputs, _ = await until(face, "UTTERANCE_FINISHED")
    return outputs


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_every_call_of_the_contract_goes_through_to_the_server_with_the_fewest(tmp_path: Path, tls: bool) -> None:
    async def story() -> None:
        async with cluster(tmp_path, tls=tls) as (client, replicas, _):
            portrait = await client.put_portrait(picture(3), Consent.ME)
            assert portrait in await client.portraits()
            async with AsyncExitStack() as stack:
                for _ in range(4):
                    await stack.enter_async_context(client.animate(portrait, RemoteConfig(size_px=64)))
                assert [replica.n_leases for replica in replicas] == [2, 2]
                assert [len(replica.server.shared.load_shedder.members) for replica in replicas] == [2, 2]
            outputs = await speak(client, portrait)
            assert all(abs(int(picture_in(output)[20, 32, 0]) - 3) < 8 for output in outputs if output.picture is not None)
            items = [item async for item in client.synthesize(portrait, tone(0.2), RemoteConfig(size_px=64))]
            assert any(isinstance(item, Output) for item in items)
            await client.delete_portrait(portrait)
            with pytest.raises(InputError, match="no portrait"):
                await client.warm_up(portrait, size_px=64)
            async with asyncio.timeout(5):
                while any(replica.n_leases for replica in replicas):
                    await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_callers_through_one_gateway_are_strangers_to_each_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster(tmp_path) as (*_, door), Stranger(door) as first, Stranger(door) as second:
            mine = await first.put(picture(1))
            assert await first.own() == [mine] and await second.own() == []
            assert await first.may_use(mine) and not await second.may_use(mine)

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_the_servers_own_words_arrive(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster(tmp_path) as (client, _, _):
            with pytest.raises(InputError, match="there is no portrait 'nobody' of yours"):
                await client.warm_up("nobody", size_px=64)
            with pytest.raises(InputError, match="size_px must be from 64 to"):
                async with client.animate("ada", settings(size_px=5000)):
                    pass

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_a_lost_server_ends_its_calls_with_unavailable_and_the_next_call_goes_to_another(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster(tmp_path) as (client, replicas, _):
            async with client.animate("ada", RemoteConfig(size_px=64)) as face:
                await face.push(tone(5))
                lost = next(replica for replica in replicas if replica.n_leases)
                with pytest.raises(UnavailableError, match="UNAVAILABLE: the machine with this face is gone"):
                    async for item in face:
                        if isinstance(item, Output):
                            await lost.server._listener.close()  # resets every stream
            assert await speak(client)

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_a_server_that_is_full_is_passed_by_and_a_full_cluster_says_when_to_come_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster(tmp_path) as (client, replicas, _), AsyncExitStack() as stack:
            for replica, room in zip(replicas, (0, 1), strict=True):
                replica.server.shared.load_shedder._most = room
            await stack.enter_async_context(client.animate("ada", RemoteConfig(size_px=64)))
            assert [len(replica.server.host.service.calls) for replica in replicas] == [0, 1]
            with pytest.raises(UnavailableError, match="RESOURCE_EXHAUSTED: the server serves"):
                await speak(client)

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_a_draining_server_says_so_and_lets_the_line_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster(tmp_path) as (client, replicas, _), client.animate("ada", RemoteConfig(size_px=64)) as face:
            await face.push(tone(2.5))
            await face.end()
            await until(face, "UTTERANCE_STARTED")
            (serving,) = (replica for replica in replicas if replica.n_leases)
            draining = asyncio.create_task(serving.server.drain(20))
            outputs, said = await until(face, "UTTERANCE_FINISHED")
            assert Counter(getattr(event, "kind", "") for event in said)["DRAINING"] == 1
            assert len(outputs) > 50
            with pytest.raises(UnavailableError, match="UNAVAILABLE: the server is about to stop"):
                async for _ in face:
                    pass
            await draining

    asyncio.run(asyncio.wait_for(story(), WAIT_S))


def test_what_is_not_read_is_not_gathered_in_the_gateway(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            cluster(tmp_path) as (client, replicas, listener),
            grpc.aio.insecure_channel(f"127.0.0.1:{listener.port}") as raw,
        ):
            call = raw.stream_stream("/vivant.v1.FaceService/Animate")()
            config = settings(portrait=pb.PortraitRef(id="ada"), size_px=1024, delivery=pb.DELIVERY_IMMEDIATE)
            await call.write(pb.AnimateRequest(config=config).SerializeToString())
            await call.write(pb.AnimateRequest(audio=pb.Audio(samples=bytes(2 * 16_000 * 20))).SerializeToString())
            assert await speak(client)  # meanwhile
            calls = [each for replica in replicas for each in replica.server.host.service.calls]
            (unread,) = (each for each in calls if not each.paced)
            sent = int(unread.figures["frames_sent"])
            assert await speak(client)
            assert int(unread.figures["frames_sent"]) == sent < 40  # of 500, each of 4 MB
            call.cancel()

    asyncio.run(asyncio.wait_for(story(), WAIT_S))
