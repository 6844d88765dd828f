"""A connection to a server: portraits, and any number of faces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import TracebackType
from typing import Any

import grpc
from numpy.typing import ArrayLike

from vivant.arguments import flag, instance, text
from vivant.client.config import RemoteConfig, side_px
from vivant.client.messages import CLIENT_KEY, Capabilities, capabilities_of, error_of
from vivant.client.session import Metadata, RemoteSession
from vivant.errors import InputError
from vivant.loopback import host_of, is_loopback
from vivant.media.sources import PictureSource
from vivant.provenance.consent import Consent
from vivant.samples import mono_samples
from vivant.size import USUAL_SIDE_PX
from vivant.types import Controls, Float32Array, Item, Marker, Output
from vivant.v1 import vivant_pb2 as pb
from vivant.v1 import vivant_pb2_grpc as rpc
from vivant.wire.responses import received
from vivant.wire.values import consent_message, controls_message, image_bytes, portrait_ref

MAX_MESSAGE_BYTES = 32 << 20
AHEAD_BYTES = 4 << 20
"""That a server may send of a call before they are read: a picture of 1024 px, so that none needs several round trips."""
ANIMATE = "/vivant.v1.FaceService/Animate"


class Client:
    """Use as ``async with connect(...)``. One event loop. Portraits that it puts are visible to it alone."""

    def __init__(self, channel: grpc.aio.Channel, token: str | None, *, is_loopback: bool) -> None:
        self._channel, self._is_loopback = channel, is_loopback
        self._stub: Any = rpc.FaceServiceStub(channel)  # type: ignore[no-untyped-call]
        self._animate = channel.stream_stream(
            ANIMATE, request_serializer=pb.AnimateRequest.SerializeToString, response_deserializer=received
        )
        self._is_near = False
        """The server is on this machine, as far as both sides see."""
        self._token: Metadata = [("authorization", f"Bearer {token}")] if token else []
        self._name: Metadata | None = None
        self._naming = asyncio.Lock()

    async def capabilities(self) -> Capabilities:
        """What the server can do, and its limits."""
        return capabilities_of(await self._call("GetCapabilities", pb.GetCapabilitiesRequest()))

    async def put_portrait(
        self, image: PictureSource, consent: Consent | str | None = None, *, transparent: bool = False
    ) -> str:
        """Build a portrait ahead; returns its id. Raises InputError for what is no usable portrait, or when nobody said who it
        shows."""
        request = pb.PutPortraitRequest(
            image=image_bytes(image), transparent=flag("transparent", transparent), consent=consent_message(consent)
        )
        return str((await self._call("PutPortrait", request)).portrait.portrait_id)

    async def portraits(self) -> list[str]:
        """Ids of the bundled portraits, then of one's own."""
        response = await self._call("ListPortraits", pb.ListPortraitsRequest())
        return [portrait.portrait_id for portrait in response.portraits]

    async def delete_portrait(self, portrait_id: str) -> None:
        await self._call("DeletePortrait", pb.DeletePortraitRequest(portrait_id=text("portrait_id", portrait_id)))

    async def warm_up(
        self,
        portrait: PictureSource,
        consent: Consent | str | None = None,
        *,
        size_px: int | tuple[int, int] = USUAL_SIDE_PX,
        transparent: bool = False,
    ) -> str:
        """Make the next `animate` with this portrait start at once; returns its id."""
        request = pb.WarmUpRequest(
            portrait=portrait_ref(portrait),
            size_px=side_px(size_px),
            transparent=flag("transparent", transparent),
            consent=consent_message(consent),
        )
        return str((await self._call("WarmUp", request)).portrait_id)

    def animate(
        self,
        portrait: PictureSource,
        config: RemoteConfig | pb.SessionConfig | None = None,
        consent: Consent | str | None = None,
        *,
        controls: Controls | None = None,
    ) -> RemoteSession:
        """A face that lives on the server; enter it with ``async with``.

        ``consent`` is needed once for every picture of one's own: who it shows. (A message of the contract as ``config`` is
        deprecated.)
        """
        asked = _whole(portrait, config, consent, controls)
        leaves_open = isinstance(config, RemoteConfig | None) and _is_better_shared(asked)
        return RemoteSession(self._animate, self._metadata, asked, is_near=lambda: leaves_open and self._is_near)

    async def synthesize(
        self,
        portrait: PictureSource,
        samples: ArrayLike,
        config: RemoteConfig | None = None,
        consent: Consent | str | None = None,
        *,
        controls: Controls | None = None,
    ) -> AsyncIterator[Item]:
        """A whole voice, mono (n,) int16 or floats in [-1, 1], as fast as possible: the items of its one utterance.

        However long it is: the server holds some minutes of it at a time, and what is not taken is not made.
        """
        asked = RemoteConfig() if config is None else instance("config", RemoteConfig, config)
        own = mono_samples(samples)
        async with self.animate(portrait, replace(asked, paced=False), consent, controls=controls) as session:
            speaking = asyncio.create_task(_speak(session, own))
            try:
                async for item in session:
                    if isinstance(item, Output | Marker):
                        yield item
                await speaking
            finally:
                speaking.cancel()

    async def _metadata(self) -> Metadata:
        """The token, and the name that the server gives whoever asks for its capabilities."""
        async with self._naming:
            if self._name is None:
                try:
                    call = self._stub.GetCapabilities(pb.GetCapabilitiesRequest(), metadata=self._token)
                    near = pb.FRAME_TRANSPORT_SHARED_MEMORY in (await call).frame_transports
                    given = dict(await call.initial_metadata()).get(CLIENT_KEY)
                except grpc.aio.AioRpcError as error:
                    raise error_of(error) from error
                self._is_near = near and self._is_loopback
                self._name = [(CLIENT_KEY, str(given))] if given else []
            return self._token + self._name

    async def _call(self, method: str, request: Any) -> Any:  # noqa: ANN401
        metadata = await self._metadata()
        try:
            return await getattr(self._stub, method)(request, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                self._name = None  # the next server knows it no more
            raise error_of(error) from error

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()


def _whole(
    portrait: PictureSource,
    config: RemoteConfig | pb.SessionConfig | None,
    consent: Consent | str | None,
    controls: Controls | None,
) -> pb.SessionConfig:
    """The first message of a call."""
    whole = pb.SessionConfig()
    asked = RemoteConfig() if config is None else config
    whole.CopyFrom(asked if isinstance(asked, pb.SessionConfig) else instance("config", RemoteConfig, asked).message())
    whole.portrait.CopyFrom(portrait_ref(portrait))
    if consent is not None:
        whole.consent.CopyFrom(consent_message(consent))
    if controls is not None:
        whole.controls.CopyFrom(controls_message(instance("controls", Controls, controls)))
    return whole


def _is_better_shared(config: pb.SessionConfig) -> bool:
    """Live pictures whose bytes are many: shared memory saves their way through the network's buffers."""
    is_raw = config.pixel_format != pb.PIXEL_FORMAT_JPEG and config.outputs != pb.OUTPUTS_MOTION
    return is_raw and config.delivery == pb.DELIVERY_PACED


async def _speak(session: RemoteSession, samples: Float32Array) -> None:
    await session.push(samples)
    await session.finish()


def connect(address: str, *, token: str | None = None, ca: bytes | None = None) -> Client:
    """A client of the server at ``host:port``. ``ca`` (PEM) turns TLS on; a token is sent only with it or to loopback.

    Raises InputError for a token that others could read on its way.
    """
    text("address", address)
    if token is not None:
        text("token", token)
    if ca is not None:
        instance("ca", bytes, ca, "the bytes of a certificate in PEM")
    if token and ca is None and not is_loopback(host_of(address)):
        raise InputError(f"a token to {address} would travel in the clear; give the server's certificate as ca, too")
    near = is_loopback(host_of(address))
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.http2.lookahead_bytes", AHEAD_BYTES),
    ]
    if near:  # a proxy of the environment's is no part of this machine
        options.append(("grpc.enable_http_proxy", 0))
    if ca is None:
        return Client(grpc.aio.insecure_channel(address, options), token, is_loopback=near)
    return Client(grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(ca), options), token, is_loopback=near)
