"""Things to say in many languages: phrases of Django's translations (BSD) and names of the CLDR (Unicode licence)."""

from __future__ import annotations

import gettext
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from babel import Locale

_DOMAINS = (
    "",
    "contrib/admin/",
    "contrib/auth/",
    "contrib/humanize/",
    "contrib/gis/",
    "contrib/contenttypes/",
    "contrib/postgres/",
)
_HOLES = re.compile(r"%\(\w+\)\w|%\w|\{[^}]*\}|<[^>]*>|&\w+;|https?:\S+|[\"“”«»()\[\]/\\_=*|#@…]|\d+")


@cache
def phrases(language: str) -> tuple[str, ...]:
    """What the translations to a Django locale such as ``de`` or ``pt_BR`` say, without placeholders."""
    found: dict[str, None] = {}
    english = language == "en"  # what is translated is English: any other language's catalogue holds it as its keys
    for domain in _DOMAINS:
        catalogue = (
            Path(str(files("django"))) / f"{domain or 'conf/'}locale/{'de' if english else language}/LC_MESSAGES/django.mo"
        )
        if not catalogue.exists():
            continue
        with catalogue.open("rb") as file:
            for key, text in gettext.GNUTranslations(file)._catalog.items():  # type: ignore[attr-defined]  # no public way to list
                said = str(key[0] if isinstance(key, tuple) else key) if english else text
                text = " ".join(_HOLES.sub(" ", said if key else "").split()).strip(" .,:;-")
                if len(text) > 2:
                    found[text] = None
    return tuple(found)


@cache
def words(language: str) -> tuple[str, ...]:
    """Single words of the phrases, and names of countries, languages, months and days."""
    locale = Locale.parse(language)
    names = [*locale.territories.values(), *locale.languages.values()]
    names += [name for forms in (locale.months, locale.days) for name in forms["format"]["wide"].values()]
    text = " ".join([*phrases(language), *(_HOLES.sub(" ", str(name)) for name in names)])
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,.:;!?]+", text) if len(word) > 1))


def sentence(language: str, rng: np.random.Generator) -> str:
    """A phrase as it stands, or four to twelve words at random: the model must not learn any language's grammar."""
    if rng.random() < 0.35:
        said = phrases(language)
        return said[rng.integers(len(said))] + str(rng.choice([".", "?", "!", ","]))
    pool = words(language)
    chosen = [pool[i] for i in rng.integers(len(pool), size=rng.integers(4, 13))]
    if len(chosen) > 6:
        chosen[int(rng.integers(2, len(chosen) - 2))] += ","
    return " ".join(chosen) + "."
