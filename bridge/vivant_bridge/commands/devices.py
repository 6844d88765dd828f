"""``vivant devices``."""

from __future__ import annotations

from collections.abc import Iterator

from vivant.commands.options import console, say
from vivant_bridge.health.probe import Facts, gather


def devices() -> None:
    """List cameras, microphones and outputs, as --device, --mic and --speaker of `vivant cam` take them."""
    with console.status("looking around"):
        facts = gather()
    for line in listing(facts):
        say(line)


def listing(facts: Facts) -> Iterator[str]:
    """The lines."""
    yield "cameras"
    yield from _cameras(facts) or ["  none; `vivant doctor` says what to install"]
    for title, outward, pulse in (("microphones", False, facts.pulse_sources), ("outputs", True, facts.pulse_sinks)):
        yield title
        sounds = [device for device in facts.sounds if (device.outputs if outward else device.inputs)]
        for device in sounds:
            channels = device.outputs if outward else device.inputs
            yield f"  {device.name}   ({device.host}, {channels} channels, {device.rate_hz} Hz)"
        yield from (f"  pulse:{name}" for name in pulse)
        if facts.sound_problem is not None:
            yield f"  {facts.sound_problem}"
        elif not sounds and not pulse:
            yield "  none"


def _cameras(facts: Facts) -> list[str]:
    if facts.system != "Linux":
        return ["  OBS Virtual Camera   (--camera obs)"] if facts.obs_camera_registered else []
    lines = []
    for node in facts.nodes:
        if node.is_loopback:
            state = "ready" if node.writable else "no permission to write"
            held = f", in use by {', '.join(node.held_by)}" if node.held_by else ""
            lines.append(f"  {node.path}   ({node.name}, {state}{held})")
        else:
            lines.append(f"  {node.path}   ({node.name}, a real camera: not for Vivant)")
    return lines
