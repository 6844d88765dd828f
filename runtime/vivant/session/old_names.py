"""What is left of the names of 0.1 in a session, to go in 0.3."""

from __future__ import annotations

import warnings

from vivant.session.pace import Pace
from vivant.session.stream import FaceStream
from vivant.types import Controls


class OldNames:
    """Beside those of `vivant.Session`."""

    stream: FaceStream
    pace: Pace

    def due_us(self, pts_us: int) -> int:
        """Deprecated: of `pace`."""
        warnings.warn("session.pace.due_us(...) instead (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
        return self.pace.due_us(pts_us)

    @property
    def controls(self) -> Controls:
        """Those in effect."""
        return self.stream.controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        """Deprecated: `set_controls`."""
        warnings.warn("await session.set_controls(...) instead (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
        self.stream.set_controls(controls)
