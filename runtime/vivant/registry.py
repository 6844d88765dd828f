"""Registry: faces, motion models, voices, analysers, drivers, sinks, sources and motion receivers by name.

Any package adds its own by an entry point:

[project.entry-points."vivant.motions"]
mine = "my_package:MyMotion"
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from vivant.errors import InputError, UnavailableError

FACES = "vivant.faces"
"""``opener(picture: Path | bytes, *, face: int, transparent: bool, analyser, progress) -> Face``, as `vivant.open_portrait`."""
MOTIONS = "vivant.motions"
"""``make() -> SpeechMotion``; one that takes an argument may be named ``name:argument`` (`motion_model`)."""
VOICES = "vivant.voices"
"""``make(argument: str) -> vivant.voices.Voice``: what stands behind the colon of ``--voice``."""
ANALYSERS = "vivant.analysers"
"""``make(provider: Provider) -> PortraitAnalyser``."""
DRIVERS = "vivant.drivers"
"""``make(argument: str) -> vivant.drive.driver.Driver``: what stands behind the colon of ``--drive``."""
SINKS = "vivant.sinks"
"""``make(request: vivant_bridge.device_registry.SinkRequest) -> FrameSink``, for ``vivant cam --camera name:argument``."""
SOURCES = "vivant.sources"
"""``make(request: vivant_bridge.device_registry.SourceRequest) -> AudioSource``, likewise for ``--mic``."""
RECEIVERS = "vivant.receivers"
"""``make(argument: str) -> vivant_bridge.receiver.MotionReceiver``: what stands behind the colon of ``--send``."""
NOUNS = {
    FACES: "kind of face",
    MOTIONS: "motion model",
    VOICES: "voice",
    ANALYSERS: "analyser",
    DRIVERS: "driver",
    SINKS: "camera",
    SOURCES: "microphone",
    RECEIVERS: "receiver",
}


def names(group: str) -> list[str]:
    """What there is, our own and that of other packages."""
    return sorted({entry.name for entry in entry_points(group=group)})


def find(group: str, name: str) -> Any:  # noqa: ANN401
    """What is registered under a name. Raises InputError for an unknown one and UnavailableError for one that does not load."""
    entry = _entry(group, name)
    if entry is None:
        raise InputError(f"there is no {NOUNS[group]} named {name!r}; known are {', '.join(names(group)) or 'none'}")
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise UnavailableError(f"the {NOUNS[group]} {name!r} cannot be loaded: {error}") from error


def motion_model(named: str) -> Any:  # noqa: ANN401
    """A motion model by ``name`` or ``name:argument``. Raises InputError and UnavailableError."""
    name, _, argument = named.partition(":")
    make = find(MOTIONS, name)
    return make(argument) if argument else make()


def has(group: str, name: str) -> bool:
    return _entry(group, name) is not None


def _entry(group: str, name: str) -> EntryPoint | None:
    return next((entry for entry in entry_points(group=group) if entry.name == name), None)
