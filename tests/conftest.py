"""What the tests share: rigs, built once per run, and a cache folder of their own for every test."""

from __future__ import annotations

import gc
import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import tests.examples  # noqa: F401  registers what `pytest_configure` loads
from vivant.face import RigFace
from vivant.media import PortraitImage, load_image
from vivant.numeric import _numeric
from vivant.portrait import PortraitAnalyser, default_analyser
from vivant.render import _kernel
from vivant.rig import cache as rig_cache
from vivant.rig.build import build_rig
from vivant.rig.rig import Rig
from vivant.testing import VOICE_RATE_HZ as VOICE_RATE_HZ
from vivant.testing import bundled_voice as bundled_voice
from vivant.types import Float32Array

PORTRAITS = ("ada", "bram", "tomas", "noor", "ada_painting")

FaceOf = Callable[..., RigFace]
RigOf = Callable[[str, Callable[[], Rig]], Rig]

KINDS = {"unit", "session", "golden", "device"}
"""Markers; every module of tests declares exactly one of them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="all examples of every test, as CI tries them")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("full" if config.getoption("full") else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    require_kinds(items)
    if not config.getoption("full"):
        further = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=further)
        items[:] = [item for item in items if item not in set(further)]


def pytest_collection_finish() -> None:
    gc.freeze()  # thousands of tests are no garbage, and looking through them again and again takes a tenth of a quick run


def require_kinds(items: list[pytest.Item]) -> None:
    """Raises UsageError for modules whose tests are of no kind, or of several."""
    kindless = {item.nodeid.split("::")[0] for item in items if len(kinds_of(item)) != 1}
    if kindless:
        raise pytest.UsageError(f"pytestmark must be one of {', '.join(sorted(KINDS))} in {', '.join(sorted(kindless))}")


def kinds_of(item: pytest.Item) -> set[str]:
    return KINDS & {mark.name for mark in item.iter_markers()}


def portrait_path(name: str) -> Path:
    return Path(str(files("vivant") / "assets" / "portraits" / f"{name}.jpg"))


@pytest.fixture(scope="session")
def cache_dirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are not there yet; `TempPathFactory.mktemp` would look through all earlier ones each time."""
    base = tmp_path_factory.mktemp("caches")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def cache_dir(cache_dirs: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty for every test; nothing touches the user's own cache."""
    folder = next(cache_dirs)
    folder.mkdir()
    monkeypatch.setenv("VIVANT_CACHE_DIR", str(folder))
    monkeypatch.setenv("VIVANT_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "others"))  # where `cache clear` looks for what onnxruntime left
    for name in ("VIVANT_CONSENT", "VIVANT_POLICY", "VIVANT_LANGUAGE", "VIVANT_CERTIFICATE", "VIVANT_KEY"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="session")
def analyser() -> PortraitAnalyser:
    return default_analyser()


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def rigs_dir(request: pytest.FixtureRequest, run_dir: Path) -> Path:
    """Where built rigs are shared: by all quick runs of the same package, to the bit; with ``--full`` by those of one run."""
    cache = getattr(request.config, "cache", None)
    if cache is None or request.config.getoption("full"):
        return run_dir
    kept, now = cache.mkdir("rigs"), package_hash()
    for folder in kept.iterdir():
        if folder.name != now:
            shutil.rmtree(folder, ignore_errors=True)
    (kept / now).mkdir(exist_ok=True)
    return Path(kept / now)


def package_hash() -> str:
    """Of every file of the package, kernel and networks too, and of all versions that are installed."""
    digest = hashlib.sha256(repr(sorted((each.name, each.version) for each in distributions())).encode())
    for file in sorted(Path(rig_cache.__file__).parents[1].rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(file.name.encode() + file.read_bytes())
    for compiled in (_kernel, _numeric):  # lie elsewhere where the package is installed as editable
        digest.update(Path(str(compiled.__file__)).read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def rig_of(rigs_dir: Path) -> RigOf:
    """The rig of that name, which is built where no run before has left it."""

    def load(name: str, build: Callable[[], Rig]) -> Rig:
        file = rigs_dir / f"{name}.vivant"
        if not file.exists():
            build().save(file)
        return Rig.load(file)

    return load


@pytest.fixture(scope="session")
def face_of(analyser: PortraitAnalyser, rig_of: RigOf) -> FaceOf:
    """A bundled portrait by name; ``transparent`` cuts the person out."""

    @cache
    def opened(name: str, transparent: bool = False) -> RigFace:
        def build() -> Rig:
            return build_rig(load_image(portrait_path(name)), analyser, name=f"{name}.jpg", transparent=transparent)

        return RigFace(rig_of(f"{name}{'_cut_out' if transparent else ''}", build))

    return opened


@pytest.fixture(scope="session")
def ada(face_of: FaceOf) -> RigFace:
    return face_of("ada")


@pytest.fixture(scope="session")
def cut_out(face_of: FaceOf) -> RigFace:
    """`ada` without her background."""
    return face_of("ada", transparent=True)


@pytest.fixture(scope="session")
def small_ada(ada: RigFace) -> Rig:
    """`ada` with small textures, for speed."""
    return ada.rig.halved().halved()


@pytest.fixture
def builds(small_ada: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the rigs that the cache builds; that is quick here, and gives `ada`, small, under the hash of the image."""
    built = list[str]()

    def build(image: PortraitImage, analyser: object, *, name: str, transparent: bool, **_: Any) -> Rig:  # noqa: ANN401
        built.append(name)
        return replace(small_ada, portrait_sha256=image.sha256, portrait_name=name, transparent=transparent)

    monkeypatch.setattr(rig_cache, "build_rig", build)
    return built


@pytest.fixture(scope="session")
def voice() -> Float32Array:
    """Three seconds of the bundled voice."""
    return bundled_voice()[: 3 * VOICE_RATE_HZ]
