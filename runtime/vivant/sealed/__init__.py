"""The network promise, in one place: nothing leaves this machine unless its user names an address.

Libraries that would open a connection of their own accord are imported here and nowhere else (a test sees to that):
onnxruntime (``sealed.onnx``), whose builds report to their maker, and c2pa (``sealed.content``), which calls addresses that
stand in other people's files. FFmpeg may open files only, by its protocol whitelists in ``media`` and ``honest.verify``.
"""

from __future__ import annotations

import os
import sys
import warnings

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Read once by onnxruntime 1.29 and newer, when it is imported; older ones report on Windows only, to Windows itself."""
TOO_LATE = (
    "onnxruntime was imported before vivant, so its maker's telemetry is already on in this process; import vivant first,"
    f" or set {SWITCH}=1"
)


def keep_to_this_machine() -> None:
    """Switch onnxruntime's telemetry off for this process and its children, whatever the environment said.

    Warns when that comes too late, because somebody imported onnxruntime before.
    """
    if "onnxruntime" in sys.modules and os.environ.get(SWITCH) != "1":
        warnings.warn(TOO_LATE, RuntimeWarning, stacklevel=3)
    os.environ[SWITCH] = "1"
