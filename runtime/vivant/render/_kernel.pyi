"""The C++ kernel. `Scene` is immutable and shared; a `Renderer` holds one session's scratch memory.

Safe with any input: wrong types and shapes raise TypeError, wrong values ValueError, a `Renderer` or `Watermark` that two
threads use at once RuntimeError in the second.

Coordinates of a scene: px of the rig's square, x right, y down, z towards the viewer. Textures are premultiplied RGBA.
See renderer.hpp for what each array means; `vivant.rig.rig.Rig` builds them and is the only caller.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SORTED: int
"""Flag of a layer: one surface that may cover itself, drawn far to near."""
STATIC: int
"""Flag of a layer that never moves: drawn once, under everything else."""
OPEN_EDGE: int
"""Instead of a triangle's neighbour: nothing there, so the edge is anti-aliased."""
HIDDEN_EDGE: int
"""Nothing there, but the texture is transparent: the edge is left alone."""
TONGUE_UP: int
MOUTH_CLOSED: int
TURNED_LEFT: int
TURNED_RIGHT: int
"""The drives that follow the 52 ARKit weights."""
MARK_CELLS: int
"""Of a watermark's pattern, on each side."""
EYE_LOOK_FULL_DEG: float
"""An eye whose weight is 1 is turned so far."""

class Scene:
    @staticmethod
    def make(
        *,
        rest: NDArray[np.float32],  # (n, 3)
        uv: NDArray[np.float32],  # (n, 2) texels
        colour: NDArray[np.float32],  # (n, 4) factor on the texel; 1 keeps it
        head: NDArray[np.float32],  # (n, 1) 1 follows the head
        body: NDArray[np.float32],  # (n, 1) 1 follows the shoulders
        round: NDArray[np.float32],  # (n, 1) 1 is on the outline of a round head, which stays while it turns
        move_blocks: NDArray[np.int32],  # (b, 4) drive, first vertex, count, first row of moves
        moves: NDArray[np.float32],  # (m, 3)
        tint_blocks: NDArray[np.int32],  # (c, 4) the same for colours
        tints: NDArray[np.float32],  # (k, 4)
        links: NDArray[np.int32],  # (l, 2) follower, leader: takes over its displacement
        triangles: NDArray[np.int32],  # (t, 6) corners, neighbours across corner i -> i + 1 (-1 open, -2 hidden)
        layers: NDArray[np.int32],  # (l, 4) first triangle, count, texture, flags (1 sorted, 2 static)
        textures: Sequence[NDArray[np.uint8]],  # each (h, w, 4)
        contacts: NDArray[np.int32],  # (c, 2) upper vertex, lower vertex
        follower_ends: NDArray[np.int32],  # (f, 2) vertex, contact
        follower_weights: NDArray[np.float32],  # (f, 1)
        eye_ranges: NDArray[np.int32],  # (2, 2) first vertex, count; the person's left eye first
        eye_centres: NDArray[np.float32],  # (2, 3)
        camera: NDArray[np.float32],  # (4,) centre x, centre y, distance, side
        head_frame: NDArray[np.float32],  # (6,) pivot x, y, z, unit, yaw gain, pitch gain
        limits: NDArray[np.float32],  # (6, 2) yaw, pitch, roll, x, y, scale
        transparent: bool,
    ) -> Scene: ...

class Renderer:
    def __init__(
        self,
        scene: Scene,
        width: int,
        height: int,
        mouth_closed: bool,
        view: NDArray[np.float32] | None = None,  # (4,) left, top, width, height of what the frame shows; the whole square
        behind: NDArray[np.uint8] | None = None,  # (height, width, 4) premultiplied, under every layer
    ) -> None: ...
    def render(
        self,
        weights: NDArray[np.float32],  # (52,)
        tongue: NDArray[np.float32],  # (2,)
        pose: NDArray[np.float32],  # (6,)
        gaze: NDArray[np.float32],  # (2,)
        body: NDArray[np.float32],  # (6,) as pose
        out: NDArray[np.uint8],  # (height, width, 4), written whole, straight alpha
    ) -> None:
        """Draw one frame; numbers out of range are clamped. Releases the GIL; one thread at a time."""
    def places(
        self,
        out: NDArray[np.float32],  # (n, 2) px
    ) -> None:
        """Where the first n vertices lie in the last frame. Raises ValueError where the scene has fewer."""

def lift_patch(
    frame: NDArray[np.uint8],  # (height, width, 4)
    place: NDArray[np.float32],  # (4,) a, b, left, top: patch point (x, y) is at (a x - b y + left, b x + a y + top)
    colours: NDArray[np.float32],  # (3, patch height, patch width), written whole, 0 to 1
) -> None:
    """Cut an upright patch out of a frame. Releases the GIL."""

def patch_mask(
    outline: NDArray[np.float32],  # (n, 2) px of the patch
    reach_px: float,
    mask: NDArray[np.float32],  # (patch height, patch width), written whole
) -> None:
    """1 within the outline, 0 from ``reach_px`` around it on and at the patch's border. Releases the GIL."""

def lay_patch(
    frame: NDArray[np.uint8],  # (height, width, 4), changed in place, but for its alpha
    place: NDArray[np.float32],  # as of `lift_patch`
    painted: NDArray[np.float32],  # (4, patch height, patch width) colour and opacity, 0 to 1
) -> None:
    """Lay a patch into a frame as far as its opacity says; what has none stays to the bit. Releases the GIL."""

def rgb_from_rgba(
    pixels: NDArray[np.uint8],  # (height, width, 4)
    out: NDArray[np.uint8],  # (height * width * 3,)
) -> None:
    """Leave alpha out. Releases the GIL."""

def i420_from_rgba(
    pixels: NDArray[np.uint8],  # (height, width, 4), even sides
    out: NDArray[np.uint8],  # (height * width * 3 / 2,): Y, then U, then V at half size
) -> None:
    """BT.601, limited range; alpha is left out. Releases the GIL."""

def filter_at(
    samples: NDArray[np.float32],  # (n,)
    first: NDArray[np.int64],  # (k,) of the samples under each output
    phase: NDArray[np.int64],  # (k,) rows of filters
    filters: NDArray[np.float32],  # (phases, taps)
    out: NDArray[np.float32],  # (k,)
) -> None:
    """Sound between its samples: ``out[i] = samples[first[i] : first[i] + taps] @ filters[phase[i]]``. Releases the GIL.

    Raises ValueError at the first output that lies outside of the samples; what comes before it has been written.
    """

class Watermark:
    """Adds one pattern to frames of one size; see watermark.hpp."""

    def __init__(
        self,
        pattern: NDArray[np.float32],  # (128, 128), mean square 1, none beyond +-8
        width: int,
        height: int,
        channels: int,  # 3 or 4
    ) -> None: ...
    def apply(self, pixels: NDArray[np.uint8]) -> None:  # (height, width, channels), changed in place
        """Mark one frame. Releases the GIL; one thread at a time."""

class Encoder:
    """The network of the speech encoder; immutable, shared by all streams and threads. See encoder.hpp.

    Layers are stacks: (layers, inputs, outputs) weights, of which each output has a scale and a bias, (layers, outputs). The
    gains of layer normalisation are in the weights after it. Raises ValueError when layers do not fit each other.
    """

    def __init__(
        self,
        *,
        enter: NDArray[np.int16],  # (1, inputs, width)
        enter_scale: NDArray[np.float32],
        enter_bias: NDArray[np.float32],
        dilations: NDArray[np.int32],  # (b,)
        taps: NDArray[np.float32],  # (b, 9, width), oldest first
        widen: NDArray[np.int16],  # (b, width, wide)
        widen_scale: NDArray[np.float32],
        widen_bias: NDArray[np.float32],
        narrow: NDArray[np.int16],  # (b, wide, width)
        narrow_scale: NDArray[np.float32],
        narrow_bias: NDArray[np.float32],
        leave: NDArray[np.int16],  # (1, width, guesses * n_phones)
        leave_scale: NDArray[np.float32],
        leave_bias: NDArray[np.float32],
        n_phones: int,
    ) -> None: ...
    @property
    def memory_shape(self) -> tuple[int, int]:
        """Of one stream: (ticks, width), zero at its start."""
    def hear(
        self,
        levels: NDArray[np.float32],  # (n, inputs)
        memory: NDArray[np.float32],  # memory_shape, changed in place
        probabilities: NDArray[np.float32],  # (n, guesses * n_phones), written whole
    ) -> None:
        """The next ticks of a stream; each comes out the same to the bit however many come at once. Releases the GIL."""
