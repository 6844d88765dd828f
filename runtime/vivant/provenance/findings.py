"""What can be said of a file's origin, and in which words: never more than is known."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from vivant.provenance.watermark_detector import Mark


class Credentials(StrEnum):
    """The state of the content credentials."""

    VALID = "valid"
    BROKEN = "broken"
    ABSENT = "absent"


class Verdict(StrEnum):
    """All that can be said, in a word."""

    KNOWN_SIGNER = "signed by a key that is known here"
    UNKNOWN_SIGNER = "signed by nobody known here"
    MARKED = "marked by Vivant, without credentials"
    DENIED = "marked by Vivant, yet its credentials do not say that it is synthetic"
    NOTHING = "neither credentials nor a mark"
    BROKEN = "credentials are broken"
    CONTRADICTION = "credentials and mark contradict each other"


EXIT_CODES = {
    Verdict.KNOWN_SIGNER: 0,
    Verdict.NOTHING: 3,
    Verdict.BROKEN: 4,
    Verdict.CONTRADICTION: 4,
    Verdict.UNKNOWN_SIGNER: 5,
    Verdict.MARKED: 6,
    Verdict.DENIED: 7,
}
"""1 is left for a file that cannot be read, 2 for a command line that cannot."""
SYNTHETIC = {
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "algorithmicMedia",
    "virtualRecording",
}
"""IPTC's digital source types by which a file says that not all of it was recorded."""
_CHANGED = "the file was changed after signing, or the manifest was not made for it"
_TWO_SESSIONS = "the manifest and the watermark name different sessions, so one of them does not belong to this picture"
_COPIED = "a mark can be copied onto any picture; only a key that you know says who made this one (--trust)"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found; absence of a mark does not say that a file is genuine."""

    file: str
    credentials: Credentials
    signer: str | None
    """As the certificate names itself, which anybody may; ``trusted`` says whether its key is known."""
    trusted: bool
    """Signed by this machine, or by a key on the user's list."""
    generator: str | None
    source_types: tuple[str, ...]
    """What the manifest, or else those it builds on, calls the file: IPTC's last words, such as ``digitalCapture``."""
    driven_by: str | None
    """What the manifest says moved the face beside a voice: ``video`` or ``motion file``."""
    spoken_by: str | None
    """The synthetic voice that the manifest names."""
    said_session_id: str | None
    """What the manifest says, 8 hexadecimal digits."""
    reason: str | None
    """Why credentials are broken."""
    mark: Mark | None
    frames_examined: int

    @property
    def agree(self) -> bool | None:
        """Whether manifest and mark name the same session; None when one of them says nothing. Both can be copied."""
        if self.mark is None or self.said_session_id is None or self.credentials is not Credentials.VALID:
            return None
        return self.said_session_id == f"{self.mark.session_id:08x}"

    @property
    def verdict(self) -> Verdict:
        """What matters most, the worst first."""
        if self.credentials is Credentials.BROKEN:
            return Verdict.BROKEN
        if self.credentials is Credentials.ABSENT:
            return Verdict.NOTHING if self.mark is None else Verdict.MARKED
        if self.agree is False:
            return Verdict.CONTRADICTION
        if self.mark is not None and SYNTHETIC.isdisjoint(self.source_types):
            return Verdict.DENIED
        return Verdict.KNOWN_SIGNER if self.trusted else Verdict.UNKNOWN_SIGNER

    @property
    def exit_code(self) -> int:
        """As in ``EXIT_CODES``."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> str:
        """One object, for scripts."""
        mark = None if self.mark is None else asdict(self.mark) | {"session_id": f"{self.mark.session_id:08x}"}
        return json.dumps(
            {
                "file": self.file,
                "verdict": self.verdict.name.lower(),
                "credentials": self.credentials.value,
                "signer": self.signer,
                "signer_trusted": self.trusted,
                "generator": self.generator,
                "source_types": self.source_types,
                "driven_by": self.driven_by,
                "spoken_by": self.spoken_by,
                "manifest_session_id": self.said_session_id,
                "broken_because": self.reason,
                "watermark": mark,
                "manifest_and_watermark_agree": self.agree,
                "frames_examined": self.frames_examined,
            },
            indent=2,
        )

    def as_text(self) -> str:
        """A few sentences."""
        said = (f"credentials: {self._credentials()}", f"watermark: {self._mark()}", *self._warning())
        return "\n  ".join((f"{self.file}: {self.verdict.value}", *said))

    def _credentials(self) -> str:
        if self.credentials is Credentials.ABSENT:
            return "none; they may have been removed, or never made"
        if self.credentials is Credentials.BROKEN:
            out_of_time = (self.reason or "").startswith("signingCredential")
            why = "the certificate cannot be relied on" if out_of_time else _CHANGED
            return f"broken: {why} ({self.reason})"
        maker, signer = self.generator or "an unnamed tool", self.signer or "an unnamed signer"
        ways = [f"driven by {self.driven_by}"] * bool(self.driven_by) + [f"spoken by {self.spoken_by}"] * bool(self.spoken_by)
        maker += f" ({', '.join(ways)})" if ways else ""
        if self.trusted:
            return f"valid; made by {maker}, signed by {signer}, whose key is yours or on your list"
        return f"valid; says that it was made by {maker}, signed by {signer} (self-declared: nobody vouches for this name)"

    def _mark(self) -> str:
        if self.frames_examined == 0:
            return "none; a sound bears none"
        if self.mark is None:
            return f"none found in {self.frames_examined} frames; that does not prove that the picture is genuine"
        found = f"Vivant, session {self.mark.session_id:08x}{', mirrored' if self.mark.mirrored else ''}"
        return f"{found} (its check is in order; {self.mark.sync:.0f} standard deviations above chance)"

    def _warning(self) -> tuple[str, ...]:
        match self.verdict:
            case Verdict.CONTRADICTION:
                return (f"warning: {_TWO_SESSIONS}",)
            case Verdict.DENIED:
                claim = f"call it {', '.join(self.source_types)}" if self.source_types else "do not say what it is"
                return (f"warning: the credentials {claim}, but it carries the mark of a synthetic face; one of the two lies",)
            case Verdict.UNKNOWN_SIGNER if self.mark is not None:
                return (f"note: {_COPIED}",)
            case Verdict.MARKED:
                return (f"note: {_COPIED}",)
        return ()
