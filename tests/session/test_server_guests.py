"""Clients among each other: what is one's own, what is deleted, and what a stranger's bytes and floods cost the rest."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from tests.conftest import portrait_path
from tests.session.server_kit import open_tint, picture, run_served, settings
from vivant.client import Client, connect
from vivant.client.messages import CLIENT_KEY
from vivant.client.session import RemoteSession
from vivant.errors import InputError, UnavailableError
from vivant.provenance.consent import Consent
from vivant.server.clients import Clients
from vivant.server.limits import MIB, Limits
from vivant.server.listener import Listener
from vivant.server.portraits import BUNDLED, GuestOpener
from vivant.server.security import Security
from vivant.server.server import Server, ServerConfig
from vivant.v1 import vivant_pb2 as pb

pytestmark = [pytest.mark.session, pytest.mark.realtime]

SERVICE = "/vivant.v1.FaceService/"
ME = pb.Consent(basis=pb.CONSENT_BASIS_ME)


class Stranger:
    """A connection of its own that says whatever metadata it likes."""

    def __init__(self, server: Server | Listener, *metadata: tuple[str, str]) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options)
        self.metadata = list(metadata)

    async def __aenter__(self) -> Stranger:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    async def call(self, method: str, request: Any, response: Any) -> Any:  # noqa: ANN401
        call = self._channel.unary_unary(SERVICE + method, lambda m: m.SerializeToString(), response.FromString)
        return await call(request, metadata=self.metadata)

    async def put(self, image: bytes) -> str:
        request = pb.PutPortraitRequest(image=image, consent=ME)
        return str((await self.call("PutPortrait", request, pb.PutPortraitResponse)).portrait.portrait_id)

    async def own(self) -> list[str]:
        listed = await self.call("ListPortraits", pb.ListPortraitsRequest(), pb.ListPortraitsResponse)
        return [portrait.portrait_id for portrait in listed.portraits if not portrait.bundled]

    async def may_use(self, portrait_id: str) -> bool:
        request = pb.WarmUpRequest(portrait=pb.PortraitRef(id=portrait_id), size_px=64)
        try:
            await self.call("WarmUp", request, pb.WarmUpResponse)
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
            return False
        return True


def test_without_a_name_of_the_servers_a_connection_has_what_it_put_and_nobody_else_has() -> None:
    async def story(server: Server, _: Client) -> None:
        async with Stranger(server) as first, Stranger(server, (CLIENT_KEY, "a name")) as second:
            mine, other = await first.put(picture(1)), await second.put(picture(1))
            assert mine != other and len(mine) == 32
            assert await first.own() == [mine] and await second.own() == [other]
            assert await first.may_use(mine) and not await first.may_use(other)
            for name in ("", "a name", *(f"ipv4:127.0.0.1:{port}" for port in range(1024, 65536, 7000))):
                async with Stranger(server, *([(CLIENT_KEY, name)] if name else [])) as thief:
                    assert await thief.own() == [] and not await thief.may_use(mine) and not await thief.may_use(other)

    run_served(story)


def test_a_port_that_is_used_again_inherits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    peer, listed = "ipv4:127.0.0.1:1000", [(7, "ipv4:127.0.0.1:1000"), (8, "ipv4:127.0.0.1:2000")]
    monkeypatch.setattr("vivant.server.clients._sockets", lambda first: (each for each in listed if each[0] >= first))
    clients = Clients(token=False)
    first = clients.of(Call(peer))
    assert clients.of(Call(peer)) == first
    listed.append((9, peer))  # for a moment both are known to gRPC
    second = clients.of(Call(peer))
    listed.pop(0)
    assert second.key != first.key and clients.of(Call(peer)) == second
    assert clients.of(Call("ipv4:127.0.0.1:3000")).key != clients.of(Call("ipv4:127.0.0.1:3000")).key  # gRPC tells nothing


class Call:
    """What a server knows of a call."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()


def test_a_name_of_the_servers_outlives_its_connection_and_cannot_be_made() -> None:
    async def story(server: Server, client: Client) -> None:
        portrait = await client.put_portrait(picture(3), Consent.ME)
        assert client._name
        ((_, name),) = client._name
        async with Stranger(server, (CLIENT_KEY, name)) as later:
            assert await later.own() == [portrait] and await later.may_use(portrait)
        for forged in (name[:-1] + ("0" if name[-1] != "0" else "1"), name.partition(".")[0], name + "0", name.upper()):
            async with Stranger(server, (CLIENT_KEY, forged)) as thief:
                assert await thief.own() == []

    run_served(story)


def test_a_token_is_who_its_holder_is_unless_it_has_a_name() -> None:
    async def story(server: Server, _: Client) -> None:
        token = ("authorization", "Bearer secret")
        async with Stranger(server, token) as first, Stranger(server, token) as second:
            mine = await first.put(picture(1))
            assert await second.own() == [mine]
        async with Stranger(server, token, (CLIENT_KEY, "of an earlier run")) as alone:
            assert await alone.own() == []
        async with connect(f"127.0.0.1:{server.port}", token="secret") as named:
            assert await named.portraits() == list(BUNDLED)

    run_served(story, ServerConfig(security=Security(token="secret")))


def test_a_flood_under_many_names_leaves_what_others_put() -> None:
    async def story(server: Server, client: Client) -> None:
        kept = await client.put_portrait(picture(1), Consent.ME)
        async with Stranger(server) as flood:
            for number in range(30):
                flood.metadata = [(CLIENT_KEY, f"name {number}")]
                await flood.put(picture(number)[:-1] + bytes(20_000) + bytes([number, 1]))
        crowd = [Stranger(server) for _ in range(10)]
        for number, one in enumerate(crowd):
            async with one:
                await one.put(picture(number)[:-1] + bytes(20_000) + bytes([number, 2]))
        assert kept in await client.portraits()
        assert sum(len(one.image) for one in server.shared.portraits._kept.values()) <= 100_000

    run_served(story, ServerConfig(limits=Limits(kept_portrait_bytes=100_000, portraits=100)))


def test_whoever_takes_more_room_than_there_is_is_told_so() -> None:
    async def story(server: Server, client: Client) -> None:
        async with Stranger(server) as small:
            kept = await small.put(picture(1) + bytes(500))
            with pytest.raises(UnavailableError, match="keeps as many portraits as it can"):
                await client.put_portrait(picture(2)[:-1] + bytes(900), Consent.ME)
            assert await small.own() == [kept]

    run_served(story, ServerConfig(limits=Limits(kept_portrait_bytes=1200)))


def test_refusals_come_before_anything_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(server: Server, client: Client) -> None:
        opened: list[bytes] = []

        def opener(image: bytes, /, *, transparent: bool) -> Any:  # noqa: ANN401
            opened.append(image)
            return open_tint(image, transparent=transparent)

        monkeypatch.setattr(server.shared.portraits, "_opener", opener)
        await client.put_portrait(picture(1), Consent.ME)
        for image, consent, sentence in (
            (bytes(MIB + 1), Consent.ME, "may have 1048576 bytes"),
            (b"%!PS-Adobe-3.0 EPSF-3.0" + bytes(99), Consent.ME, "PostScript, which is not read"),
            (picture(2), None, "nobody has said yet"),
            (picture(2) + bytes(7), None, "nobody has said yet"),
        ):
            with pytest.raises(InputError, match=sentence):
                await client.put_portrait(image, consent)
        with pytest.raises(UnavailableError, match="may keep 1 portraits"):
            await client.put_portrait(picture(2), Consent.ME)
        assert opened == [picture(1)]

    run_served(story, ServerConfig(limits=Limits(portraits=1, portrait_bytes=MIB)))


def test_no_picture_is_parsed_in_the_loops_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(server: Server, client: Client) -> None:
        def never(*_: object, **__: object) -> None:
            raise AssertionError(f"a picture was opened in {threading.current_thread().name}")

        guests = GuestOpener(40_000_000)
        monkeypatch.setattr(server.shared.portraits, "_opener", guests)
        monkeypatch.setattr(Image, "open", never)
        try:
            for image in (b"\xff\xd8" + b"\xff\xe1\x00\x02" * 1000, b"GIF89a" + bytes(100), picture(3)):
                with pytest.raises(InputError, match=r"readable|pixels|damaged"):
                    await client.put_portrait(image, Consent.ME)
        finally:
            guests.close()
        assert await client.portraits() == list(BUNDLED)

    run_served(story, wait_s=60)


def test_what_is_deleted_is_gone_but_for_whoever_put_it_too(cache_dir: Path) -> None:
    async def story(server: Server, client: Client) -> None:
        portraits = server.shared.portraits
        async with connect(f"127.0.0.1:{server.port}") as other:
            mine = await client.put_portrait(picture(5), Consent.ME)
            theirs = await other.put_portrait(picture(5), Consent.AGREED)
            await client.delete_portrait(mine)
            assert portraits._faces
            async with other.animate(theirs, settings(consent=None)) as face:
                assert face.started.config.consent.basis == pb.CONSENT_BASIS_AGREED
            await other.delete_portrait(theirs)
        assert not portraits._faces and not portraits._kept

    run_served(story)


def test_nothing_of_a_clients_picture_reaches_the_disk(cache_dir: Path) -> None:
    opener = GuestOpener(40_000_000)
    try:
        opener(portrait_path("ada").read_bytes() + b"mine", transparent=False)
    finally:
        opener.close()
    assert not [path for path in cache_dir.rglob("*") if path.is_file()]


def test_a_cold_portrait_is_opened_once_and_refused_calls_open_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(server: Server, client: Client) -> None:
        opened: list[int] = []

        def opener(image: bytes, /, *, transparent: bool) -> Any:  # noqa: ANN401
            opened.append(len(image))
            return open_tint(image, transparent=transparent)

        monkeypatch.setattr(server.shared.portraits, "_opener", opener)
        faces: list[RemoteSession] = [client.animate("ada", settings(outputs=pb.OUTPUTS_MOTION)) for _ in range(12)]
        answers = await asyncio.gather(*(face.__aenter__() for face in faces), return_exceptions=True)
        assert sum(isinstance(answer, RemoteSession) for answer in answers) == 4
        assert all(isinstance(answer, RemoteSession | UnavailableError) for answer in answers)
        assert len(opened) == 1
        with pytest.raises(UnavailableError, match="4 sessions already"):
            async with client.animate("bram", settings()):
                pass
        assert len(opened) == 1
        for face in faces:
            await face.close()
        while server.shared.load_shedder.members:
            await asyncio.sleep(0.01)

    run_served(story, ServerConfig(limits=Limits(sessions=4)))


def test_a_place_is_given_back_when_its_portrait_cannot_be_opened() -> None:
    async def story(server: Server, client: Client) -> None:
        for _ in range(3):
            with pytest.raises(InputError, match="no face was found"):
                async with client.animate(picture(9) + b"nobody", settings()):
                    pass
        assert not server.shared.load_shedder.members

    run_served(story, ServerConfig(limits=Limits(sessions=1)))


def test_whoever_sends_a_picture_slowly_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivant.server.service.LONGEST_CALM_S", 0.2)

    async def story(server: Server, client: Client) -> None:
        channels = [
            grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", [("grpc.use_local_subchannel_pool", 1)]) for _ in "ab"
        ]
        stalled = [channel.stream_stream(SERVICE + "PutPortrait")() for channel in channels for _ in "ab"]
        await asyncio.gather(*(call.wait_for_connection() for call in stalled), return_exceptions=True)
        put = [client.put_portrait(picture(number), Consent.ME) for number in range(3)]
        assert len(set(await asyncio.gather(*put))) == 3
        for call in stalled:
            call.cancel()
        for channel in channels:
            await channel.close()

    run_served(story, ServerConfig(limits=Limits(first_message_s=60)), wait_s=20)
