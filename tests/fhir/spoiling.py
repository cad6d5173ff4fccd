"""Breaks each rule of a profile in turn, on a good instance: for tests of the gate.

Knows nothing of how the gate compiles a profile: it reads the elements' ids by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.fhir.schema import tables

Json = dict[str, Any]

#: A good value of each type that our profiles forbid somewhere, or that stands for "another type".
VALUES: dict[str, Any] = {
    "Annotation": {"text": "x"},
    "BackboneElement": {"id": "x"},
    "CodeableConcept": {"text": "x"},
    "Coding": {"code": "x"},
    "Extension": {"url": "http://a.example/x", "valueCode": "x"},
    "Identifier": {"value": "x"},
    "Period": {"start": "2026-03-18"},
    "Quantity": {"value": 1},
    "Reference": {"display": "x"},
    "boolean": True,
    "canonical": "http://a.example",
    "code": "x",
    "date": "2026-03-18",
    "dateTime": "2026-03-18",
    "decimal": 1.5,
    "instant": "2026-03-18T10:00:00Z",
    "integer": 1,
    "positiveInt": 1,
    "string": "x",
    "unsignedInt": 1,
    "uri": "http://a.example",
    "url": "http://a.example",
    "base64Binary": "aGVsbG8=",
    "Ratio": {"numerator": {"value": 1}, "denominator": {"value": 1}},
    "Range": {"low": {"value": 1}},
    "Timing": {"event": ["2026"]},
    "time": "10:00:00",
    "BundleEntrySearch": {"mode": "match"},
    "BundleEntryRequest": {"method": "GET", "url": "Patient"},
    "BundleEntryResponse": {"status": "200"},
    "markdown": "x",
    "Meta": {"versionId": "1"},
    "id": "x",
    "oid": "urn:oid:1.2",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "Duration": {"value": 1, "code": "d", "system": "http://unitsofmeasure.org"},
    "HumanName": {"text": "x"},
    "Address": {"text": "x"},
    "ContactPoint": {"system": "phone", "value": "1"},
    "Attachment": {"title": "x"},
    "Dosage": {"text": "x"},
    "ConsentProvision": {"type": "deny"},
}


@dataclass(frozen=True)
class Spoilt:
    """A broken instance: which element and rule, the rules that may answer for it, where."""

    element: str
    how: str
    rules: frozenset[str]
    place: str
    resource: Json


@dataclass
class Spot:
    """Where an element stands: in `holder[key]`, or in the list there at `index`; path and type are those of the holder."""

    holder: Json
    key: str
    index: int | None
    path: str
    type: str

    @property
    def value(self) -> Any:
        return self.holder[self.key] if self.index is None else self.holder[self.key][self.index]

    @property
    def row(self) -> Json:
        row: Json = tables.types()[self.type]["elements"][self.key]
        return row

    @property
    def own_path(self) -> str:
        base = f"{self.path}.{self.row.get('b', self.key)}"
        return base if self.index is None else f"{base}[{self.index}]"

    def put(self, value: Any) -> None:
        if self.index is None:
            self.holder[self.key] = value
        else:
            self.holder[self.key][self.index] = value

    def swap(self, key: str, value: Any) -> None:
        """Another type of the same choice."""
        del self.holder[self.key]
        self.holder[key] = value


class Spoiler:
    """The rules of one profile, and a good instance in which `root` says where the profile's own root stands."""

    def __init__(
        self, elements: list[Any], resource: Json, root: tuple[str | int, ...], path: str, codes: Mapping[str, set[str]]
    ) -> None:
        self.elements = {one.id: one.element for one in elements}
        self.type = elements[0].id.split(".")[0]
        self.resource, self.root, self.path, self.codes = resource, root, path, codes

    def rules(self) -> Iterator[tuple[str, str]]:
        """(element id, rule) of everything that a message could break."""
        for id_, element in self.elements.items():
            if element.get("min", 0) >= 1 and not self._tells_slice(id_):
                yield id_, "min"
            most = element.get("max", "*")
            if most == "0" or (most != "*" and (self._is_slice(id_) or self._repeats(id_))):
                yield id_, "max"
            for key in element:
                if key.startswith(("fixed", "pattern")) and not self._tells_slice(id_):
                    yield id_, "fixed" if key.startswith("fixed") else "pattern"
            if element.get("binding", {}).get("strength") == "required":
                yield id_, "binding"
            if id_.endswith("[x]") and element.get("type") and most != "0":
                yield id_, "type"
            if self._narrows(id_):
                yield id_, "target"
            for one in element.get("constraint", ()):
                yield id_, one["key"]

    def spoil(self, id_: str, how: str) -> Iterator[Spoilt]:
        """Every way of breaking the rule in the instance; none where the instance has nothing to break."""
        makers = {
            "min": self._remove,
            "max": self._repeat,
            "fixed": self._change,
            "pattern": self._change,
            "binding": self._recode,
            "type": self._retype,
            "target": self._retarget,
        }
        if how in makers:  # a constraint is broken by hand
            yield from makers[how](id_)

    def spots(self, resource: Json, id_: str) -> list[Spot]:
        """Every place of the element in a resource."""
        start: Any = resource
        for step in self.root:
            start = start[step]
        found: list[tuple[Any, str, str]] = [(start, self.path, self.type)]
        spots: list[Spot] = []
        walked = self.type
        for step in id_.split(".")[1:]:
            walked += f".{step}"
            spots = [spot for holder, path, type_ in found for spot in self._below(holder, path, type_, step, walked)]
            found = [(spot.value, spot.own_path, spot.row["t"]) for spot in spots]
        return spots

    def _below(self, holder: Any, path: str, type_: str, step: str, walked: str) -> Iterator[Spot]:
        name, _, slice_name = step.partition(":")
        for key in list(holder) if isinstance(holder, dict) else []:
            row = tables.types().get(type_, {}).get("elements", {}).get(key)
            if row is None or (key if not name.endswith("[x]") else f"{row.get('b')}[x]") != name:
                continue
            values = holder[key]
            for index in range(len(values)) if isinstance(values, list) else [None]:
                spot = Spot(holder, key, index, path, type_)
                if not slice_name or self._in_slice(spot.value, walked):
                    yield spot

    def _in_slice(self, value: Any, slice_id: str) -> bool:
        for name in ("url", "system", "linkId"):
            element = self.elements.get(f"{slice_id}.{name}", {})
            fixed = element.get("fixedUri", element.get("fixedString"))
            if fixed is not None:
                return bool(value.get(name) == fixed)
        profiles = [one for t in self.elements[slice_id].get("type", ()) for one in t.get("profile", ())]
        return value.get("url") in profiles

    def _is_slice(self, id_: str) -> bool:
        return ":" in id_.rpartition(".")[2]

    def _tells_slice(self, id_: str) -> bool:
        """Whether the value only says which slice or extension this is: another value is another thing, and no fault."""
        parent, _, name = id_.rpartition(".")
        return name == "url" or (name in ("system", "linkId") and self._is_slice(parent))

    def _repeats(self, id_: str) -> bool:
        spots = self.spots(self.resource, id_)
        return bool(spots) and bool(spots[0].row.get("l"))

    def _narrows(self, id_: str) -> bool:
        targets = [one for t in self.elements[id_].get("type", ()) for one in t.get("targetProfile", ())]
        if not targets or any(one.endswith("/Resource") for one in targets):
            return False
        spots = [spot for spot in self.spots(self.resource, id_) if spot.row["t"] == "Reference"]
        return any(spot.row.get("r") is None or len(spot.row["r"]) > 1 for spot in spots)

    def _each(self, id_: str) -> Iterator[tuple[Json, Spot]]:
        """A fresh copy for every spot, with the spot in the copy."""
        for at in range(len(self.spots(self.resource, id_))):
            broken = copy.deepcopy(self.resource)
            yield broken, self.spots(broken, id_)[at]

    def _made(self, id_: str, how: str, rules: set[str], place: str, broken: Json) -> Spoilt:
        return Spoilt(id_, how, frozenset(rules), place, broken)

    def _remove(self, id_: str) -> Iterator[Spoilt]:
        holders: dict[int, None] = {}
        for spot in self.spots(self.resource, id_):
            holders.setdefault(id(spot.holder))
        for at in range(len(holders)):
            broken = copy.deepcopy(self.resource)
            spots = self.spots(broken, id_)
            holder = list({id(spot.holder): spot.holder for spot in spots}.values())[at]
            inside = [spot for spot in spots if spot.holder is holder]
            for spot in sorted(inside, key=lambda one: -(one.index or 0)):
                if spot.index is None or len(holder[spot.key]) == 1:
                    del holder[spot.key]
                else:
                    del holder[spot.key][spot.index]
            name = inside[0].row.get("b", inside[0].key)
            yield self._made(id_, "min", {"required", "slice"}, f"{inside[0].path}.{name}", broken)

    def _repeat(self, id_: str) -> Iterator[Spoilt]:
        most = self.elements[id_]["max"]
        if most != "0":
            if not self.spots(self.resource, id_) and self.elements[id_].get("type", [{}])[0].get("code") == "Extension":
                yield from self._insert(id_, {"slice"}, int(most) + 1)
            for broken, spot in self._each(id_):
                spot.holder[spot.key] += [copy.deepcopy(spot.value) for _ in range(int(most))]
                yield self._made(id_, "max", {"cardinality", "slice"}, f"{spot.path}.{spot.row.get('b', spot.key)}", broken)
            return
        yield from self._insert(id_, {"absent"}, 1)

    def _insert(self, id_: str, rules: set[str], times: int) -> Iterator[Spoilt]:
        """Puts an element of one of its types where the instance has none."""
        parent, _, step = id_.rpartition(".")
        name, _, slice_name = step.partition(":")
        for at in range(len(self._holders(self.resource, parent))):
            broken = copy.deepcopy(self.resource)
            holder, path, type_ = self._holders(broken, parent)[at]
            for key, row in tables.types()[type_]["elements"].items():
                if key == name or f"{row.get('b')}[x]" == name:
                    value = copy.deepcopy(VALUES[row["t"]])
                    if slice_name:
                        value["url"] = self.elements[id_]["type"][0]["profile"][0]
                    holder[key] = [*holder.get(key, []), *(value for _ in range(times))] if row.get("l") else value
                    yield self._made(id_, "max", rules, f"{path}.{row.get('b', key)}", broken)
                    break

    def _holders(self, resource: Json, parent: str) -> list[tuple[Json, str, str]]:
        if "." not in parent:
            start: Any = resource
            for step in self.root:
                start = start[step]
            return [(start, self.path, self.type)]
        return [(spot.value, spot.own_path, spot.row["t"]) for spot in self.spots(resource, parent)]

    def _change(self, id_: str) -> Iterator[Spoilt]:
        for broken, spot in self._each(id_):
            before = spot.value
            if isinstance(before, bool):
                spot.put(not before)
            elif isinstance(before, dict):
                spot.put(VALUES[spot.row["t"]])
            else:
                spot.put(next(iter(sorted(_base_codes(spot) - {before})), "http://a.example/other"))
            yield self._made(id_, "fixed", {"fixed", "pattern"}, spot.own_path, broken)

    def _recode(self, id_: str) -> Iterator[Spoilt]:
        allowed = self.codes.get(self.elements[id_]["binding"]["valueSet"].partition("|")[0], set())
        for broken, spot in self._each(id_):
            if isinstance(spot.value, dict):
                coding = spot.value["coding"][0] if "coding" in spot.value else spot.value
                coding["code"] = "no-such-code"
            else:
                spot.put(next(iter(sorted(_base_codes(spot) - allowed)), "no-such-code"))
            yield self._made(id_, "binding", {"binding"}, spot.own_path, broken)

    def _retype(self, id_: str) -> Iterator[Spoilt]:
        allowed = {t["code"] for t in self.elements[id_]["type"]}
        if not self.spots(self.resource, id_):
            broken = copy.deepcopy(self.resource)
            for holder, path, type_ in self._holders(broken, id_.rpartition(".")[0])[:1]:
                base = id_.rpartition(".")[2].removesuffix("[x]")
                rows = tables.types()[type_]["elements"].items()
                key, row = next((k, r) for k, r in rows if r.get("b") == base and r["t"] not in allowed and r["t"] in VALUES)
                holder[key] = VALUES[row["t"]]
                yield self._made(id_, "type", {"choice-type"}, f"{path}.{base}", broken)
        for broken, spot in self._each(id_):
            rows = tables.types()[spot.type]["elements"]
            others = [(key, row["t"]) for key, row in rows.items() if row.get("b") == spot.row["b"] and row["t"] not in allowed]
            for key, type_ in [one for one in others if one[1] in VALUES][:1]:
                spot.swap(key, copy.deepcopy(VALUES[type_]))
                yield self._made(
                    id_, "type", {"choice-type"}, spot.own_path if spot.key == key else f"{spot.path}.{rows[key]['b']}", broken
                )

    def _retarget(self, id_: str) -> Iterator[Spoilt]:
        profiles = [one for t in self.elements[id_]["type"] for one in t.get("targetProfile", ())]
        for broken, spot in self._each(id_):
            allowed = {part for one in profiles for part in one.rpartition("/")[2].split("-")}
            others = [one for one in spot.row.get("r") or ["Basic", "Flag"] if one not in allowed]
            if others:
                spot.put({"reference": f"{others[0]}/1"})
                yield self._made(id_, "target", {"reference-target"}, spot.own_path, broken)


def _base_codes(spot: Spot) -> set[str]:
    """The codes that base R4 allows there, so that the profile alone can refuse another."""
    schema = tables.definitions()[spot.type]["properties"][spot.key]
    return set(schema.get("enum", ()))
