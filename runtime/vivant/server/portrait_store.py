"""Portrait store: clients' pictures in a folder or bucket that several servers share, so that what is put once is everywhere.

One object for each portrait of each client: a line of JSON says who it shows and its hash, then comes the picture's file. Rigs
are not shared: each server builds its own when it first needs one. Needs the extra ``store``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from vivant.errors import InputError, UnavailableError, VivantError
from vivant.extras import install
from vivant.server.status import StatusError
from vivant.v1 import vivant_pb2 as pb

log = logging.getLogger("vivant.server")

SECRET = "names.secret"
"""The object with what the servers of one store have in common: see `PortraitStore.secret`."""
SECRET_BYTES = 32
MOST_HEAD_BYTES = 1024
RETRY_AFTER_MS = 2000
_NAME = re.compile(r"[0-9a-f]{16,64}")
"""Of an object; what a client says is never a path."""


@dataclass(frozen=True, slots=True)
class StoredPortrait:
    """A picture, and who it shows."""

    image: bytes
    sha256: str
    basis: pb.ConsentBasis


class PortraitStore:
    """Portrait store over fsspec; blocking, for threads. Whoever can read it can see every client's pictures.

    Raises a StatusError with UNAVAILABLE where the store does not answer.
    """

    def __init__(self, url: str) -> None:
        """``url`` is a folder's path, or whatever fsspec knows, such as ``s3://bucket/prefix``. Raises InputError and
        UnavailableError, and an InputError where it cannot be written."""
        try:
            from fsspec.core import url_to_fs
            from fsspec.implementations.local import LocalFileSystem
        except ImportError as error:
            raise UnavailableError(f"a portrait store needs {error.name}; {install('store')} brings it") from error
        try:
            self._files, self._root = url_to_fs(url)
            if isinstance(self._files, LocalFileSystem):
                Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)
        except ImportError as error:
            raise UnavailableError(f"the portrait store {url} needs a package: {error}") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{url} is no place for portraits: {error}") from error
        self.url = url
        self.secret = self._common_secret()
        """From which clients' names and portraits' ids are made, so that all servers of this store know each other's."""

    def put(self, owner: str, portrait_id: str, portrait: StoredPortrait) -> None:
        """Keep a portrait until it is deleted; putting it again does nothing new."""
        head = json.dumps({"sha256": portrait.sha256, "basis": int(portrait.basis)}).encode() + b"\n"
        with self._reported():
            folder = self._folder(owner)
            self._files.makedirs(folder, exist_ok=True)
            self._files.pipe_file(f"{folder}/{_checked(portrait_id)}", head + portrait.image)

    def get(self, owner: str, portrait_id: str) -> StoredPortrait | None:
        """None for what is not this owner's, or was not written to its end."""
        if not _NAME.fullmatch(portrait_id):
            return None
        with self._reported():
            try:
                content: bytes = self._files.cat_file(f"{self._folder(owner)}/{portrait_id}")
            except FileNotFoundError:
                return None
        return _parsed(content)

    def has(self, owner: str, portrait_id: str) -> bool:
        """Whether it is kept still: another server may have deleted it."""
        with self._reported():
            self._files.invalidate_cache()
            return bool(_NAME.fullmatch(portrait_id)) and bool(self._files.exists(f"{self._folder(owner)}/{portrait_id}"))

    def ids(self, owner: str) -> list[str]:
        """Of this owner's portraits."""
        with self._reported():
            try:
                self._files.invalidate_cache()
                found = self._files.ls(self._folder(owner), detail=False)
            except FileNotFoundError:
                return []
        return sorted(name for path in found if _NAME.fullmatch(name := str(path).rpartition("/")[2]))

    def delete(self, owner: str, portrait_id: str) -> None:
        """Gone from every server's next call; nothing happens where it is gone already."""
        with self._reported(), suppress(FileNotFoundError):
            self._files.rm_file(f"{self._folder(owner)}/{_checked(portrait_id)}")

    def _folder(self, owner: str) -> str:
        """Of a client, by the hash of its key: its name stands nowhere."""
        return f"{self._root}/portraits/{hashlib.sha256(owner.encode()).hexdigest()}"

    def _common_secret(self) -> bytes:
        """Written by the first server; one that comes at the same time takes the other's."""
        path = f"{self._root}/{SECRET}"
        with self._reported():
            with suppress(FileExistsError):
                self._files.pipe_file(path, secrets.token_bytes(SECRET_BYTES), mode="create")
            secret: bytes = self._files.cat_file(path)
        if len(secret) != SECRET_BYTES:
            raise InputError(f"{path} holds no secret of {SECRET_BYTES} bytes; if no server is starting there, delete it")
        return secret

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError, VivantError):
            raise
        except Exception as error:  # of any file system's own kinds
            log.error("the portrait store failed", exc_info=error)
            sentence = "the portrait store does not answer; try again later"
            raise StatusError(grpc.StatusCode.UNAVAILABLE, sentence, RETRY_AFTER_MS) from error


def _checked(portrait_id: str) -> str:
    if not _NAME.fullmatch(portrait_id):
        raise InputError("a portrait's id is made by the server")
    return portrait_id


def _parsed(content: bytes) -> StoredPortrait | None:
    head, found, image = content[:MOST_HEAD_BYTES].partition(b"\n")
    image = content[len(head) + 1 :]
    try:
        said: dict[str, Any] = json.loads(head)
        pb.ConsentBasis.Name(said["basis"])  # or it is none
        portrait = StoredPortrait(image, str(said["sha256"]), said["basis"])
    except (ValueError, TypeError, KeyError):
        return None
    return portrait if found and hashlib.sha256(image).hexdigest() == portrait.sha256 else None
