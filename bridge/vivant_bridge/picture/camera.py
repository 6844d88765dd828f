"""The virtual camera of the system, through the extra ``camera`` (pyvirtualcam)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from vivant.errors import UnavailableError
from vivant.extras import install
from vivant.types import PixelFormat, UInt8Array
from vivant_bridge.errors import DeviceLostError

RELOAD = "sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback exclusive_caps=1 card_label=Vivant"
CHECK_EVERY = 30
"""Frames between two looks at whether the driver still has our format."""
SYSFS = Path("/sys/class/video4linux")


def pyvirtualcam() -> ModuleType:
    """The library. Raises UnavailableError with what to install."""
    try:
        import pyvirtualcam as library
    except ImportError as error:
        raise UnavailableError(f"a camera needs the extra 'camera': {install('camera')} (GPL); or use --camera null") from error
    return cast(ModuleType, library)


class VirtualCamera:
    """`FrameSink` over OBS Virtual Camera, Unity Capture or v4l2loopback."""

    pixel_format = PixelFormat.I420

    def __init__(
        self,
        device: str | None = None,
        backend: str | None = None,
        *,
        library: Callable[[], Any] = pyvirtualcam,
        sysfs: Path = SYSFS,
    ) -> None:
        self.name = device or backend or "virtual camera"
        self._device, self._backend = device, backend
        self._library, self._sysfs = library, sysfs
        self._camera: Any = None
        self._sent = 0
        self._size = ""
        """As the driver writes it in its format, ``YU12:1280x720@30``."""

    def open(self, width: int, height: int, fps: Fraction) -> None:
        library = self._library()
        if self._backend is not None and self._backend not in library.camera.BACKENDS:
            known = ", ".join(library.camera.BACKENDS) or "none"
            raise UnavailableError(f"this system has no camera backend {self._backend!r}; it has: {known}")
        try:
            self._camera = library.Camera(
                width, height, float(fps), fmt=library.PixelFormat.I420, device=self._device, backend=self._backend
            )
        except RuntimeError as error:
            raise explained(str(error)) from error
        self.name, self._sent, self._size = str(self._camera.device), 0, f":{width}x{height}@"

    def send(self, frame: UInt8Array, due_us: int) -> None:
        try:
            self._camera.send(frame)
        except RuntimeError as error:
            raise DeviceLostError(f"{self.name} took no frame: {error}") from error
        self._sent += 1
        if self._sent % CHECK_EVERY == 0:
            self._require_own_format()

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _require_own_format(self) -> None:
        """The driver tells a writer only on standard error that another program has changed the picture's size."""
        node = self._sysfs / Path(self.name).name
        if not self.name.startswith("/dev/"):
            return
        if not node.exists():
            raise DeviceLostError(f"{self.name} is gone; load its driver again: {RELOAD}")
        try:
            current = (node / "format").read_text().strip()
        except OSError:
            return
        if current and self._size not in current:
            raise DeviceLostError(f"another program writes to {self.name} too ({current}); close it, or use another --device")


def explained(sentence: str) -> UnavailableError:
    """The library's error as one sentence with a way out."""
    words = " ".join(sentence.split())
    low = words.lower()
    is_there = any(SYSFS.glob("video*/max_openers"))  # an attribute of v4l2loopback alone
    if "not a video output device" in low or ("no v4l2 loopback device" in low and is_there):
        return DeviceLostError(
            "the camera driver refuses a second writer: either another program feeds it now, or an old v4l2loopback (0.12.7)"
            f" was used before and must be loaded anew: {RELOAD}"
        )
    if "missing permissions" in low:
        return UnavailableError("no permission to write to the camera: sudo usermod -a -G video $USER, then log in again")
    if "no v4l2 loopback device" in low or "could not be opened" in low:
        return UnavailableError(f"there is no virtual camera; load its driver ({RELOAD}), or run `vivant doctor`")
    if "not installed" in low or sys.platform in ("win32", "darwin"):
        return UnavailableError(f"OBS Virtual Camera is not ready ({words}); run `vivant doctor` for the steps")
    return UnavailableError(f"no camera could be opened: {words}; run `vivant doctor`")
