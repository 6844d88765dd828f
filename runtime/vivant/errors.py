"""Everything Vivant raises on purpose.

VivantError
+-- InputError          a value, image, audio or option that cannot be used; says what it got and what it wanted
|   +-- PortraitError   an image without a face that the rig can animate
+-- OutputError         a result that could not be written; nothing is left under the final name
+-- UnavailableError    something optional is missing: an extra, a provider, a device; says how to get it
|   +-- ServerAwayError   a server that is not there, or full, for now; the same call may do later
|   +-- DeviceLostError (vivant_bridge)   a device that is not there now; the bridge tries again by itself
+-- ClosedError         a session was used after it was closed
+-- StatusError (vivant.server)   a call that cannot be served: a gRPC status, and when to come again
"""


class VivantError(Exception):
    """Base of all; ``str()`` is one sentence fit for a user."""


class InputError(VivantError, ValueError):
    """Unusable input."""


class PortraitError(InputError):
    """An image in which no animatable face was found."""


class OutputError(VivantError):
    """A result could not be written."""


class UnavailableError(VivantError):
    """An optional part is missing."""


class ServerAwayError(UnavailableError):
    """A server is not there, or full, for now."""


class ClosedError(VivantError):
    """Use after close."""
