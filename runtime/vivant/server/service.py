"""The contract's calls, each in a few lines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeAlias
from weakref import WeakValueDictionary

import grpc

import vivant
from vivant.client.messages import CLIENT_KEY
from vivant.errors import InputError
from vivant.face import MIN_SIZE_PX, Face
from vivant.server.call import Call, CallContext, ServerContext
from vivant.server.clients import Client, Clients
from vivant.server.config import ResolvedConfig, require_declaration, resolve
from vivant.server.limits import Limits
from vivant.server.load_shedder import Pictures, Wanted
from vivant.server.outflow import Outflow
from vivant.server.portraits import BUNDLED
from vivant.server.security import is_same_machine
from vivant.server.status import StatusError, abort, first_of
from vivant.server.tracing import span
from vivant.session.session import Session
from vivant.size import USUAL_SIDE_PX
from vivant.types import ARKIT_NAMES, MotionFrame, Output, Pose, arkit_weights
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.responses import FrameToSend, next_message, serialize
from vivant.wire.values import motion_message, picture_head, samples_of

log = logging.getLogger("vivant.server")

SERVICE = pb.DESCRIPTOR.services_by_name["FaceService"]
Context: TypeAlias = grpc.aio.ServicerContext
Method: TypeAlias = Callable[[Any, Context], Awaitable[Any]]

READ_AT_ONCE = 2
"""First messages of one connection, which may hold pictures of many MB; and portraits that are put, of all together."""
LONGEST_CALM_S = 2.0
"""Then a large message no longer waits for its turn; chosen."""


@dataclass(eq=False)
class _Place:
    """A call that is due at no time, or not yet, as the load shedder sees it."""

    wanted: Wanted | None = None
    importance: tuple[float, float] = (0.0, 0.0)
    paced = False
    detail = 0
    pictures = Pictures(0, 0)

    def set_detail(self, level: int, why: str) -> None:
        """Never: nothing of it is left out."""


class FaceService:
    """On the event loop. The contract's methods by their names; they raise what a call is refused for."""

    def __init__(self, shared: ServerContext, limits: Limits, clients: Clients) -> None:
        self._shared = shared
        self._clients = clients
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """To read, by connection."""
        self._calm = asyncio.Semaphore(READ_AT_ONCE)
        self._limits = limits
        self.calls: set[Call] = set()
        self.draining = False

    async def answer(self, method: Method, kind: Any, _: object, context: Context) -> None:  # noqa: ANN401
        """One call: its first message is read in its turn, and every error becomes a status."""
        try:
            answer = await method(await self._first_message(kind, context), context)
            if answer is not None:
                await context.write(answer)
        except Exception as error:
            await self._refuse(context, error)

    async def _first_message(self, kind: Any, context: Context) -> Any:  # noqa: ANN401
        """Few at a time of one connection: what is not read yet waits at the client, and costs no memory here."""
        lane = self._clients.lane_of(context)
        turn = self._turns.setdefault(lane, asyncio.Semaphore(READ_AT_ONCE))
        try:
            async with asyncio.timeout(self._limits.first_message_s), turn:
                if kind is not pb.PutPortraitRequest:
                    return await next_message(context, kind) or kind()
                self._shared.portraits.require_room(lane)
                async with self._calmly():
                    return await next_message(context, kind) or kind()
        except TimeoutError as error:
            sentence = f"the first message of a call must come within {self._limits.first_message_s:g} seconds"
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence) from error

    @asynccontextmanager
    async def _calmly(self) -> AsyncIterator[None]:
        """Large messages of all connections are taken few at a time, for each holds up the loop for some 20 ms. Whoever sends
        slowly keeps nobody waiting for long."""
        try:
            async with asyncio.timeout(LONGEST_CALM_S):
                await self._calm.acquire()
        except TimeoutError:
            yield
            return
        try:
            yield
        finally:
            self._calm.release()

    async def Animate(self, first: pb.AnimateRequest, context: Context) -> None:  # noqa: N802
        if first.WhichOneof("message") != "config":
            raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, "the first message must be a config")
        self.require_open()
        config = resolve(first.config, self._limits)
        if config.shares_memory and not is_same_machine(context.peer()):
            raise InputError("FRAME_TRANSPORT_SHARED_MEMORY needs a client on the same machine")
        await self.animate(config, self._clients.of(context), context)

    async def animate(
        self, config: ResolvedConfig, client: Client, context: CallContext, began: Callable[[Call], None] = lambda call: None
    ) -> None:
        """A call from its config to its end; ``began`` gets it once it was admitted and its portrait is open.

        Raises what ends it early.
        """
        async with self._admitted(config.wanted, config.importance) as place:  # before any work: a refused call costs nothing
            face = await self._open(client, config)
            call = Call(self._shared, client, config, face, context)
            self._shared.load_shedder.replace(place, call)
            began(call)
            await self._serve(call, face)

    async def _serve(self, call: Call, face: Face) -> None:
        self.calls.add(call)
        began_us = self._shared.clock.now_us()
        log.info("call started", extra=call.figures)
        self._record_label(call.label_off_reason, call.session_id)
        try:
            with self._shared.metrics.sessions.track_inprogress(), span("Animate", lambda: call.figures):
                await call.run(face.notes)
        finally:
            self.calls.discard(call)
            self._shared.load_shedder.leave(call)
            seconds = round((self._shared.clock.now_us() - began_us) / 1e6, 3)
            log.info("call over", extra={"seconds": seconds, **call.figures})

    @asynccontextmanager
    async def _admitted(
        self, wanted: Wanted | None = None, importance: tuple[float, float] = (0.0, 0.0)
    ) -> AsyncIterator[_Place]:
        """A place among the calls. Raises a StatusError when there is none."""
        place = _Place(wanted, importance)
        self._shared.load_shedder.admit(place)
        try:
            await self._shared.load_shedder.take_turn(place)
            self.require_open()  # which may be over after the wait
            yield place
        finally:
            self._shared.load_shedder.leave(place)

    def _record_label(self, off_reason: str | None, session_id: str) -> None:
        """The frames' invisible mark says the session, and the log why its label was left away."""
        if off_reason is not None:
            self._shared.metrics.labels_off.inc()
            log.info("label left away", extra={"session_id": session_id, "reason": off_reason})

    async def GetCapabilities(self, _: pb.GetCapabilitiesRequest, context: Context) -> pb.GetCapabilitiesResponse:  # noqa: N802
        await context.send_initial_metadata(((CLIENT_KEY, self._clients.name_for(context)),))
        limits = self._limits
        transports = [pb.FRAME_TRANSPORT_INLINE]
        if is_same_machine(context.peer()):
            transports.append(pb.FRAME_TRANSPORT_SHARED_MEMORY)
        return pb.GetCapabilitiesResponse(
            version=vivant.__version__,
            pixel_formats=[pb.PIXEL_FORMAT_RGBA, pb.PIXEL_FORMAT_RGB, pb.PIXEL_FORMAT_I420, pb.PIXEL_FORMAT_JPEG],
            frame_transports=transports,
            bundled_portraits=BUNDLED,
            limits=pb.Limits(
                sessions=limits.sessions,
                size_px=limits.size_px,
                portrait_bytes=limits.portrait_bytes,
                portrait_pixels=limits.portrait_pixels,
                message_bytes=limits.message_bytes,
                messages_per_s=limits.messages_per_s,
                portraits=limits.portraits,
                audio_queue_ms=limits.audio_queue_ms,
            ),
            sessions=len(self.calls),
        )

    async def PutPortrait(self, request: pb.PutPortraitRequest, context: Context) -> pb.PutPortraitResponse:  # noqa: N802
        self.require_open()
        require_declaration(request.consent)
        client = self._clients.of(context)
        portrait_id, face = await self._shared.portraits.put(client, request.image, request.consent)
        if request.transparent:
            await self._shared.portraits.open(client, pb.PortraitRef(id=portrait_id), transparent=True)
        return pb.PutPortraitResponse(portrait=pb.Portrait(portrait_id=portrait_id, notes=face.notes))

    async def ListPortraits(self, _: pb.ListPortraitsRequest, context: Context) -> pb.ListPortraitsResponse:  # noqa: N802
        bundled = [pb.Portrait(portrait_id=name, bundled=True) for name in BUNDLED]
        own = [pb.Portrait(portrait_id=each) for each in await self._shared.portraits.own(self._clients.of(context))]
        return pb.ListPortraitsResponse(portraits=bundled + own)

    async def DeletePortrait(self, request: pb.DeletePortraitRequest, context: Context) -> pb.DeletePortraitResponse:  # noqa: N802
        await self._shared.portraits.delete(self._clients.of(context), request.portrait_id)
        return pb.DeletePortraitResponse()

    async def WarmUp(self, request: pb.WarmUpRequest, context: Context) -> pb.WarmUpResponse:  # noqa: N802
        self.require_open()
        began_us = self._shared.clock.now_us()
        size_px = request.size_px or USUAL_SIDE_PX
        if not MIN_SIZE_PX <= size_px <= self._limits.size_px:
            raise InputError(f"size_px must be from {MIN_SIZE_PX} to {self._limits.size_px}, got {size_px}")
        require_declaration(request.consent)
        portrait_id, face = await self._shared.portraits.open(
            self._clients.of(context), request.portrait, request.consent, transparent=request.transparent
        )
        await asyncio.get_running_loop().run_in_executor(self._shared.workers, partial(_draw_once, face, size_px))
        return pb.WarmUpResponse(portrait_id=portrait_id, elapsed_us=self._shared.clock.now_us() - began_us)

    async def Synthesize(self, request: pb.SynthesizeRequest, context: Context) -> None:  # noqa: N802
        self.require_open()
        async with self._admitted():
            outflow = Outflow(context, self._shared.clock, self._limits.unread_s)
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(outflow.watch(asyncio.Event()))  # what nobody takes, it does not make
                async for response in self._synthesized(request, context):
                    await outflow.write(response)
                watching.cancel()

    async def _synthesized(
        self, request: pb.SynthesizeRequest, context: Context
    ) -> AsyncIterator[pb.SynthesizeResponse | FrameToSend]:
        asked = pb.SessionConfig()
        asked.CopyFrom(request.config)
        asked.delivery, asked.frame_transport = pb.DELIVERY_IMMEDIATE, pb.FRAME_TRANSPORT_INLINE
        config = resolve(asked, self._limits)
        samples = samples_of(request.samples, config.message.audio_format)
        face = await self._open(self._clients.of(context), config)
        session = self._shared.open(config, face, self._shared.batch_pool)
        await session.say_text(request.text.text, request.text.language)
        session_id = f"{session.stream.presenter.session_id:08x}"
        self._record_label(config.label_off_reason, session_id)
        names = ARKIT_NAMES if config.wants_motion else ()
        started = pb.SessionStarted(config=config.message, session_id=session_id, weight_names=names, notes=face.notes)
        yield pb.SynthesizeResponse(started=started)
        async with session:
            speaking = asyncio.create_task(_speak(session, samples))
            try:
                async for item in session:
                    for response in _responses(item, config.message):
                        yield response
                await speaking
            finally:
                speaking.cancel()

    def require_open(self) -> None:
        """Raises a StatusError while the server is about to stop."""
        if self.draining:
            raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is about to stop", 1000)

    async def _open(self, client: Client, config: ResolvedConfig) -> Face:
        """The portrait of a config, which then names it by its id and says who it shows."""
        message = config.message
        message.portrait.id, face = await self._shared.open_face(client, message.portrait, config)
        message.consent.basis = self._shared.portraits.consent(client, message.portrait.id)
        return face

    async def _refuse(self, context: Context, error: Exception) -> NoReturn:
        reason = first_of(error)
        if isinstance(reason, grpc.aio.InternalError):
            raise reason  # a write to a client that is gone: gRPC knows what to do
        self.count_refused(reason)
        await abort(context, reason)

    def count_refused(self, reason: BaseException) -> None:
        """In the metrics and the log."""
        self._shared.metrics.refused.labels(type(reason).__name__).inc()
        log.info("call refused", extra={"reason": type(reason).__name__})


def add_to(server: grpc.aio.Server, service: FaceService) -> None:
    """Register under the contract's names. On the wire a single message is a stream of one; as such it is read, parsed and
    answered here, and frames go out as bytes that are serialised already."""
    handlers = {
        method.name: grpc.stream_stream_rpc_method_handler(
            partial(service.answer, getattr(service, method.name), getattr(pb, method.input_type.name)),
            response_serializer=serialize,
        )
        for method in SERVICE.methods
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.full_name, handlers),))


def _draw_once(face: Face, size_px: int) -> None:
    face.open(size_px).render(MotionFrame(0, 0, arkit_weights(), pose=Pose()))


async def _speak(session: Session, samples: Any) -> None:  # noqa: ANN401
    await session.push(samples)
    await session.finish()


def _responses(item: object, config: pb.SessionConfig) -> list[pb.SynthesizeResponse | FrameToSend]:
    if not isinstance(item, Output):
        return []
    responses: list[pb.SynthesizeResponse | FrameToSend] = []
    if config.outputs != pb.OUTPUTS_FRAMES:
        responses.append(pb.SynthesizeResponse(motion=motion_message(item.motion, "", 0)))
    if item.picture is not None:
        responses.append(FrameToSend(picture_head(item.picture, "", 0), item.picture.pixels.reshape(-1).data))
    return responses
