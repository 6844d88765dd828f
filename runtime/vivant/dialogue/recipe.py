"""How all lines of a batch are made: words and numbers only, so that another process or machine can make one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from vivant import registry
from vivant.address import Address
from vivant.errors import InputError
from vivant.face import as_fps
from vivant.finish.synthetic import FinishKind, wanted
from vivant.media.formats import format_of
from vivant.motion.model import SpeechMotion
from vivant.motion_files import is_motion
from vivant.named import DEFAULT_ANALYSER
from vivant.portrait import Provider
from vivant.provenance.consent import Consent
from vivant.provenance.production import sha256_of
from vivant.session.background import BLUR, TRANSPARENT
from vivant.size import Size

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".gif")
"""What a line's result may be besides motion; a folder of pictures is none, for a table makes files."""
USUAL_MOTION_FPS = "30"
"""Beside videos, whose usual rate it is."""


@cache
def motion_model(name: str) -> SpeechMotion:
    """Loaded once in a process. Raises InputError and UnavailableError."""
    model: SpeechMotion = registry.motion_model(name)
    return model


@dataclass(frozen=True, slots=True)
class Look:
    """What pictures look like, as `vivant render` is told."""

    size: Size | None = None
    """None is the usual one of the kind of file."""
    background: str = "original"
    face_number: int = 1
    consent: Consent | None = None
    """Who portraits show, where it was said; otherwise the kept answers count."""
    label_off_reason: str | None = None
    label_language: str | None = None
    generator: str = "rig"
    finish: FinishKind | None = None
    """None is that of the settings."""
    analyser: str = DEFAULT_ANALYSER
    provider: Provider = Provider.AUTO

    @property
    def blurred(self) -> bool:
        return self.background == BLUR

    @property
    def cut_out(self) -> bool:
        """The person is: there is another background, or none."""
        return self.background not in ("original", BLUR)

    def size_of(self, out: Path) -> Size:
        return self.size or Size.of(format_of(out).usual_side_px)

    def decides(self) -> dict[str, Any]:
        """What of it changes pictures: not who was asked, nor what the networks run on; of a background its content."""
        behind = Path(self.background)
        words = sha256_of(behind, "background") if behind.is_file() else self.background
        return asdict(replace(self, background=words, consent=None, finish=wanted(self.finish), provider=Provider.AUTO))


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the lines of a batch have in common."""

    fps: str | None = None
    """None is the usual one of the kind of file."""
    motion: str = "voice"
    track: int | None = None
    text_language: str = ""
    """Of the lines' texts; guessed if empty."""
    look: Look = field(default_factory=Look)
    server: Address | None = None
    """Who draws, and where; None is this process."""

    def require_served(self) -> None:
        """Raises InputError for what a server decides by itself."""
        if self.server is None:
            return
        own, usual = self.look, Look()
        if own.face_number != 1:
            raise InputError("--face chooses among a picture's faces only without --runtime; crop the picture to the face")
        drawn = (own.generator, own.finish, own.analyser) != (usual.generator, usual.finish, usual.analyser)
        if drawn or self.motion != Recipe().motion:
            raise InputError(
                "--generator, --finish, --motion and --analyser are for faces that are drawn here; give them to `vivant serve`"
            )
        if own.background not in (usual.background, TRANSPARENT):
            raise InputError("with --runtime, --background is original or transparent; a server knows no other")

    def fps_of(self, out: PurePath) -> Fraction:
        """Raises InputError for a rate at which no face is moved."""
        return as_fps(self.fps or (USUAL_MOTION_FPS if is_motion(out) else format_of(Path(out)).usual_fps))

    def decides(self, out: PurePath) -> dict[str, Any]:
        """What of it changes a result of that name."""
        own = asdict(replace(self, server=None, fps=str(self.fps_of(out)), motion=motion_model(self.motion).name))
        return own | {"look": None if is_motion(out) else self.look.decides()}
