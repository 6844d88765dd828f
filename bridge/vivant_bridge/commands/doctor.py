"""``vivant doctor``."""

from __future__ import annotations

import typer

from vivant.commands.options import console, say
from vivant_bridge.health.diagnose import findings
from vivant_bridge.health.probe import gather


def doctor() -> None:
    """Check camera driver, sound, permissions and libraries, and print the command that mends each fault.

    Exits with 1 when something needs mending.
    """
    with console.status("looking around"):
        found = findings(gather())
    for finding in found:
        say(f"{'ok ' if finding.good else 'BAD'}  {finding.what}")
        if finding.remedy:
            say(f"     fix: {finding.remedy}")
    bad = sum(not finding.good for finding in found)
    say("all is well" if not bad else f"{bad} to mend; `vivant setup` does what it can of it")
    raise typer.Exit(1 if bad else 0)
