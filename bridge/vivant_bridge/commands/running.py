"""A bridge on a terminal: its figures, its keys, and its end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress

from rich.live import Live

from vivant import Clock
from vivant.commands.options import console, say
from vivant_bridge.bridge import Bridge, Story
from vivant_bridge.control import control_channel
from vivant_bridge.hotkeys import hotkeys
from vivant_bridge.keys import Keyboard, keyboard
from vivant_bridge.status import LOG_US, LOOK_US, figures_line, panel, watch_keys
from vivant_bridge.steering import Steering
from vivant_bridge.terminal import stderr_lines


def run_on_terminal(
    make: Callable[[], Bridge],
    clock: Clock,
    n_portraits: int,
    seconds: float | None,
    *,
    quiet: bool,
    combinations: Mapping[str, str] | None = None,
    said: tuple[str, str] | None = None,
) -> None:
    """Until a key, a signal or ``seconds`` end it; ``make`` is called on the event loop that the bridge belongs to.

    ``combinations`` are those of `hotkeys`, if it listens to any; ``said`` is a text that is spoken first, and its language.
    """
    _wake_in_time()
    asyncio.run(_run(make, clock, n_portraits, seconds, quiet, combinations, said))


def _wake_in_time() -> None:
    """Windows lets sleepers lie up to 16 ms too long unless a program asks for more."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.winmm.timeBeginPeriod(1)


async def _run(
    make: Callable[[], Bridge],
    clock: Clock,
    n_portraits: int,
    seconds: float | None,
    quiet: bool,
    combinations: Mapping[str, str] | None,
    said: tuple[str, str] | None,
) -> None:
    bridge = make()
    steering = Steering(bridge, n_portraits)
    for sign in (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])):
        with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(sign, bridge.quit)
    listening = hotkeys(combinations, steering, say) if combinations else nullcontext()
    async with control_channel(steering, say):
        with keyboard() as keys, listening:
            first = [bridge.say(*said)] if said is not None else []
            await _live(bridge, keys, clock, n_portraits, seconds, first, quiet=quiet)
    if not quiet:
        say(f"ended; {figures_line(bridge.figures())}")


async def _live(
    bridge: Bridge,
    keys: Keyboard | None,
    clock: Clock,
    n_portraits: int,
    seconds: float | None,
    first: list[Story],
    *,
    quiet: bool,
) -> None:
    beside = list(first)
    beside += [_show(bridge, clock) if console.is_terminal else _log(bridge, clock)] if not quiet else []
    beside += [watch_keys(bridge, keys, n_portraits, clock)] if keys is not None else []
    beside += [_quit_after(bridge, clock, seconds)] if seconds is not None else []
    tasks = [asyncio.create_task(story) for story in beside]
    try:
        await bridge.run()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _show(bridge: Bridge, clock: Clock) -> None:
    with Live(panel(bridge), console=console, auto_refresh=False, transient=True) as live, stderr_lines(say):
        width = console.width
        while True:
            await clock.sleep_until(clock.now_us() + 2 * LOOK_US)
            if console.width != width:  # the terminal has folded the old lines anew, nobody knows how
                console.clear()
                width = console.width
            live.update(panel(bridge), refresh=True)


async def _log(bridge: Bridge, clock: Clock) -> None:
    while True:
        await clock.sleep_until(clock.now_us() + LOG_US)
        say(figures_line(bridge.figures()))


async def _quit_after(bridge: Bridge, clock: Clock, seconds: float) -> None:
    await clock.sleep_until(clock.now_us() + round(1e6 * seconds))
    bridge.quit()
