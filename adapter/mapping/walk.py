"""The walk of a match: which resource plays which role, which list element it belongs to, and what was left over.

Lists are found by their own resources, in the order of the Bundle; roles (a patient, a prescriber) by the references
that lead to them, and only then by their type. A resource that no map speaks of is unread as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapter.fhir.outcome import issue
from adapter.mapping.plan import Lists
from adapter.mapping.reading import Element, Lineage, Reading, Role


class MatchRun(Reading):
    """One match: the walk over the resources of a message."""

    __slots__ = ()

    def walk(self) -> dict[str, Any]:
        """Run every role over the resources that are its own; gives the record."""
        assigned = self.assign()
        for role in self.cast.roles:
            own = assigned.get(role.name, ())
            if role.lists:
                for i in own:
                    self.element(role, i)
            elif own or role.name in self.claims:
                self.only(role, own)
        if self.cast.listed:
            self.gather()
        for forward, places, value, where, soft, codecs, i in self.later:
            values = tuple([_get(frame, parts) for frame, parts in places])
            if not self.agrees(forward, values, value):
                self.current = i
                self.verify(forward, values, value, self.at(i) + where, soft, codecs)
        self.finish()
        return self.record

    def only(self, role: Role, own: Sequence[int]) -> None:
        """A role outside lists: who is referred to as it, and only then the first that can be known by itself."""
        i = self.claims.get(role.name)
        if i is None:
            for i in own:
                if i not in self.runs:
                    break
            else:
                return
        elif i not in own and not role.recognise(self.entries[i]["resource"], self):
            return
        if self.run(role, i, (self.record,)):
            self.elements[role.name][i] = Element(i, {}, self.record, (self.record,))

    def assign(self) -> dict[str, list[int]]:
        """The resources that a map can know by itself: the map with the most literals that recognises one takes it."""
        by_type = self.cast.by_type
        found: dict[str, list[int]] = {}
        for i, entry in enumerate(self.entries):
            resource = entry["resource"]
            for role in by_type.get(resource.get("resourceType"), ()):
                if role.recognise(resource, self):
                    found.setdefault(role.name, []).append(i)
                    break
        return found

    def run(self, role: Role, i: int, frames: tuple[dict[str, Any], ...]) -> bool:
        """Run a match function over an entry; what it left unread is remembered apart from other roles' runs."""
        self.current = i
        before, entry = len(self.left), self.entries[i]
        if not role.match(entry["resource"], i, entry.get("fullUrl", ""), self, *frames):
            del self.left[before:]
            return False
        span = before, len(self.left)
        if i in self.runs:
            self.again = True
            self.runs[i].append(span)
        else:
            self.runs[i] = [span]
        return True

    def element(self, role: Role, i: int) -> None:
        """A resource that makes, or joins, an element of a list."""
        if role.join is None:
            parent: tuple[dict[str, Any], ...] = (self.record,)
        else:
            name, path = role.join
            target = self.follow(self.entries[i]["resource"], path, name)
            if target is None:
                self.orphan(role, i)
                return
            element = self.elements[name][target]
            if len(self.cast.by_name[name].lists) == len(role.lists):
                if element not in self.elements[role.name].values() and self.run(role, i, element.frames):
                    self.elements[role.name][i] = element  # a second one of this kind says something of its own: unread
                return
            parent = element.frames
        made: dict[str, Any] = {}
        frames = (*parent, made)
        if self.run(role, i, frames):
            self.elements[role.name][i] = Element(i, parent[-1], made, frames)

    def follow(self, resource: dict[str, Any], path: tuple[str, ...], name: str) -> int | None:
        """The element that a reference at `path` joins this resource to."""
        level: list[Any] = [resource]
        for part in path:
            under = [v.get(part) for v in level if isinstance(v, dict)]
            level = [w for v in under if v is not None for w in (v if isinstance(v, list) else [v])]
        for value in level:
            reference = value.get("reference") if isinstance(value, dict) else value
            target = self.resolve(reference)
            if target is not None and target in self.elements[name]:
                return target
        return None

    def orphan(self, role: Role, i: int) -> None:
        """A resource of a list that refers to no element of it."""
        joins = role.join[0] if role.join else ""
        text = f"This {role.type} refers to no {joins} of the message, so nothing says what it belongs to."
        self.issues.append(
            issue("error", "structure", "orphan", text, expression=self.at(i), mend="Give it the reference that joins it.")
        )

    def gather(self) -> None:
        """Put the finished elements into their lists, in the order of their anchors in the Bundle."""
        lists: dict[Lists, dict[int, Element]] = {}
        for role in self.cast.listed:
            for element in self.elements[role.name].values():
                lists.setdefault(role.lists, {})[id(element)] = element
        for names in sorted(lists, key=len):
            for element in sorted(lists[names].values(), key=lambda e: e.order):
                holder = element.parent
                for part in names[-1][:-1]:
                    holder = holder.setdefault(part, {})
                holder.setdefault(names[-1][-1], []).append(element.record)

    def finish(self) -> None:
        """Resources that no role spoke of, roles and elements that a reference should have named."""
        if self.again or len(self.runs) != len(self.entries):
            for i, entry in enumerate(self.entries):
                spans = self.runs.get(i)
                if spans is None:
                    self.left.append((entry["resource"], self.at(i), i))
                elif len(spans) > 1:
                    self.intersect(spans)
        for role in self.cast.keyed:
            for i, element in self.elements[role.name].items():
                for level, parts in role.keys:
                    if _get(element.frames[level], parts) is None:  # fill makes nothing without a key
                        self.left.append((self.entries[i]["resource"], self.at(i), i))
                        break
        for name, i, where in self.missing:
            if self.elements[name]:
                self.reference_missing(name, self.at(i) + where)
        for name, pointed in self.pointed.items():
            for i in self.elements[name]:
                if i not in pointed:
                    self.reference_missing(name, self.at(i))

    def reference_missing(self, name: str, where: str) -> None:
        """A reference that is not there although its target is."""
        role = self.cast.by_name[name]
        severity = "error" if role.type == "Patient" else "warning"
        text = f"The message has a {role.type} that this element should refer to ({name}), and does not."
        self.issues.append(
            issue(severity, "structure", "reference-missing", text, expression=where, mend="Give the element its reference.")
        )

    def intersect(self, spans: list[tuple[int, int]]) -> None:
        """One resource in several roles: unread is what none of them read."""
        common = set.intersection(*({w for _, w, _ in self.left[a:b]} for a, b in spans))
        for a, b in spans:
            for k in range(a, b):
                if self.left[k][1] not in common:
                    self.left[k] = (None, "", -1)

    def lineage(self, source: dict[str, Any] | None = None) -> list[Lineage]:
        """The rows with their list indexes, found by walking the record; only those whose path the source record has."""
        places: dict[int, str] = {}

        there: set[str] = set()

        def visit(value: Any, place: str) -> None:
            there.add(place)
            if isinstance(value, dict):
                places[id(value)] = place
                for name, below in value.items():
                    visit(below, f"{place}.{name}" if place else name)
            elif isinstance(value, list):
                for j, below in enumerate(value):
                    visit(below, f"{place}[{j}]")

        visit(self.record, "")
        if source is not None:
            there.clear()
            visit(source, "")
        made = []
        for where, frame, place, line, codecs, several in self.found:
            base = places.get(id(frame), "")
            path = f"{base}.{place}" if base and place else base or place
            if path in there:  # of several paths through one codec, those that say something
                made.append(Lineage(where, path, line, codecs, several))
        return made


def _get(frame: Any, parts: tuple[str, ...]) -> Any:
    for part in parts:
        if not isinstance(frame, dict):
            return None
        frame = frame.get(part)
    return frame
