"""Portraits on their way to a runtime: who they show is asked, and what the machine's policy forbids is refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vivant import InputError
from vivant.address import Address as Address
from vivant.bundled import is_bundled
from vivant.commands.options import DEFAULT_ANALYSER, begin_production, open_with_progress, portrait_file, say
from vivant.drive.driver import Driver
from vivant.finish.synthetic import FinishKind
from vivant.media.inputs import require_file
from vivant.motion.driven import Lips, driving
from vivant.portrait import Provider
from vivant.provenance.consent import bundled_consent, require_consent, stated_consent
from vivant.provenance.policy import Policy
from vivant.registry import motion_model
from vivant_bridge.picture.compositor import ORIGINAL, Backdrop
from vivant_bridge.runtime.local import LocalRuntime
from vivant_bridge.runtime.remote import RemoteRuntime
from vivant_bridge.runtime.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Drawing:
    """How pictures are drawn in this process; names as in `vivant.registry`."""

    face_number: int = 1
    """Of each picture's faces, by size."""
    generator: str = "rig"
    finish: FinishKind | None = None
    """None is that of the settings."""
    motion: str = "voice"
    analyser: str = DEFAULT_ANALYSER
    provider: Provider = Provider.AUTO
    backdrop: Backdrop = ORIGINAL
    mirror: bool = False
    driver: Driver | None = None
    lips: Lips = Lips.BOTH
    """With a driver."""

    def require_usual(self) -> None:
        """Raises InputError for what a server decides by itself."""
        if self.face_number != 1:
            raise InputError("--face chooses among the faces of a picture only without --runtime; crop the picture to the face")
        usual = Drawing()
        for option in ("generator", "finish", "motion", "analyser"):
            if getattr(self, option) != getattr(usual, option):
                raise InputError(f"--{option} is for faces that are drawn here; with --runtime give it to `vivant serve`")
        if self.driver is not None:
            raise InputError("--drive moves faces that are drawn here; leave --runtime away, or run `vivant cam` there")
        if self.backdrop.background is not None or self.backdrop.blurred:
            raise InputError("--background is for faces that are drawn here; with --runtime it is original or transparent")
        if self.mirror:
            raise InputError(
                "--mirror would turn the server's label too; turn the portrait itself, or mirror in the program that shows it"
            )


def open_runtime(
    address: Address | None,
    portraits: list[Path],
    drawing: Drawing,
    seed: int | None,
    consent: str | None,
    no_label: str | None,
    *,
    motion: bool = False,
) -> Runtime:
    """On a server, or without one in this process; ``motion`` asks a server for it."""
    if address is None:
        return open_local_runtime(portraits, drawing, seed, consent, no_label)
    return open_remote_runtime(address, portraits, drawing, consent, no_label, motion=motion)


def open_local_runtime(
    portraits: list[Path], drawing: Drawing, seed: int | None, consent: str | None, no_label: str | None
) -> LocalRuntime:
    """In this process."""
    motion = driving(drawing.driver, drawing.lips)(motion_model(drawing.motion))
    opened, answers = [], []
    for portrait in portraits:
        face = open_with_progress(
            portrait,
            drawing.provider,
            number=drawing.face_number,
            transparent=drawing.backdrop.cut_out,
            generator=drawing.generator,
            finish=drawing.finish,
            analyser=drawing.analyser,
            blurred=drawing.backdrop.blurred,
        )
        work = begin_production(face, portrait, None, seed, consent, no_label, motion=motion)
        opened.append(face)
        answers.append(work.claim.consent)
    return LocalRuntime(
        opened,
        consents=answers,
        label_off_reason=no_label,
        mirror=drawing.mirror,
        motion=motion,
        background=drawing.backdrop.background,
    )


def open_remote_runtime(
    address: Address,
    portraits: list[Path],
    drawing: Drawing,
    consent: str | None,
    no_label: str | None,
    *,
    motion: bool = False,
) -> RemoteRuntime:
    """On a server: pictures are sent when they are first shown; ``motion`` asks for it with them."""
    drawing.require_usual()
    policy = Policy.load()
    if no_label is not None:
        policy.allow_label_off(no_label)
    return RemoteRuntime(
        address.host_and_port,
        [str(portrait) if is_bundled(portrait) else portrait for portrait in portraits],
        consents=[_consent(portrait, consent, policy) for portrait in portraits],
        label_off_reason=no_label,
        token=address.token(),
        ca=address.certificate(),
        transparent=drawing.backdrop.cut_out,
        motion=motion,
        report=say,
    )


def _consent(portrait: Path, stated: str | None, policy: Policy) -> str:
    with portrait_file(portrait) as file:
        sha256 = hashlib.sha256(_read(file, "image")).hexdigest()
    policy.allow_portrait(sha256, portrait.name)
    return (bundled_consent(sha256) or require_consent(sha256, portrait.name, stated_consent(stated))).value


def _read(path: Path, noun: str) -> bytes:
    require_file(path, noun)
    return path.read_bytes()
