"""The portraits that several servers share, in a folder and in memory of fsspec's, which names its objects as buckets do."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from vivant.errors import InputError
from vivant.server.portrait_store import SECRET, PortraitStore, StoredPortrait
from vivant.server.status import StatusError
from vivant.v1 import vivant_pb2 as pb

fsspec = pytest.importorskip("fsspec")
pytestmark = pytest.mark.unit

SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ABC = StoredPortrait(b"abc", SHA256, pb.CONSENT_BASIS_ME)
ID = "0123456789abcdef" * 2


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "a" / "store") if request.param == "folder" else f"memory://{tmp_path.name}"
    fsspec.filesystem("memory").store.clear()


def test_what_one_server_puts_another_finds_until_it_is_deleted(url: str) -> None:
    one, other = PortraitStore(url), PortraitStore(url)
    assert one.secret == other.secret and len(one.secret) == 32
    one.put("ada's client", ID, ABC)
    assert other.get("ada's client", ID) == ABC and other.has("ada's client", ID) and other.ids("ada's client") == [ID]
    assert other.get("somebody", ID) is None and not other.has("somebody", ID) and other.ids("somebody") == []
    other.delete("ada's client", ID)
    other.delete("ada's client", ID)
    assert one.get("ada's client", ID) is None and one.ids("ada's client") == []


def test_a_folder_is_its_users_alone_and_says_nobodys_name(tmp_path: Path) -> None:
    store = PortraitStore(str(tmp_path / "store"))
    store.put("a client's name", ID, ABC)
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    assert not [path for path in tmp_path.rglob("*") if "name" in path.name and path.name != SECRET]


def test_half_a_portrait_is_none(url: str) -> None:
    store = PortraitStore(url)
    store.put("client", ID, ABC)
    (path,) = [path for path in store._files.find(store._root) if path.endswith(ID)]
    whole = store._files.cat_file(path)
    for half in (whole[:-1], whole[:20], b"", b'{"sha256": 1}\nabc', whole.replace(b'"basis": 1', b'"basis": 99')):
        store._files.pipe_file(path, half)
        assert store.get("client", ID) is None


@pytest.mark.parametrize("name", ["../../" + SECRET, "a/b", "", "ID" * 16, "0" * 65])
def test_an_id_is_never_a_path(url: str, name: str) -> None:
    store = PortraitStore(url)
    assert store.get("client", name) is None and not store.has("client", name)
    with pytest.raises(InputError):
        store.put("client", name, ABC)
    with pytest.raises(InputError):
        store.delete("client", name)


def test_a_store_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no place for portraits"):
        PortraitStore(str(tmp_path / "file" / "store"))
    with pytest.raises(InputError, match="no place for portraits"):
        PortraitStore("nothing-knows-this://bucket")
    (tmp_path / SECRET).write_bytes(b"short")
    with pytest.raises(InputError, match="holds no secret"):
        PortraitStore(str(tmp_path))


def test_a_store_that_does_not_answer_is_a_status_to_come_again(tmp_path: Path) -> None:
    store = PortraitStore(str(tmp_path / "store"))
    (tmp_path / "store" / "portraits").write_text("a file where the folder was")
    with pytest.raises(StatusError, match="does not answer") as refused:
        store.put("client", ID, ABC)
    assert refused.value.code == grpc.StatusCode.UNAVAILABLE and refused.value.retry_after_ms
