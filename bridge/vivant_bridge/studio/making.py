"""Making: a page's picture becomes a face, and the page hears of every stage."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress

from vivant import Face, VivantError, open_portrait
from vivant.errors import OutputError
from vivant.face import RigFace
from vivant.provenance.consent import Consent, bundled_consent, keep_consent, kept_consent
from vivant.rig.cache import cached_rig
from vivant.server.clients import Client
from vivant.server.decoder import Decoder
from vivant.server.portraits import Portraits
from vivant.wire.values import consent_message

Said = dict[str, object]


class StagedOpener:
    """`Opener` that says what it does. Pictures are decoded in a process of their own, rigs kept as the library keeps them.

    Called on one thread; `listening` belongs to any.
    """

    def __init__(self, most_pixels: int) -> None:
        self._decoder = Decoder(most_pixels)
        self._listeners: dict[str, Callable[[str], None]] = {}
        """By the hash of the picture."""

    def __call__(self, image: bytes, /, *, transparent: bool) -> Face:
        sha256 = hashlib.sha256(image).hexdigest()
        listener = self._listeners.get(sha256, lambda _: None)
        if bundled_consent(sha256) is not None:
            return open_portrait(image, transparent=transparent, progress=listener)
        picture = self._decoder.decode(image)
        rig = cached_rig(picture, None, name="", face_number=1, transparent=transparent, progress=listener)
        return RigFace(rig)

    @contextmanager
    def listening(self, sha256: str, listener: Callable[[str], None]) -> Iterator[None]:
        """``listener`` hears the stages of that picture, on the opener's thread."""
        self._listeners[sha256] = listener
        try:
            yield
        finally:
            self._listeners.pop(sha256, None)

    def close(self) -> None:
        self._decoder.close()


async def make(
    image: bytes, consent: Consent | None, client: Client, portraits: Portraits, opener: StagedOpener
) -> AsyncIterator[Said]:
    """What happens, as the page is told: stages, and last the portrait's id and notes, a question, or what is wrong.

    An answer is kept beside the rig, as the library keeps it, once the picture turned out to be a portrait.
    """
    sha256 = (await asyncio.to_thread(hashlib.sha256, image)).hexdigest()
    answer = consent or kept_consent(sha256) or bundled_consent(sha256)
    if answer is None:
        yield {"ask": True}
        return
    stages: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def hear(stage: str) -> None:
        loop.call_soon_threadsafe(stages.put_nowait, stage)

    with opener.listening(sha256, hear):
        making = asyncio.create_task(portraits.put(client, image, consent_message(answer)))
        making.add_done_callback(lambda _: stages.put_nowait(None))
        try:
            while (stage := await stages.get()) is not None:
                yield {"stage": stage}
            portrait_id, face = await making
        except VivantError as error:
            yield {"error": str(error)}
            return
        finally:
            making.cancel()
    if consent is not None:
        with suppress(OutputError):  # it is asked again next time
            keep_consent(sha256, consent)
    yield {"portrait": {"id": portrait_id, "bundled": False}, "notes": list(face.notes)}
