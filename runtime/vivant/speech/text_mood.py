"""Emotion of a text by its words: a small lexicon, for callers that have a text and want a face to suit it.

A word counts as it stands in the lexicon or by the longest beginning there; one of the three words before it that negates takes
it away. It knows plain words alone, no irony.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from vivant.speech.pronunciation import guessed, primary
from vivant.types import Emotion

_WORDS = {
    "en": {
        Emotion.HAPPY: "happ- glad joy- delight- wonderful- great love loves loved lovely fantastic excellent"
        " congratul- welcome thank thanks pleased smil- laugh- enjoy- hooray",
        Emotion.SAD: "sad sadly sorry unfortunate- missed lonel- cry cries cried crying tears grie- mourn- die died dies death"
        " lost regret- heartbr-",
        Emotion.ANGRY: "angr- anger furious rage hate hates hated outrag- damn stupid idiot- unaccept- annoy-",
        Emotion.SURPRISED: "surpris- amaz- astonish- incredib- unbeliev- wow suddenly unexpected-",
        Emotion.AFRAID: "afraid fear fears feared scar- terrif- danger- horror panic- frighten- worried",
        Emotion.DISGUSTED: "disgust- gross nasty filthy revolting yuck stink- rotten vomit-",
    },
    "de": {
        Emotion.HAPPY: "glücklich- freue freut freude- froh frohe fröhlich- wunderbar- toll tolle herrlich- liebe lieben"
        " geliebt großartig- danke willkommen lache lachen lacht schön schöne",
        Emotion.SAD: "traurig- leider vermiss- einsam- weine weinen weint tränen trauer- gestorben tod tot verloren bedauer-",
        Emotion.ANGRY: "wütend- wut zorn- hass hasse hasst verdammt- dumm dumme unerhört- ärger- unverschämt-",
        Emotion.SURPRISED: "überrasch- erstaun- unglaublich- plötzlich wahnsinn verblüff-",
        Emotion.AFRAID: "angst ängst- fürcht- furcht- gefahr- gefähr- schreck- panik grusel- besorgt",
        Emotion.DISGUSTED: "ekel- eklig- widerlich- abscheu- pfui stink-",
    },
    "es": {
        Emotion.HAPPY: "feliz felic- alegr- maravill- genial encant- gracias bienvenid- amor estupend- contento contenta",
        Emotion.SAD: "triste- lament- soledad llor- lágrim- murió muerte muerto perdido lástima",
        Emotion.ANGRY: "enfad- furios- rabia odio odia maldit- estúpid- indign-",
        Emotion.SURPRISED: "sorpren- sorpres- increíbl- asombr- repente",
        Emotion.AFRAID: "miedo temo temor asust- peligro- terror pánico horror-",
        Emotion.DISGUSTED: "asco asquer- repugn- apest-",
    },
    "fr": {
        Emotion.HAPPY: "heureu- joie joyeu- content contente ravi ravie merveill- génial- super merci bienvenue amour"
        " adore bravo",
        Emotion.SAD: "triste- malheureu- désolé- pleur- larme- mort morte deuil perdu perdue regrett-",
        Emotion.ANGRY: "furieu- colère rage déteste hais maudit- stupide inadmiss-",
        Emotion.SURPRISED: "surpris- étonn- incroyabl- soudain stupéf-",
        Emotion.AFRAID: "peur effray- crains danger- terreur- panique horreur inquiet- inquièt-",
        Emotion.DISGUSTED: "dégoût- répugn- infect infecte écœur- pue",
    },
    "it": {
        Emotion.HAPPY: "felic- gioi- allegr- meravigl- fantastic- grazie benvenut- amore contento contenta bravo brava",
        Emotion.SAD: "triste- purtroppo solitudine piang- lacrim- morto morta morte perso dispiac-",
        Emotion.ANGRY: "arrabb- furios- rabbia odio maledett- stupido stupida indign-",
        Emotion.SURPRISED: "sorpren- sorpres- incredibil- stupit- improvvis-",
        Emotion.AFRAID: "paura temo timore pericol- terrore panico spavent-",
        Emotion.DISGUSTED: "disgust- schif- ripugn- puzza",
    },
    "nl": {
        Emotion.HAPPY: "gelukkig- blij blije vreugde geweldig- prachtig- heerlijk- liefde dank bedankt welkom lach lachen"
        " gefelicit- fijn",
        Emotion.SAD: "verdriet- helaas eenzaam- huil- tranen rouw gestorven dood verloren spijt",
        Emotion.ANGRY: "boos boze woede woedend haat verdomme stom stomme schandalig-",
        Emotion.SURPRISED: "verras- verbaas- ongelofelijk- plotseling verbluf-",
        Emotion.AFRAID: "bang bange angst- vrees gevaar- schrik- paniek eng bezorgd",
        Emotion.DISGUSTED: "walg- vies vieze smerig- afschuw- stinkt",
    },
    "cs": {
        Emotion.HAPPY: "šťastn- rád ráda radost- skvěl- nádhern- lásk- miluj- děkuj- vítej- vítám směj- krásn-",
        Emotion.SAD: "smutn- bohužel osamě- pláč pláče slzy zármut- zemřel- smrt ztracen- lituj-",
        Emotion.ANGRY: "vztek- zlobí hněv- zuř- nenávi- sakra hloup- nehorázn-",
        Emotion.SURPRISED: "překvap- úžas- neuvěřit- najednou ohrom-",
        Emotion.AFRAID: "strach- bojím nebezpeč- hrůz- děsí panik- vyděs-",
        Emotion.DISGUSTED: "odporn- hnus- nechutn- smrdí",
    },
}
"""Words, and with a dash beginnings of words, by language and emotion; written for this, no list was copied."""
_NOT = {
    "en": "not no never don't isn't can't won't doesn't didn't without",
    "de": "nicht kein keine keinen nie ohne",
    "es": "no nunca sin jamás",
    "fr": "pas jamais sans",
    "it": "non mai senza",
    "nl": "niet geen nooit zonder",
    "cs": "ne nikdy bez není",
}
_REACH = 3
"""Words before one that may negate it."""
_LONGEST = 14
"""Letters of a beginning."""
_MOST_CHARS = 20_000
"""Of a text that are read; chosen."""


def emotion_of(text: str, language: str = "") -> Emotion:
    """What most of its words that say anything of it say; neutral where none does, or two emotions say the same.

    ``language`` is a tag such as ``de``; without one it is guessed. Languages without a lexicon are neutral.
    """
    tongue = primary(language) or guessed(text.lower())
    known, negating = _lexicon(tongue), set(_NOT.get(tongue, "").split())
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text[:_MOST_CHARS].lower().replace("’", "'"))
    votes: Counter[Emotion] = Counter()
    for place, word in enumerate(words):
        starts = [word, *(f"{word[:n]}-" for n in range(min(len(word), _LONGEST), 2, -1))]
        emotion = next((known[start] for start in starts if start in known), None)
        if emotion is not None and not negating.intersection(words[max(0, place - _REACH) : place]):
            votes[emotion] += 1
    (first, most), (_, second) = [*votes.most_common(2), (Emotion.NEUTRAL, 0), (Emotion.NEUTRAL, 0)][:2]
    return first if most > second else Emotion.NEUTRAL


@cache
def _lexicon(language: str) -> dict[str, Emotion]:
    return {start: emotion for emotion, starts in _WORDS.get(language, {}).items() for start in starts.split()}
