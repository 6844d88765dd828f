"""A rig: everything that one portrait needs to be animated, as plain arrays, and its file."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vivant.errors import InputError
from vivant.finish.network import PREFIX, Finish
from vivant.media.atomic import replacing, reporting
from vivant.plain import plain
from vivant.portrait.analyser import OURS
from vivant.render._kernel import Scene
from vivant.rig.crop import MARGIN_PX, SIDE_PX
from vivant.rig.surroundings import Box, Surroundings
from vivant.types import UInt8Array

MOST_NOTES, MOST_NOTE, MOST_NAME = 20, 400, 255
"""Of what a file says in words: notes, and characters of a note and of a name."""
FORMAT_VERSION = 1
MOST_CHARS = 80
"""Of a name that a file gives and that goes into manifests."""
_KIND = "vivant-rig"
_PICTURE, _MATTE = "surroundings.jpg", "surroundings_matte.jpg"
BACKGROUND = "background"
"""Name of the texture behind the person."""
BLUR_SHARE = 0.025
"""Radius of a background out of focus, of the square's side; chosen by eye."""
BEYOND_PX = 4 * SIDE_PX
"""Nothing around a square lies further away."""


@dataclass(frozen=True)
class Rig:
    """Immutable. ``arrays`` are the kernel's (see render/_kernel.pyi); textures are premultiplied RGBA."""

    arrays: dict[str, NDArray[Any]]
    textures: tuple[UInt8Array, ...]
    transparent: bool
    portrait_sha256: str
    portrait_name: str = ""
    """Name of the image file, for lists; no path."""
    notes: tuple[str, ...] = ()
    """What the builder wants the user to know, one sentence each."""
    texture_names: tuple[str, ...] = ()
    """For contact sheets."""
    surroundings: Surroundings | None = None
    """The portrait beyond the square; None in files of before there were frames that need it."""
    analyser: str = OURS
    """Name of the network that read the portrait."""
    finish: Finish | None = None
    """What was learnt of the person's own mouth and lids from a film of them."""

    def scene(self) -> Scene:
        """The kernel's own copy; share it among renderers."""
        try:
            return Scene.make(**self.arrays, textures=list(self.textures), transparent=self.transparent)
        except (ValueError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"this rig is damaged ({reason}) and must be built again from its portrait") from error

    @property
    def texels_per_px(self) -> float:
        """Resolution of the largest texture, per px of the rig's square."""
        return float(max((texture.shape[1] for texture in self.textures), default=0)) / (SIDE_PX + 2 * MARGIN_PX)

    @property
    def size_bytes(self) -> int:
        """Memory that the arrays take."""
        around = len(self.surroundings.picture) + len(self.surroundings.matte) if self.surroundings else 0
        learnt = self.finish.size_bytes if self.finish else 0
        return sum(a.nbytes for a in self.arrays.values()) + sum(t.nbytes for t in self.textures) + around + learnt

    def with_blurred_background(self) -> Rig:
        """The same without surroundings, its background out of focus. Raises InputError where there is none."""
        if self.transparent or BACKGROUND not in self.texture_names:
            raise InputError("this rig has no background that could be blurred; build it again from its portrait")
        textures, place = list(self.textures), self.texture_names.index(BACKGROUND)
        radius = BLUR_SHARE * textures[place].shape[1]
        textures[place] = np.asarray(Image.fromarray(textures[place]).filter(ImageFilter.GaussianBlur(radius)))
        return replace(self, textures=tuple(textures), surroundings=None)

    def halved(self) -> Rig:
        """The same rig with textures of half the resolution, for small frames: a texel must not be smaller than half a px."""
        textures = tuple(_half(texture) for texture in self.textures)
        return replace(self, arrays=self.arrays | {"uv": self.arrays["uv"] * np.float32(0.5)}, textures=textures)

    def save(self, path: Path) -> None:
        """Write a ``.vivant`` file: a zip of .npy arrays and a JSON header, nothing executable. Atomic, for its user's eyes."""
        header = {
            "kind": _KIND,
            "version": FORMAT_VERSION,
            "transparent": self.transparent,
            "portrait_sha256": self.portrait_sha256,
            "portrait_name": self.portrait_name,
            "notes": list(self.notes),
            "analyser": self.analyser,
            "n_textures": len(self.textures),
            "texture_names": list(self.texture_names),
            "surroundings": astuple(self.surroundings.box) if self.surroundings else None,
            "finish": asdict(self.finish.card) if self.finish else None,
        }
        finish = {f"{PREFIX}{name}": array for name, array in self.finish.arrays().items()} if self.finish else {}
        textures = {f"texture_{i}": texture for i, texture in enumerate(self.textures)}
        with replacing(path, private=True) as part, reporting(path), zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("header.json", json.dumps(header))
            for name, array in (self.arrays | textures | finish).items():
                data = io.BytesIO()
                np.save(data, array, allow_pickle=False)
                archive.writestr(f"{name}.npy", data.getvalue())
            if self.surroundings:
                archive.writestr(_PICTURE, self.surroundings.picture)
                archive.writestr(_MATTE, self.surroundings.matte)

    @classmethod
    def load(cls, path: Path) -> Rig:
        """Read a ``.vivant`` file. Raises InputError for anything else, or for another version."""
        header = cls.read_header(path)
        with _opened(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            arrays = {name: np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False) for name in names}
            textures = tuple(arrays.pop(f"texture_{i}") for i in range(int(header["n_textures"])))
            learnt = {name: arrays.pop(name) for name in list(arrays) if name.startswith(PREFIX)}
            arrays = {"body": np.zeros_like(arrays["head"]), "round": np.zeros_like(arrays["head"])} | arrays  # 0.1 had none
            return cls(
                arrays=arrays,
                textures=textures,
                transparent=bool(header["transparent"]),
                portrait_sha256=str(header["portrait_sha256"]),
                portrait_name=header["portrait_name"],
                notes=tuple(header["notes"]),
                texture_names=tuple(plain(name, MOST_NAME) for name in header["texture_names"][: len(textures)]),
                surroundings=_surroundings(archive, header.get("surroundings")),
                analyser=plain(header.get("analyser", OURS), MOST_CHARS),
                finish=Finish.of({name.removeprefix(PREFIX): array for name, array in learnt.items()}, header.get("finish")),
            )

    @staticmethod
    def read_header(path: Path) -> dict[str, Any]:
        """What the file says of itself, without its arrays."""
        with _opened(path) as archive:
            header: dict[str, Any] = json.loads(archive.read("header.json"))
            known = header["kind"] == _KIND and header["version"] == FORMAT_VERSION
            header["portrait_name"] = plain(header["portrait_name"], MOST_NAME)
            header["notes"] = [plain(note, MOST_NOTE) for note in header["notes"][:MOST_NOTES]]
        if not known:
            raise InputError(f"{path.name} is no rig of version {FORMAT_VERSION}; build it again from its portrait")
        return header


def _surroundings(archive: zipfile.ZipFile, box: list[float] | None) -> Surroundings | None:
    if box is None:
        return None
    left, top, right, bottom = (float(side) for side in box)
    if not (-BEYOND_PX <= left < SIDE_PX / 4 and -BEYOND_PX <= top < SIDE_PX / 4):
        raise ValueError("its surroundings lie nowhere")
    if not (SIDE_PX * 3 / 4 < right <= BEYOND_PX and SIDE_PX * 3 / 4 < bottom <= BEYOND_PX):
        raise ValueError("its surroundings lie nowhere")
    return Surroundings(Box(left, top, right, bottom), archive.read(_PICTURE), archive.read(_MATTE))


def _half(texture: UInt8Array) -> UInt8Array:
    """2x2 averages; borders are repeated where a side is odd, or shorter than 4: the kernel wants 2 texels at least."""
    spare = [(0, max(length % 2, 4 - length)) for length in texture.shape[:2]]
    even = np.pad(texture, (*spare, (0, 0)), mode="edge").astype(np.uint16)
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    smaller: UInt8Array = ((total + 2) // 4).astype(np.uint8)
    return smaller


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, whose members are stored as they are: so nothing in it can be larger than the file itself."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ValueError("it is no ordinary file")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
            if packed or sum(member.file_size for member in members) > path.stat().st_size:
                raise ValueError("compressed or overlapping members")
            yield archive
    except Exception as error:  # damaged archives raise nearly anything in the parsers
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path.name} is not a readable rig ({reason}); build it again from its portrait") from error
