"""Why a call was not served, as a gRPC status."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

import grpc

from vivant.errors import InputError, OutputError, UnavailableError, VivantError

log = logging.getLogger("vivant.server")
ABORT_S = 1.0
"""Within which gRPC sends a status to a client that reads; chosen."""


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
    code, sentence, retry_after_ms = status_of(error)
    hint = () if retry_after_ms is None else (("retry-after-ms", str(retry_after_ms)),)
    try:
        async with asyncio.timeout(ABORT_S):
            await context.abort(code, sentence, hint)
    except TimeoutError:  # it lies behind what the client has not read; gRPC keeps it for as long as there is a connection
        raise asyncio.CancelledError from None  # which gRPC takes for an end without a word, as it takes no other
    raise AssertionError("abort returns never")


def status_of(error: BaseException) -> tuple[grpc.StatusCode, str, int | None]:
    """Code, sentence, and when to come again in ms. What nobody foresaw is logged."""
    if isinstance(error, StatusError):
        return error.code, str(error), error.retry_after_ms
    if isinstance(error, InputError):
        return grpc.StatusCode.INVALID_ARGUMENT, str(error), None
    if isinstance(error, UnavailableError):
        return grpc.StatusCode.UNIMPLEMENTED, str(error), None
    if isinstance(error, OutputError):  # a full disk of this machine
        return grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), None
    log.error("a call failed", exc_info=error)
    return grpc.StatusCode.INTERNAL, "the server failed; its log says why", None
