"""What one picture shows: every choice as plain numbers, drawn from one seed before anything is rendered."""

from __future__ import annotations

from dataclasses import dataclass

from training.synthetic_faces.assets import Floats

Colour = tuple[float, float, float]
"""Linear RGB."""


@dataclass(frozen=True)
class Face:
    """The head's shape."""

    identity: Floats
    weights: Floats
    """(52,) ARKit, gaze included."""
    gaze: Floats
    """(2, 2) degrees, left and right eye: yaw to the person's left, pitch up, relative to the head."""
    stretch: Floats
    tongue_back: float
    """0..1 how far the tongue is drawn back and down."""


@dataclass(frozen=True)
class Skin:
    """Colours of the skin and what is on it."""

    name: str
    tone: Colour
    texture: tuple[float, float, float, float]
    """Contrast, blotches, freckles, bumps."""
    sheen: tuple[float, float, float, float]
    """Strength, power, lips' strength, scatter."""
    lip_hue: Colour
    lip_tint: Colour
    blush_tint: Colour
    shade_tint: Colour
    paint: tuple[float, float, float, float]
    """Lipstick, blush, eye shadow, liner."""
    grow: tuple[float, float, float, float]
    """Stubble on the jaw, on the chin, on the scalp; painted brows left."""
    beard: tuple[float, float, int]
    """Length in cm, density, region (1 full, 2 goatee); length 0: none."""
    teeth: Colour
    beard_scale: float = 3.0
    """Fineness of the beard's hairs."""
    glare: float = 1e6
    """Highlights baked into the skin's picture are cut at so many times its mean."""


@dataclass(frozen=True)
class Eyes:
    """Iris and lashes."""

    texture: str
    tint: Colour
    iris: tuple[float, float, float]
    """Scale, pupil exponent, redness."""
    lash: str
    lash_weight: float
    """0: none."""


@dataclass(frozen=True)
class Hair:
    """Scalp hair and brows."""

    card: str
    """Mesh name, or empty."""
    fur: tuple[float, float, float]
    """Length in cm, density, scale of hair grown on the scalp; length 0: none."""
    tint: Colour
    shine: tuple[float, float]
    grow: Floats
    """(3,) scale of the mesh about the head's middle."""
    mirrored: bool
    trim: tuple[float, float]
    """The fringe ends at this height (cm, eyes at 3.6) before the face, with this raggedness; -99: not cut."""
    fuzz: float
    """How far loose hair stands off the mesh, cm (times 0.7)."""
    brow: str
    brow_tint: Colour
    brow_weight: float
    """0: none."""
    strands: int
    """Loose strands over the face."""


@dataclass(frozen=True)
class Wear:
    """Clothes and things."""

    clothes: str
    clothes_tint: Colour
    pattern: tuple[float, float, float, float]
    """Kind (0: the texture that came with the clothes, 1..4 stripes and checks, 5 plain), waves per cm, share, shade."""
    hat: str
    hat_tint: Colour
    glasses: tuple[float, float, float, float, float] | None
    """Width, height, roundness, thickness, opacity of the lenses."""
    glasses_tint: Colour
    object: str
    """hand, microphone, card or empty."""
    object_at: tuple[float, float, float]
    """x, y in cm in the view frame, and its turn in degrees."""


@dataclass(frozen=True)
class Light:
    """A lamp far away: direction towards it in the view frame and its colour."""

    way: Floats
    colour: Colour


@dataclass(frozen=True)
class Lights:
    """All lamps."""

    key: Light
    fill: Light
    rim: Light
    sky: Colour
    ground: Colour
    softness: float
    lift: float = 0.012
    """Surfaces are taken to be so much nearer the key (share of 90 cm) than they are when its shadow is looked up."""


@dataclass(frozen=True)
class View:
    """Head pose and camera."""

    pose: tuple[float, float, float]
    """Yaw, pitch, roll in degrees."""
    body: tuple[float, float, float]
    distance: float
    """Camera to head, cm."""
    face: float
    """Height of the face (brow to chin region, 19 cm) as a share of the image."""
    centre: tuple[float, float]
    """Where the head's origin lies, share of the image, y down."""


@dataclass(frozen=True)
class Film:
    """Backdrop and camera."""

    seed: int
    backdrop: str
    filters: tuple[str, ...]
    meter: float
    """Wanted mean brightness of the face, sRGB 0..1; the exposure follows it part of the way."""


@dataclass(frozen=True)
class Mouth:
    """Inside of the mouth, besides the colour of the teeth."""

    ends: tuple[float, float] | None = None
    """How far below its lip's edge at rest each row of teeth ends, upper and lower, cm; None: as the head has them."""
    light: float = 1.0
    """Times the light on tongue, gums and throat."""


@dataclass(frozen=True)
class Plan:
    """One person in one picture."""

    face: Face
    skin: Skin
    eyes: Eyes
    hair: Hair
    wear: Wear
    lights: Lights
    view: View
    film: Film
    mouth: Mouth = Mouth()
