"""From the phone names of synthesisers, dictionaries and the IPA to the inventory that the encoder tells apart."""

from __future__ import annotations

import unicodedata

from vivant.speech.phones import PHONE_INDEX

_IPA = {
    "p": "pbɓʙ", "m": "m", "f": "fvɸβɱʋⱱ", "th": "θð", "t": "tdʈɖɗ", "n": "nɲɳ", "l": "lɫɭʎɬɮʟ", "s": "sz", "sh": "ʃʒɕʑʂʐ",
    "k": "kɡgcɟɠ", "ng": "ŋɴ", "x": "xɣχħʕhɦçʝqɢʔʁʀɧ", "r": "rɾɹɻɽɺ", "j": "j", "w": "wɥʍɰ",
    "i": "iɪ", "y": "yʏøœɶʉ", "e": "eɛ", "a": "aæɑɐ", "@": "əɜɘʌɤɚɝɞ", "o": "oɔɒɵ", "u": "uʊ", "ih": "ɨɯᵻ",
}  # fmt: skip
_FROM_IPA = {letter: name for name, letters in _IPA.items() for letter in letters}
_ARPABET = {
    "p": "p b", "m": "m em", "f": "f v", "th": "th dh", "t": "t d dx", "n": "n en nx", "l": "l el", "s": "s z",
    "sh": "sh zh ch jh", "k": "k g", "ng": "ng", "x": "hh hv q", "r": "r", "j": "y", "w": "w", "i": "iy ih", "e": "eh",
    "a": "aa ae", "@": "ah ax er axr ix", "o": "ao", "u": "uw uh", "_": "pau sil h# brth +spn+ +nsn+",
}  # fmt: skip
_FROM_ARPABET = {name: phone for phone, names in _ARPABET.items() for name in names.split()}
_DIPHTHONGS = {"ey": "ei", "ay": "ai", "oy": "oi", "aw": "au", "ow": "ou"}

_FESTIVAL = {
    # The sets of the Italian, Catalan, Czech, Finnish and Russian voices hardly disagree; where they do, the voice is named.
    "p": "p b pp bb", "m": "m mm", "f": "f v nf ff vv", "th": "T D", "t": "t d tt dd t~ d~", "n": "n J n~ nn", "l": "l L ll",
    "s": "s z ts dz c ss zz", "sh": "S Z tS dZ c~ dz~ s~ z~ sh sch zh ch r~ r~*", "k": "k g kk gg", "ng": "ng n* N",
    "x": "h hh", "r": "r rr", "j": "j", "w": "w", "i": "i ii", "y": "7", "e": "e E ee", "a": "a aa",
    "@": "ax & ae ay ur", "o": "o O oo", "u": "u uu", "ih": "yy", "_": "# _ ## pau",
}  # fmt: skip
_FROM_FESTIVAL = {name: phone for phone, names in _FESTIVAL.items() for name in names.split()}
_OF_VOICE = {("czech", "ch"): "x", ("suo", "y"): "y", ("suo", "@"): "a", ("hy", "y"): "y", ("hy", "@"): "a", ("msu", "y"): "ih"}

Parts = tuple[int, ...]
"""Indices into PHONES; equal shares of the time, but the first of a diphthong holds 60 %."""


def from_ipa(text: str) -> Parts:
    """An IPA segment such as ``tʃ``, ``aɪ``, ``nʲ`` or ``yː``; the empty one is silence, a mere diacritic nothing."""
    if not text:
        return (PHONE_INDEX["_"],)
    names = [_FROM_IPA[c] for c in unicodedata.normalize("NFD", text) if c in _FROM_IPA]
    if len(names) == 2 and names[0] == "t" and names[1] in ("s", "sh"):  # the hiss of an affricate is what one sees
        names = names[1:]
    # A glide after a vowel (j, w, r) is one more part of it; two vowels are a diphthong.
    return tuple(PHONE_INDEX[name] for name in names[:2])


def from_arpabet(name: str) -> Parts:
    """A phone of CMU's and festival's American sets, any case, with or without a stress digit."""
    name = name.lower().rstrip("012")
    if name in _DIPHTHONGS:
        return tuple(PHONE_INDEX[c] for c in _DIPHTHONGS[name])
    return (PHONE_INDEX[_FROM_ARPABET.get(name, "_")],)


def from_festival(voice: str, name: str) -> Parts:
    """A phone of a festival voice; lengths and stress are dropped."""
    if voice.startswith(("cmu", "kal", "ked")):
        return from_arpabet(name)
    name = name.rstrip(":1") or name
    return (PHONE_INDEX[_OF_VOICE.get((voice.split("_")[0], name), _FROM_FESTIVAL.get(name, "_"))],)


def split_s(parts: Parts, start_s: float, end_s: float) -> list[tuple[int, float, float]]:
    """(phone, start, end) of each part."""
    if len(parts) < 2:
        return [(part, start_s, end_s) for part in parts]
    middle = start_s + 0.6 * (end_s - start_s)
    return [(parts[0], start_s, middle), (parts[1], middle, end_s)]
