"""Why a call was not served, as a gRPC status."""

from __future__ import annotations

import logging
from typing import NoReturn

import grpc

from vivant.errors import InputError, UnavailableError, VivantError

log = logging.getLogger("vivant.server")


class StatusError(VivantError):
    """A call that cannot be served. ``retry_after_ms`` tells a client when to come again."""

    def __init__(self, code: grpc.StatusCode, sentence: str, retry_after_ms: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.retry_after_ms = retry_after_ms


def full(sentence: str, retry_after_ms: int | None = None) -> StatusError:
    return StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, sentence, retry_after_ms)


def first_of(error: BaseException) -> BaseException:
    """The first error that is not a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def abort(context: grpc.aio.ServicerContext, error: BaseException) -> NoReturn:
    """End the call with the status that fits."""
    if isinstance(error, StatusError):
        hint = () if error.retry_after_ms is None else (("retry-after-ms", str(error.retry_after_ms)),)
        await context.abort(error.code, str(error), hint)
    if isinstance(error, InputError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    if isinstance(error, UnavailableError):
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
    log.error("a call failed", exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, "the server failed; its log says why")
    raise AssertionError("abort returns never")
