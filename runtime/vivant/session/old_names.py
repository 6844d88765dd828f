"""What is left of the names of 0.1 in a session, to go in 0.3."""

from __future__ import annotations

import warnings

from vivant.session.stream import FaceStream
from vivant.types import Controls


class OldNames:
    """Beside those of `vivant.Session`."""

    stream: FaceStream

    @property
    def controls(self) -> Controls:
        """Those in effect."""
        return self.stream.controls

    @controls.setter
    def controls(self, controls: Controls) -> None:
        """Deprecated: `set_controls`."""
        warnings.warn("await session.set_controls(...) instead (docs/upgrading.md)", DeprecationWarning, stacklevel=2)
        self.stream.set_controls(controls)
