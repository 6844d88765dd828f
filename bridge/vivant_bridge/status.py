"""What a bridge says while it runs, and the keys that steer it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from vivant import Clock, Emotion
from vivant_bridge.bridge import Bridge, Figures
from vivant_bridge.keys import Keyboard
from vivant_bridge.steering import Steering

LOOK_US = 100_000
"""Between two looks at the figures."""
LOG_US = 10_000_000
"""Between two lines where no terminal shows them."""
GAZE_STEP_DEG, GAZE_MOST_DEG = 5.0, 25.0
"""For one press of a key, and in all; chosen by eye."""
TALK_S = 0.7
"""A held key repeats after at most so long."""
EMOTIONS = list(Emotion)
KEYS = {"n": "neutral", "c": "gaze 0 0", "m": "mute", "p": "pause", "q": "quit"}
TURNS = {
    "left": (-GAZE_STEP_DEG, 0.0), "right": (GAZE_STEP_DEG, 0.0), "up": (0.0, GAZE_STEP_DEG), "down": (0.0, -GAZE_STEP_DEG)
}  # fmt: skip
HELP = "e emotion  n neutral  arrows gaze  c centre  m mute  p pause  1-9 portrait  q quit"
HELP_TALK = HELP + "  hold space to talk"


async def press(bridge: Bridge, key: str, n_portraits: int) -> None:
    """Do what a key means; unknown ones mean nothing."""
    steering, controls = Steering(bridge, n_portraits), bridge.supervisor.controls
    if key in KEYS:
        await steering.obey(KEYS[key].split())
    elif key == "e":
        await steering.obey([EMOTIONS[(EMOTIONS.index(controls.emotion) + 1) % len(EMOTIONS)].value])
    elif key in TURNS:
        gaze = (_within(angle + step) for angle, step in zip(controls.gaze, TURNS[key], strict=True))
        await steering.obey(["gaze", *map(str, gaze)])
    elif key == " ":
        bridge.gate.talk(TALK_S)
    elif key in "123456789" and int(key) <= n_portraits:
        await steering.obey(["portrait", key])


def _within(angle_deg: float) -> float:
    return max(-GAZE_MOST_DEG, min(GAZE_MOST_DEG, angle_deg))


def figures_line(figures: Figures) -> str:
    """One line for a log."""
    parts = [
        f"{figures.fps:.1f} fps",
        f"delay {figures.delay_ms:.0f} ms (p95 {figures.delay_p95_ms:.0f})",
        "no output" if figures.offset_ms is None else f"picture - sound {figures.offset_ms:+.0f} ms",
        f"repeated {figures.repeated}, late {figures.late}, gaps {figures.gaps}, sound gaps {figures.sound_gaps}",
        f"level {figures.level_db:.0f} dB",
        *([figures.driver] if figures.driver else []),
    ]
    return "; ".join(parts)


def panel(bridge: Bridge) -> RenderableType:
    """Two lines for a terminal: figures with a level meter, and the keys."""
    figures, gate, controls = bridge.figures(), bridge.gate, bridge.supervisor.controls
    bars = max(0, min(20, round((figures.level_db + 60) / 3)))
    meter = Text("█" * bars + "·" * (20 - bars), style="green" if gate.is_open else "dim")
    modes = [
        f"portrait {bridge.supervisor.portrait + 1}",
        controls.emotion.value,
        "looks at the camera" if controls.gaze == (0.0, 0.0) else "gaze {:+.0f} {:+.0f}".format(*controls.gaze),
        *(["MUTED"] if gate.muted else []),
        *(["PAUSED"] if bridge.pacer.paused else []),
    ]
    first = Text.assemble(meter, "  ", figures_line(figures))
    return Group(first, Text("  ".join(modes) + "   |   ", "bold") + Text(HELP_TALK if gate.push_to_talk else HELP, "dim"))


async def watch_keys(bridge: Bridge, keys: Keyboard, n_portraits: int, clock: Clock) -> None:
    """Until cancelled."""
    while True:
        for key in keys.pressed():
            await press(bridge, key, n_portraits)
        await clock.sleep_until(clock.now_us() + LOOK_US // 2)
