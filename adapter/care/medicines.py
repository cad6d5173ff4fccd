"""Which medicine a record is about: of opioid substitution treatment, a kit of naloxone, or another.

By names: dm+d has no list of them that is published with a licence to carry it, and systems name what they code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from adapter.care.records import Json
from adapter.systems.hub_rules import products

#: `other`: surely none of opioid substitution treatment.
Kind = Literal["substitution", "other", "unknown"]

#: Substances of opioid substitution treatment, and brands that do not name theirs (dm+d; Electronic Medicines Compendium).
_SUBSTITUTION = (
    "methadone", "methadose", "metharose", "physeptone", "eptadone", "synastone",
    "buprenorphine", "subutex", "suboxone", "espranor", "buvidal", "sixmo", "natzon", "prefibin", "tephine", "zubsolv", "gabup",
)  # fmt: skip
#: What is prescribed beside it, by forms of the same kind, or by the same service, and is another medicine surely.
_OTHER = (
    "diazepam", "lorazepam", "temazepam", "nitrazepam", "oxazepam", "chlordiazepoxide", "clonazepam", "alprazolam", "zopiclone",
    "zolpidem", "pregabalin", "gabapentin", "amfetamine", "methylphenidate", "naltrexone", "naloxone", "prenoxad", "nyxoid",
    "lofexidine", "disulfiram", "acamprosate", "thiamine",
)  # fmt: skip
#: Words by which people shorten the substances.
_SHORT = re.compile(r"\b(?:bup|bupe|mtd)\b")
#: Buprenorphine for pain is in patches; substitution treatment never is.
_PATCH = re.compile(r"\bbuprenorphine\b.*(?:micrograms?/hour|\btransdermal patch)", re.DOTALL)
#: Naloxone's VTM (dm+d test data of openprescribing), and words of kits: their products have no code with a public source.
_NALOXONE, _KITS = "89018006", ("naloxone", "prenoxad", "nyxoid")


def kind(resource: Json, known: Mapping[str, Json]) -> Kind:
    """What a record is about, by code and name. What nobody here knows counts too: no dose is hidden by how it is worded.

    known: the resources of its message by fullUrl
    """
    code = concept(resource, known)
    if any(one.get("code") in products() for one in code.get("coding", ())):
        return "substitution"
    names = _names(code)
    if any(word in names for word in _SUBSTITUTION) or _SHORT.search(names) is not None:
        return "other" if _PATCH.search(names) is not None else "substitution"
    return "other" if any(word in names for word in _OTHER) else "unknown"


def is_kit(resource: Json) -> bool:
    """Whether this is naloxone by itself: tablets of buprenorphine with naloxone are no kit, by whatever brand."""
    code = concept(resource)
    names = _names(code)
    substitution = any(word in names for word in _SUBSTITUTION) or _SHORT.search(names) is not None
    named = any(kit in names for kit in _KITS) and not substitution
    return named or any(one.get("code") == _NALOXONE for one in code.get("coding", ()))


def medication(resource: Json, known: Mapping[str, Json] | None = None) -> Json:
    """What it is about, as a Medication: the one to which it refers, contained or among those known, or a bare code."""
    reference = resource.get("medicationReference", {}).get("reference", "")
    contained: dict[str, Json] = {f"#{one.get('id')}": one for one in resource.get("contained", ())}
    return contained.get(reference) or (known or {}).get(reference) or {"code": resource.get("medicationCodeableConcept", {})}


def concept(resource: Json, known: Mapping[str, Json] | None = None) -> Json:
    """The CodeableConcept of the medicine; of a reference that leads nowhere its display stands for it."""
    code: Json = medication(resource, known).get("code", {})
    display = resource.get("medicationReference", {}).get("display")
    return code or ({"text": display} if display else {})


def _names(code: Json) -> str:
    said = [code.get("text"), *(one.get("display") for one in code.get("coding", ()))]
    return " ".join(one for one in said if one).casefold()
