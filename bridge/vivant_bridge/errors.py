"""What can go wrong with a device, in two kinds.

A `vivant.UnavailableError` needs the user (an extra, a driver, a permission): it ends a start. A `DeviceLostError` may mend
itself (a cable, another program that lets go): the bridge says so and tries again.
"""

from __future__ import annotations

from vivant.errors import UnavailableError


class DeviceLostError(UnavailableError):
    """A device that is not there now."""
