"""How words are spoken: letters to the encoder's phones, by rules of a language's spelling. Of texts in Latin letters only.

German, Spanish, Italian, Czech, Dutch and French follow rules written here; English those that were learnt from the CMU
Pronouncing Dictionary (`scripts/english-letters`). Numbers, other scripts and other languages have no rule: the sound knows.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from vivant.speech.phones import PHONE_INDEX

Phones = tuple[int, ...]
"""Indices into `PHONES`; none for a word without a rule."""

MAX_LETTERS = 40
"""Of a word that is read; chosen."""
_LETTERS_OF_WORD = rf"(?:[^\W_][\u0300-\u036f]{{0,3}}){{1,{2 * MAX_LETTERS}}}"
_WORD = re.compile(f"{_LETTERS_OF_WORD}(?:['’]{_LETTERS_OF_WORD}){{0,3}}")
"""Longer ones are several: a text of one word costs no more than others."""
ENGLISH_LETTERS = Path(__file__).with_name("english_letters.txt")
CONTEXTS = ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4))
"""How many letters before and after one decide what it sounds like; the longest that is known counts."""
_EDGE = "<"
MAX_WAITING_CHARS = 1_000_000
"""Of a text that is not yet read: what is more is not known; chosen."""
_GUESSED_CHARS = 500
"""Of a text, by which its language is guessed; chosen."""

# Patterns in order, each with what it sounds like; doubled consonants are one by then.
_RULES = {
    "de": r"""
        tzsch|tsch|sch=sh  \bst=sh t  \bsp=sh p  chs=k s  ch=x  ck=k  ng=ng  n(?=k)=ng  pf=p f  ph=f  qu=k f  th=t
        tz|ts|z=s
        ti(?=on)=s i  ig\b=i x  [sß]=s  [fvw]=f  x=k s  j=j  [dt]=t  [bp]=p  [gkq]=k  c(?=[eiyäö])=s  c=k  l=l  m=m  n=n
        (?<=[aeiouäöüy])h(?![aeiouäöü])=  h=x  e[iy]|a[iy]=a i  au=a u  eu|äu=o y  ie=i  \bge=k @  \bbe=p @  er\b=@
        e(?=[nlm]?s?\b|ln\b|[lrn]e[nrsm]?\b)=@  r=x  e+|ä=e  [öüy]=y  a+=a  i=i  o+=o  u=u
    """,
    "es": r"""
        ch=sh  ll=j  rr=r  ñ=n  qu=k  gu(?=[eiéí])=k  g(?=[eiéí])|j=x  c(?=[eiéí])|[zsç]=s
        (?<=[aeiouáéíóú])[bv](?=[aeiouáéíóúlr])=f
        [bvp]=p  (?<=[aeiouáéíóúr])d=th  [dt]=t  (?<=[aeiouáéíóú])g=x  [gkc]=k  h=  x=k s  f=f  l=l  m=m  n(?=[kgcq])=ng
        n=n
        r=r  w=w  y\b=i  y=j  i(?=[aeouáéóú])=j  [uü](?=[aeioáéíó])=w  [aá]=a  [eé]=e  [ií]=i  [oó]=o  [uúü]=u
    """,
    "it": r"""
        gli(?=[aeou])=l  gl(?=i)=l  gn=n  sci(?=[aou])|sc(?=[eièé])=sh  ch=k  gh=k  ci(?=[aou])|c(?=[eièé])=sh
        gi(?=[aou])|g(?=[eièé])=sh  qu=k w  [sz]=s  h=  [bp]=p  [dt]=t  [gkcq]=k  [fv]=f  x=k s  l=l  m=m
        n(?=[kgcq])=ng  n=n
        r=r  w=w  [jy]=j  i(?=[aeouàèòé])=j  u(?=[aeioàèìò])=w  [aà]=a  [eèé]=e  [iìî]=i  [oòó]=o  [uùú]=u
    """,
    "cs": r"""
        ch=x  [dt](?=[iíě])|[ďť]=k  n(?=k|g)=ng  [nň]=n  (?<=m)ě=n e  (?<=[bpvf])ě=j e  [eéě]=e  dž|[čšž]=sh  [csz]=s
        h=x  j=j
        [řr]=r  [bp]=p  [dt]=t  [gkq]=k  [fvw]=f  x=k s  l=l  m=m  [aá]=a  [iíyý]=i  [oó]=o  [uúů]=u
    """,
    "nl": r"""
        isch=i s  sch=s x  \bge=x @  \bbe=p @  \bver=f @ r  \been\b=@ n  \bhet\b=@ t  ch|g=x  ng=ng  n(?=k)=ng  lijk=l @ k
        ig\b=@ x  tie\b=s i  ië\b=i @  sj=sh  th=t
        ieuw=i u  eeuw=e u  ouw?|auw?=@ u  eu=y  oe=u  ui=y  ij|ei=e i  aai=a i  ooi=o i  ie=i  e(?=[nlrm]?s?\b|[lrn]en?\b)=@
        [uü]+=y  [eéëè]+=e
        a+=a  [ií]=i  [oóö]+=o  y=i  j=j  [bp]=p  [dt]=t  [kq]=k  c(?=[eiy])|[sz]=s  c=k  [fvw]=f  x=k s  l=l  m=m  n=n
        r=r  h=x
    """,
    "fr": r"""
        eaux?\b|eau|aux?\b=o  [dtspxzg]+\b=  \bles\b|\bdes\b=e  es\b|e\b=  er\b|ez\b=e  oin(?![aeiouynm])=w e
        ien(?![aeiouynm])=j e
        (?:ai|ei|i|y)[nm](?![aeiouyéèênmh])=e  (?:a|e)[nm](?![aeiouyéèênmh])=a  o[nm](?![aeiouyéèênmh])=o
        u[nm](?![aeiouyéèênmh])=y
        au=o  ou(?=[aeié])=w  ou|oû|où=u  oi|oî|oy=w a  œu|eu|œ=y  a[iî](?!l)|ei(?!l)|[éèêë]=e  aill?=a j  eill?=e j
        (?<=[^aeou])ill(?=[eao])=i j  gn=n  ch=sh  ph=f  qu=k  gu(?=[eiyéè])=k  ge(?=[aou])|g(?=[eiyéè])|j=sh
        c(?=[eiyéèê])|ç=s
        ti(?=on)=s j  e(?=[^aeiouyéèêh]{2})=e  e=@  u(?=[ie])=w  [uûü]=y  [iîï](?=[aeoé])=j  [iîïy]=i  [aâà]=a  [oô]=o
        h=  th=t
        [bp]=p  [dt]=t  [gkcq]=k  [fv]=f  [sz]=s  x=k s  l=l  m=m  n=n  r=x  w=w
    """,
}
_COMMON = {
    "en": "the and of to is in that it you for was with are this not have be on at my what your we",
    "de": "der die das und ist nicht ich sie ein eine mit zu den auf für dem es im wir auch wie von",
    "es": "el los las que y en un una es por con para del se lo más como está pero su",
    "it": "il che di e è un una per non sono con del della gli si le più come mi ti",
    "cs": "a je se na to že v s z do jsem tak jak ale by jako pro po už ten",
    "nl": "de het een en van ik is dat niet je met op te zijn voor er wat maar ook",
    "fr": "le la les et est un une des de du que je vous ne pas pour qui dans ce il nous avec au",
}  # fmt: skip
_COMMON_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_LETTERS = {"de": "ßäöü", "es": "ñ¿¡áíóú", "it": "àèìòù", "cs": "ěščřžýůďťň", "fr": "çêœàèéâîô"}
"""That say something about a language."""
LANGUAGES = tuple(_COMMON)
"""Whose spelling has rules here."""


class TextReader:
    """A text that comes in pieces, read word by word."""

    def __init__(self) -> None:
        self._text, self._place, self._last = "", 0, 0
        self._language, self._start = "", ""

    def add(self, text: str, language: str = "") -> bool:
        """More of the text; whether the last word that was read goes on in it. ``language`` is a tag such as ``de`` or
        ``de-AT``; without one it is guessed."""
        goes_on = 0 < self._place == len(self._text) and _joined(self._text[-1], text)
        self._text = self._text[self._last :] + text
        self._place, self._last = self._place - self._last, 0
        self._text = self._text[: self._place + MAX_WAITING_CHARS]
        self._start = (self._start + text)[:_GUESSED_CHARS]
        self._language = primary(language) or guessed(self._start.lower())
        return goes_on

    def read_again(self) -> None:
        """The last word, which goes on."""
        self._place = self._last

    def next_word(self) -> Phones | None:
        """Nothing of a word that no rule reads, None where no more is known."""
        match = _WORD.search(self._text, self._place)
        if match is None:
            self._place = len(self._text)  # not looked through again when more comes
            return None
        self._last, self._place = match.span()
        return pronounced(unicodedata.normalize("NFC", match[0]).lower(), self._language)


def _joined(end: str, text: str) -> bool:
    """Whether a word that ends with that letter goes on in the text."""
    match = _WORD.match(end + text[:2])
    return match is not None and match.end() > len(end)


def primary(language: str) -> str:
    """The language of a BCP 47 tag."""
    return re.split("[-_]", language.strip().lower(), maxsplit=1)[0]


def guessed(text: str) -> str:
    """The language of a text in lower case by its commonest words and letters; English where nothing says otherwise."""
    start = text[:_GUESSED_CHARS]
    words = re.findall(r"[^\W\d_]+", start)
    return max(LANGUAGES, key=lambda language: _evidence(language, words, start))


def _evidence(language: str, words: list[str], text: str) -> int:
    return 2 * sum(word in _COMMON_WORDS[language] for word in words) + sum(
        text.count(letter) for letter in _LETTERS.get(language, "")
    )


def pronounced(word: str, language: str) -> Phones:
    """Of a word in lower case; nothing where no rule reads it."""
    if len(word) > MAX_LETTERS or any(not c.isalpha() and c not in "'’" for c in word):
        return ()
    if language == "en":
        return _english(word.replace("’", "'"))
    if language not in _RULES:
        return ()
    return _by_spelling(re.sub(r"([^\W\daeiourl])\1+", r"\1", word.replace("’", "'")), language)


def _by_spelling(word: str, language: str) -> Phones:
    pattern, sounds = _compiled(language)
    found: list[int] = []
    for part in word.split("'"):
        place = 0
        while place < len(part):
            match = pattern.match(part, place)
            if match is None:
                return ()
            found += sounds[match.lastindex or 0]
            place = max(match.end(), place + 1)
    return tuple(phone for i, phone in enumerate(found) if i == 0 or phone != found[i - 1])


@cache
def _compiled(language: str) -> tuple[re.Pattern[str], list[Phones]]:
    """One pattern of all rules, and what each of its groups sounds like, from 1."""
    rules = [rule.rsplit("=", 1) for rule in re.split(r"  +|\n", _RULES[language].strip()) if rule.strip()]
    sounds: list[Phones] = [(), *(tuple(PHONE_INDEX[phone] for phone in sound.split()) for _, sound in rules)]
    return re.compile("|".join(f"({letters.strip()})" for letters, _ in rules)), sounds


def in_context(word: str, place: int, context: tuple[int, int]) -> str:
    """A letter, written large, between those about it."""
    before, after = context
    edged = _EDGE * 4 + word + _EDGE * 4
    middle = place + 4
    return edged[middle - before : middle] + word[place].upper() + edged[middle + 1 : middle + 1 + after]


def _english(word: str) -> Phones:
    rules = _english_rules()
    if (known := rules.get(f"={word}")) is not None:
        return known
    found: list[int] = []
    for place in range(len(word)):
        contexts = (in_context(word, place, context) for context in reversed(CONTEXTS))
        sounds = next((rules[context] for context in contexts if context in rules), None)
        if sounds is None:
            return ()
        found += sounds
    return tuple(found)


@cache
def _english_rules() -> dict[str, Phones]:
    """By context, or by whole word behind an equals sign."""
    rules: dict[str, Phones] = {}
    for line in ENGLISH_LETTERS.read_text(encoding="utf-8").splitlines():
        sounds, contexts = line.split("\t")
        phones = tuple(PHONE_INDEX[phone] for phone in sounds.split())
        rules |= dict.fromkeys(contexts.split(" "), phones)
    return rules
