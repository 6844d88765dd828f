"""Nothing leaves the machine: libraries that call home come through `vivant.sealed` alone, and are silent there."""

from __future__ import annotations

import ast
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image

from tests.examples import some
from vivant import sealed
from vivant.client import connect
from vivant.provenance.verify import Credentials, verify
from vivant.sealed import onnx
from vivant.sealed.content import c2pa, context

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
NOISY = {"onnxruntime", "c2pa", "hibari"}
REPORTERS = {"requests", "urllib.request", "http.client", "httpx", "aiohttp", "urllib3"}
"""What a program would fetch with; nothing of ours does."""
MAKERS = {f"c2pa.{kind}{way}" for kind in ("Reader", "Builder") for way in ("", ".try_create", ".from_json", ".from_archive")}
FORBIDDEN = {"c2pa.Context", "c2pa.Settings", "c2pa.load_settings", "c2pa.read_file", "c2pa.sign_file"}


def last_name(node: ast.expr) -> str:
    """Of ``a.b.name`` or ``name``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def imported(path: Path) -> set[str]:
    """Modules of all imports, also those inside functions, by statement or by name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and last_name(node.func) in ("import_module", "__import__"):
            found |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return found


@pytest.mark.full
@pytest.mark.parametrize("folder", ["runtime/vivant", "bridge/vivant_bridge", "examples"])
def test_only_the_sealed_place_imports_what_calls_home(folder: str) -> None:
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths
    for path in paths:
        names = imported(path)
        heads = {name.split(".")[0] for name in names}
        assert not names & REPORTERS, path
        assert "vivant/sealed/" in path.as_posix() or not heads & NOISY, path


def test_nobody_reads_or_builds_without_the_sealed_context() -> None:
    """Without one the library takes a context of its own, which fetches."""
    makers = []
    for path in (ROOT / "runtime").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "c2pa" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) in MAKERS:
                makers.append(ast.unparse(node))
            assert "sealed" in str(path) or not (isinstance(node, ast.Attribute) and ast.unparse(node) in FORBIDDEN), path
    assert makers and all("context(" in maker for maker in makers)


LOADS = "import vivant, os; from vivant.sealed import onnx; onnx.load(); print(os.environ['ORT_DISABLE_TELEMETRY'])"


@pytest.mark.parametrize("switch", some(["0", None, "", "false"]))
def test_onnxruntime_leaves_nothing_in_the_home_folder(tmp_path: Path, switch: str | None) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | ({} if switch is None else {sealed.SWITCH: switch})
    done = subprocess.run([sys.executable, "-c", LOADS], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert list(tmp_path.rglob("*")) == []


def test_a_users_own_import_after_vivant_is_silent_too(tmp_path: Path) -> None:
    program = "import vivant; import onnxruntime"
    subprocess.run([sys.executable, "-c", program], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.rglob("*")) == []


def test_too_late_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", sys)
    monkeypatch.delenv(sealed.SWITCH, raising=False)
    with pytest.warns(RuntimeWarning, match="import vivant first"):
        sealed.keep_to_this_machine()
    assert os.environ[sealed.SWITCH] == "1"
    sealed.keep_to_this_machine()  # said once


@pytest.mark.skipif(sys.platform == "win32", reason="Windows builds leave no files")
def test_what_telemetry_had_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base = tmp_path / ("Library/Application Support" if sys.platform == "darwin" else "cache")
    folder = base / "Microsoft" / "DeveloperTools" / ".onnxruntime"
    folder.mkdir(parents=True)
    for name in ("deviceid", "deviceid.lock", "onnxruntime.db", "onnxruntime.db-wal", "onnxruntime.ses"):
        (folder / name).write_text("x")
    (base / "Microsoft" / "others").write_text("stays")
    assert len(list(onnx.leftovers())) == 5
    assert onnx.remove_leftovers() == 5
    assert [path.name for path in base.rglob("*")] == ["Microsoft", "others"]
    assert onnx.remove_leftovers() == 0
    (base / "Microsoft" / "others").unlink()
    folder.mkdir(parents=True)
    assert onnx.remove_leftovers() == 0
    assert not (base / "Microsoft").exists()


@pytest.fixture
def calls() -> Iterator[tuple[int, list[bytes]]]:
    """A port of loopback, and what was asked there."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                call, _ = listener.accept()
            except OSError:
                return
            heard.append(call.recv(300))
            call.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            call.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield listener.getsockname()[1], heard
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def picture_that_calls(port: int, image_format: str) -> bytes:
    """Its XMP names an address for its provenance."""
    xmp = (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="http://127.0.0.1:{port}/seen.c2pa"/></rdf:RDF>'
        '</x:xmpmeta><?xpacket end="w"?>'
    )
    out = io.BytesIO()
    Image.new("RGB", (256, 256), (90, 60, 30)).save(out, image_format, xmp=xmp.encode())
    return out.getvalue()


@pytest.mark.full
@pytest.mark.parametrize("image_format", some(["JPEG", "PNG", "WEBP", "TIFF"]))
def test_no_picture_makes_verify_call_an_address(tmp_path: Path, calls: tuple[int, list[bytes]], image_format: str) -> None:
    port, heard = calls
    path = tmp_path / f"a.{image_format.lower()}"
    path.write_bytes(picture_that_calls(port, image_format))
    assert verify(path).credentials is Credentials.ABSENT
    assert heard == []


SEAL_LIFTED = {"verify": {"remote_manifest_fetch": True, "ocsp_fetch": True}, "core": {"allowed_network_hosts": ["127.0.0.1"]}}


@pytest.mark.parametrize("settings", [None, SEAL_LIFTED, {"verify": {"remote_manifest_fetch": True}}])
def test_no_settings_lift_the_seal(calls: tuple[int, list[bytes]], settings: dict[str, object] | None) -> None:
    port, heard = calls
    data = io.BytesIO(picture_that_calls(port, "JPEG"))
    with pytest.raises(c2pa.C2paError, match="Remote"):
        c2pa.Reader.try_create("image/jpeg", data, context=context(settings))
    data.seek(0)
    builder = c2pa.Builder.from_json("{}", context(settings))
    builder.add_ingredient({"title": "picture"}, "image/jpeg", data)
    assert heard == []


def test_the_library_would_call_without_the_seal(calls: tuple[int, list[bytes]]) -> None:
    """So the tests above see what they are to see."""
    port, heard = calls
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader.try_create("image/jpeg", io.BytesIO(picture_that_calls(port, "JPEG")))
    assert len(heard) == 1


@pytest.mark.parametrize(("address", "goes_around"), [("127.0.0.1:1", True), ("localhost:1", True), ("192.0.2.1:1", False)])
def test_a_proxy_never_hears_what_is_meant_for_loopback(
    monkeypatch: pytest.MonkeyPatch, address: str, goes_around: bool
) -> None:
    seen: list[tuple[str, int]] = []

    def channel(_: str, options: list[tuple[str, int]]) -> Mock:
        seen.extend(options)
        return Mock()

    monkeypatch.setattr("grpc.aio.insecure_channel", channel)
    monkeypatch.setattr("vivant.v1.vivant_pb2_grpc.FaceServiceStub", lambda _: None)
    connect(address)
    assert (("grpc.enable_http_proxy", 0) in seen) is goes_around
