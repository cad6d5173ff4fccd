"""Which medicine a record is about: of opioid substitution treatment, a kit of naloxone, or another.

By names: dm+d has no list of them that is published with a licence to carry it, and systems name what they code.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapter.care.records import Json

#: Substances of opioid substitution treatment, and brands that do not name theirs (dm+d; Electronic Medicines Compendium).
_SUBSTITUTION = (
    "methadone", "methadose", "metharose", "physeptone", "eptadone", "synastone",
    "buprenorphine", "subutex", "suboxone", "espranor", "buvidal", "sixmo", "natzon", "prefibin", "tephine",
)  # fmt: skip
#: Buprenorphine for pain is in patches; substitution treatment never is.
_FOR_PAIN = ("patch", "transdermal")
#: Naloxone's VTM (dm+d test data of openprescribing), and words of kits: their products have no code with a public source.
_NALOXONE, _KITS, _TABLETS = "89018006", ("naloxone", "prenoxad", "nyxoid"), "buprenorphine"


def is_other(resource: Json, known: Mapping[str, Json]) -> bool:
    """Whether it names its medicine, and by that name it is none of substitution treatment. What has no name is not known.

    known: the resources of its message by fullUrl
    """
    names = _names(concept(resource, known))
    return bool(names) and (not any(word in names for word in _SUBSTITUTION) or any(word in names for word in _FOR_PAIN))


def is_kit(resource: Json) -> bool:
    """Whether this is naloxone by itself: tablets of buprenorphine with naloxone are no kit."""
    code = concept(resource)
    names = _names(code)
    named = any(kit in names for kit in _KITS) and _TABLETS not in names
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
