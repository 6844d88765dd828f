"""The portraits that clients may show: bundled ones for all, each client's own for itself alone, once it said who they show."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections import OrderedDict, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Protocol

import grpc
from PIL import Image

from vivant.errors import InputError
from vivant.face import Face, open_portrait
from vivant.honest.policy import Policy
from vivant.honest.produce import bundled_portraits
from vivant.server.limits import Limits
from vivant.server.refusal import Refusal, full
from vivant.v1 import vivant_pb2 as pb

_FOLDER = files("vivant") / "assets" / "portraits"
BUNDLED = tuple(sorted(file.name.removesuffix(".jpg") for file in _FOLDER.iterdir() if file.name.endswith(".jpg")))
ID_CHARS = 24
MISSING = (
    "nobody has said yet who this portrait shows; say it once per picture in consent.basis (me, agreed, unreal or synthetic),"
    " for only people who agreed to it may be animated"
)


class Opener(Protocol):
    """Makes a picture ready to speak, as `vivant.open_portrait` does."""

    def __call__(self, image: bytes, /, *, transparent: bool) -> Face: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    image: bytes
    basis: pb.ConsentBasis


class Portraits:
    """On the event loop. Building runs in a thread of its own, one at a time, so that faces that speak keep theirs."""

    def __init__(self, limits: Limits, opener: Opener = open_portrait) -> None:
        self._limits = limits
        self._opener = opener
        self._policy = Policy.load()
        self._images: dict[str, dict[str, _Kept]] = defaultdict(dict)
        """Per client, the first to come first: pictures by id."""
        self._faces: OrderedDict[tuple[str, bool], Face] = OrderedDict()
        """Opened ones by id and transparency, whoever owns them; the oldest use first."""
        self._builder = ThreadPoolExecutor(1, "vivant-portraits")

    async def open(
        self, client: str, ref: pb.PortraitRef, consent: pb.Consent | None = None, *, transparent: bool = False
    ) -> tuple[str, Face]:
        """The portrait's id and face. ``consent`` counts for a picture that comes with the reference.

        Raises InputError, PortraitError or a Refusal with NOT_FOUND.
        """
        which = ref.WhichOneof("portrait")
        if which is None:
            raise InputError("a portrait is needed: an id or a picture")
        portrait_id = self._keep(client, ref.image, consent or pb.Consent()) if which == "image" else ref.id
        image = self._image(client, portrait_id)
        self._policy.allow_portrait(hashlib.sha256(image).hexdigest(), portrait_id)
        face = self._faces.pop((portrait_id, transparent), None)
        if face is None:
            build = partial(self._opener, image, transparent=transparent)
            try:
                face = await asyncio.get_running_loop().run_in_executor(self._builder, build)
            except InputError:
                self._images.get(client, {}).pop(portrait_id, None)
                raise
        self._faces[portrait_id, transparent] = face
        while len(self._faces) > self._limits.faces:
            self._faces.popitem(last=False)
        return portrait_id, face

    def consent(self, client: str, portrait_id: str) -> pb.ConsentBasis:
        """What was said when the picture came; bundled portraits show nobody."""
        if portrait_id in BUNDLED:
            return pb.CONSENT_BASIS_SYNTHETIC
        kept = self._images.get(client, {}).get(portrait_id)
        return kept.basis if kept else pb.CONSENT_BASIS_UNSPECIFIED

    def own(self, client: str) -> list[str]:
        """Ids of this client's own portraits."""
        return list(self._images.get(client, ()))

    def delete(self, client: str, portrait_id: str) -> None:
        """Raises a Refusal with NOT_FOUND for what is not this client's own."""
        if self._images.get(client, {}).pop(portrait_id, None) is None:
            raise _not_found(portrait_id)
        if not self._images[client]:
            del self._images[client]
        if not any(portrait_id in kept for kept in self._images.values()):
            for transparent in (False, True):
                self._faces.pop((portrait_id, transparent), None)

    def close(self) -> None:
        self._builder.shutdown(wait=False, cancel_futures=True)

    def _keep(self, client: str, image: bytes, said: pb.Consent) -> str:
        portrait_id = hashlib.sha256(image).hexdigest()[:ID_CHARS]
        kept = self._images.get(client, {})
        if portrait_id not in kept:
            self._require_allowed(image)
            basis = _basis_of(image, said)
            if len(kept) >= self._limits.portraits:
                raise full(f"a client may keep {self._limits.portraits} portraits; delete one first")
            self._images[client][portrait_id] = _Kept(image, basis)
            self._forget_oldest()
        return portrait_id

    def _forget_oldest(self) -> None:
        kept = [
            (client, portrait_id, len(one.image)) for client, own in self._images.items() for portrait_id, one in own.items()
        ]
        excess = sum(size for *_, size in kept) - self._limits.kept_portrait_bytes
        for client, portrait_id, size in kept:
            if excess <= 0:
                return
            self.delete(client, portrait_id)
            excess -= size

    def _image(self, client: str, portrait_id: str) -> bytes:
        if portrait_id in BUNDLED:
            return (_FOLDER / f"{portrait_id}.jpg").read_bytes()
        kept = self._images.get(client, {}).get(portrait_id)
        if kept is None:
            raise _not_found(portrait_id)
        return kept.image

    def _require_allowed(self, image: bytes) -> None:
        if len(image) > self._limits.portrait_bytes:
            raise InputError(f"a portrait may have {self._limits.portrait_bytes} bytes, got {len(image)}")
        try:
            with Image.open(io.BytesIO(image)) as picture:
                width, height = picture.size
        except Exception as error:  # whatever a decoder raises on bytes of strangers
            raise InputError("the portrait is not a picture that can be read; send a JPEG, PNG or WebP file") from error
        if width * height > self._limits.portrait_pixels:
            raise InputError(f"a portrait may have {self._limits.portrait_pixels} pixels, got {width} x {height}")


def _basis_of(image: bytes, said: pb.Consent) -> pb.ConsentBasis:
    if said.basis != pb.CONSENT_BASIS_UNSPECIFIED:
        return said.basis
    if hashlib.sha256(image).hexdigest() in bundled_portraits():
        return pb.CONSENT_BASIS_SYNTHETIC
    raise InputError(MISSING)


def _not_found(portrait_id: str) -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, f"there is no portrait {portrait_id[:64]!r} of yours; put it first")
