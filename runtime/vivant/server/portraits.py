"""The portraits that clients may show: bundled ones for all, each client's own for itself alone, once it said who they show.

Nothing of a client's picture goes to the disk: what was made of it lives in memory until it is deleted, or the server ends. The
picture itself, and who it shows, goes into a store where the server was given one that it shares with others.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol, TypeVar

import grpc

from vivant.bundled import portrait_bytes, portrait_sha256, portraits
from vivant.errors import InputError
from vivant.face import Face, RigFace, open_portrait
from vivant.finish.synthetic import FinishKind, finished
from vivant.media.images import require_readable_kind
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.provenance.consent import bundled_consent
from vivant.provenance.policy import Policy
from vivant.rig.build import build_rig
from vivant.server.builds import Builds
from vivant.server.clients import Client
from vivant.server.decoder import Decoder
from vivant.server.limits import Limits
from vivant.server.portrait_store import PortraitStore, StoredPortrait
from vivant.server.status import StatusError, full
from vivant.v1 import vivant_pb2 as pb
from vivant.wire.values import consent_message

BUNDLED = portraits()
Key = TypeVar("Key", bound=Hashable)

ID_CHARS = 32
"""128 bits."""
HASHED_AT_ONCE_BYTES = 1 << 16
"""Up to here hashing on the event loop costs less (0.1 ms) than another thread."""
MISSING = (
    "nobody has said yet who this portrait shows; say it once per picture in consent.basis (me, agreed, unreal or synthetic),"
    " for only people who agreed to it may be animated"
)


class Opener(Protocol):
    """Makes a picture ready to speak, as `vivant.open_portrait` does."""

    def __call__(self, image: bytes, /, *, transparent: bool) -> Face: ...


class GuestOpener:
    """`Opener` for pictures of strangers: decoded in a process of their own, and kept nowhere. For one thread."""

    def __init__(self, most_pixels: int, analyser: PortraitAnalyser | None = None) -> None:
        self._decoder = Decoder(most_pixels)
        self._analyser = analyser

    def __call__(self, image: bytes, /, *, transparent: bool) -> Face:
        if bundled_consent(hashlib.sha256(image).hexdigest()) is not None:
            return open_portrait(image, transparent=transparent, analyser=self._analyser)
        picture = self._decoder.decode(image)
        self._analyser = self._analyser or default_analyser()
        return RigFace(build_rig(picture, self._analyser, transparent=transparent))

    def close(self) -> None:
        self._decoder.close()


@dataclass(frozen=True, slots=True)
class _Kept:
    """One client's portrait."""

    owner: str
    lane: str
    sha256: str
    image: bytes
    basis: pb.ConsentBasis


class Portraits:
    """On the event loop, where no picture is parsed."""

    def __init__(
        self,
        limits: Limits,
        opener: Opener | None = None,
        analyser: PortraitAnalyser | None = None,
        store: PortraitStore | None = None,
        finish: FinishKind | None = None,
    ) -> None:
        """``opener`` runs in a thread of its own, one picture at a time, so that faces that speak keep theirs. ``store`` is
        where clients' pictures are that other servers know, too; its file system works in threads."""
        self._limits = limits
        self._guests = GuestOpener(limits.portrait_pixels, analyser)
        self._opener = opener or self._guests
        self._finish = finish
        self._policy = Policy.load()
        self._store = store
        self._secret = secrets.token_bytes(32) if store is None else store.secret
        self._kept: dict[str, _Kept] = {}
        """By id, the first to come first."""
        self._faces: OrderedDict[tuple[str, bool], tuple[Face, str]] = OrderedDict()
        """Opened ones by their picture's hash and transparency, with the lane that opened them; the oldest use first."""
        self._builds: Builds[tuple[str, bool], Face] = Builds(limits.waiting_lane_bytes, limits.waiting_bytes, self._opened)

    async def open(
        self, client: Client, ref: pb.PortraitRef, consent: pb.Consent | None = None, *, transparent: bool = False
    ) -> tuple[str, Face]:
        """The portrait's id and face. ``consent`` counts for a picture that comes with the reference.

        Raises InputError, PortraitError or a StatusError: NOT_FOUND, or RESOURCE_EXHAUSTED for who wants too much at a time.
        """
        match ref.WhichOneof("portrait"):
            case None:
                raise InputError("a portrait is needed: an id or a picture")
            case "id":
                return ref.id, await self._open_known(client, ref.id, transparent)
            case _:
                return await self.put(client, ref.image, consent or pb.Consent(), transparent=transparent)

    def require_room(self, lane: str, n_bytes: int = 0) -> None:
        """Raises a StatusError when too much of this connection waits already; asked before a picture is read, too."""
        self._builds.require_room(lane, n_bytes)

    def consent(self, client: Client, portrait_id: str) -> pb.ConsentBasis:
        """What was said when the picture came; bundled portraits show nobody."""
        if portrait_id in BUNDLED:
            return pb.CONSENT_BASIS_SYNTHETIC
        kept = self._kept.get(portrait_id)
        return kept.basis if kept is not None and kept.owner == client.key else pb.CONSENT_BASIS_UNSPECIFIED

    def image(self, client: Client, portrait_id: str) -> bytes:
        """The file that a portrait was made of. Raises a StatusError with NOT_FOUND for what is not this client's own."""
        return portrait_bytes(portrait_id) if portrait_id in BUNDLED else self._of(client, portrait_id).image

    async def own(self, client: Client) -> list[str]:
        """Ids of this client's own portraits."""
        if (store := self._store_of(client)) is not None:
            return await asyncio.to_thread(store.ids, client.key)
        return [portrait_id for portrait_id, kept in self._kept.items() if kept.owner == client.key]

    async def delete(self, client: Client, portrait_id: str) -> None:
        """Raises a StatusError with NOT_FOUND for what is not this client's own."""
        await self._find(client, portrait_id)
        if (store := self._store_of(client)) is not None:
            await asyncio.to_thread(store.delete, client.key, portrait_id)
        self._forget(portrait_id)

    def close(self) -> None:
        self._builds.close()
        self._guests.close()

    async def _open_known(self, client: Client, portrait_id: str, transparent: bool) -> Face:
        if portrait_id in BUNDLED:
            return await self._face(portrait_bytes(portrait_id), portrait_sha256(portrait_id), "", portrait_id, transparent)
        kept = await self._find(client, portrait_id)
        face = await self._face(kept.image, kept.sha256, client.lane, portrait_id, transparent)
        if portrait_id not in self._kept:  # deleted meanwhile
            self._let_go(kept.sha256)
        return face

    async def put(self, client: Client, image: bytes, said: pb.Consent, *, transparent: bool = False) -> tuple[str, Face]:
        """As `open`. Whatever costs nothing comes first; the picture is kept once it turned out to be a portrait."""
        self._require_worth_a_look(client, image, said)
        sha256 = await _sha256(image)
        portrait_id = hmac.new(self._secret, f"{client.key}\n{sha256}".encode(), hashlib.sha256).hexdigest()[:ID_CHARS]
        known = await self._known(client, portrait_id)
        basis = known.basis if known is not None else _basis_of(sha256, said)
        if known is None and len(await self.own(client)) >= self._limits.portraits:
            raise full(f"a client may keep {self._limits.portraits} portraits; delete one first")
        face = await self._face(image, sha256, client.lane, portrait_id, transparent)
        self._keep(portrait_id, _Kept(client.key, client.lane, sha256, image, basis))
        if known is None and (store := self._store_of(client)) is not None:
            await asyncio.to_thread(store.put, client.key, portrait_id, StoredPortrait(image, sha256, basis))
        return portrait_id, face

    def _require_worth_a_look(self, client: Client, image: bytes, said: pb.Consent) -> None:
        if len(image) > self._limits.portrait_bytes:
            raise InputError(f"a portrait may have {self._limits.portrait_bytes} bytes, got {len(image)}")
        require_readable_kind(image, "the portrait")
        may_be_known = self._store_of(client) is not None or len(image) in self._sizes_known_to(client)
        if said.basis == pb.CONSENT_BASIS_UNSPECIFIED and not may_be_known:
            raise InputError(MISSING)
        self.require_room(client.lane, len(image))

    def _sizes_known_to(self, client: Client) -> Iterable[int]:
        """Of pictures of which somebody has said already who they show."""
        return {len(kept.image) for kept in self._kept.values() if kept.owner == client.key} | _bundled_sizes()

    async def _face(self, image: bytes, sha256: str, lane: str, portrait_id: str, transparent: bool) -> Face:
        self._policy.allow_portrait(sha256, portrait_id)
        key = (sha256, transparent)
        if key in self._faces:
            self._faces.move_to_end(key)
            return self._faces[key][0]
        opening = partial(self._open_finished, image, transparent=transparent)
        try:
            return await self._builds.run(key, lane, len(image), opening)
        except InputError:
            if portrait_id in self._kept:
                self._forget(portrait_id)
            raise

    def _open_finished(self, image: bytes, *, transparent: bool) -> Face:
        return finished(self._opener(image, transparent=transparent), self._finish)

    def _opened(self, key: tuple[str, bool], lane: str, face: Face) -> None:
        self._faces[key] = face, lane
        while len(self._faces) > self._limits.faces:
            del self._faces[_oldest_of_the_fullest({each: (lane, 1) for each, (_, lane) in self._faces.items()})]

    def _keep(self, portrait_id: str, new: _Kept) -> None:
        """When all clients' pictures are too many, the connection that put most loses its oldest. Raises a StatusError when
        that is this one's only one."""
        everything = self._kept | {portrait_id: new}
        while sum(len(kept.image) for kept in everything.values()) > self._limits.kept_portrait_bytes:
            oldest = _oldest_of_the_fullest({each: (kept.lane, len(kept.image)) for each, kept in everything.items()})
            if oldest == portrait_id:
                self._let_go(new.sha256)
                raise full("the server keeps as many portraits as it can; send a smaller picture, or try again later")
            self._forget(oldest)
            del everything[oldest]
        self._kept[portrait_id] = new

    def _forget(self, portrait_id: str) -> None:
        self._let_go(self._kept.pop(portrait_id).sha256)

    def _let_go(self, sha256: str) -> None:
        """Of what was made of a picture that nobody keeps any more."""
        if not any(kept.sha256 == sha256 for kept in self._kept.values()):
            for transparent in (False, True):
                self._faces.pop((sha256, transparent), None)

    def _of(self, client: Client, portrait_id: str) -> _Kept:
        """In memory."""
        kept = self._kept.get(portrait_id)
        if kept is None or kept.owner != client.key:
            raise StatusError(grpc.StatusCode.NOT_FOUND, f"there is no portrait {portrait_id[:64]!r} of yours; put it first")
        return kept

    async def _find(self, client: Client, portrait_id: str) -> _Kept:
        """In memory or in the store. Raises a StatusError with NOT_FOUND for what is not this client's own."""
        await self._known(client, portrait_id)
        return self._of(client, portrait_id)

    async def _known(self, client: Client, portrait_id: str) -> _Kept | None:
        """What is in memory by then: what another server put comes into it, and what another one deleted goes."""
        kept, store = self._kept.get(portrait_id), self._store_of(client)
        if store is None or (kept is not None and kept.owner != client.key):
            return kept
        if kept is not None:
            if await asyncio.to_thread(store.has, client.key, portrait_id):
                return kept
            if portrait_id in self._kept:
                self._forget(portrait_id)
            return None
        if (found := await asyncio.to_thread(store.get, client.key, portrait_id)) is None:
            return None
        self._keep(portrait_id, _Kept(client.key, client.lane, found.sha256, found.image, found.basis))
        return self._kept[portrait_id]

    def _store_of(self, client: Client) -> PortraitStore | None:
        """Where what this client puts is known to other servers, too."""
        return self._store if client.is_shared else None


def _oldest_of_the_fullest(entries: dict[Key, tuple[str, int]]) -> Key:
    """The first entry of the lane that takes most, so that whoever takes no more than his share loses nothing.

    ``entries`` are lanes and sizes, the oldest first.
    """
    taken: dict[str, int] = defaultdict(int)
    for lane, size in entries.values():
        taken[lane] += size
    fullest = max(taken, key=taken.__getitem__)
    return next(key for key, (lane, _) in entries.items() if lane == fullest)


async def _sha256(image: bytes) -> str:
    """Large ones in a thread, for they take tens of milliseconds."""
    if len(image) <= HASHED_AT_ONCE_BYTES:
        return hashlib.sha256(image).hexdigest()
    return await asyncio.to_thread(lambda: hashlib.sha256(image).hexdigest())


def _basis_of(sha256: str, said: pb.Consent) -> pb.ConsentBasis:
    if said.basis != pb.CONSENT_BASIS_UNSPECIFIED:
        return said.basis
    known = bundled_consent(sha256)
    if known is None:
        raise InputError(MISSING)
    return consent_message(known).basis


@cache
def _bundled_sizes() -> frozenset[int]:
    return frozenset(len(portrait_bytes(name)) for name in BUNDLED)
