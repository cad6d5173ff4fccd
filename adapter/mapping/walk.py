"""The walk of a match: which resource plays which role, which list element it belongs to, and what was left over.

Lists are found by their own resources, in the order of the Bundle; roles (a patient, a prescriber) by the references
that lead to them, and only then by their type. A resource that no map speaks of is unread as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapter.mapping import issues
from adapter.mapping.plan import Lists
from adapter.mapping.reading import Reading
from adapter.mapping.roles import Element, Role


class MatchRun(Reading):
    """One match: the walk over the resources of a message."""

    __slots__ = ()

    def walk(self) -> None:
        """Run every role over the resources that are its own: `record` is what they say."""
        own = self.assign()
        for role in self.cast.roles:
            mine = own.get(role.name, ())
            if role.lists:
                for i in mine:
                    self.element(role, i)
            elif mine or role.name in self.claims:
                self.only(role, mine)
        if self.cast.listed:
            self.gather()
        if self.later:
            self.compare()
        if self.again or len(self.runs) != len(self.entries):
            self.leave()
        if self.keyless or self.missing or self.pointed:
            self.finish()
        if len(self.runs) != len(self.entries) or self.keyless:
            self.dangle()

    def assign(self) -> dict[str, list[int]]:
        """The resources that a map can know by itself: the map with the most literals that recognises one takes it."""
        by_type = self.cast.by_type
        found: dict[str, list[int]] = {}
        for i, entry in enumerate(self.entries):
            resource = entry["resource"]
            for role in by_type.get(resource.get("resourceType"), ()):
                if role.recognise is None or role.recognise(resource, self):
                    if role.name in found:
                        found[role.name].append(i)
                    else:
                        found[role.name] = [i]
                    break
        return found

    # roles and elements -------------------------------------------------------------------------------------------
    def only(self, role: Role, own: Sequence[int]) -> None:
        """A role outside lists: who is referred to as it, and only then the first that can be known by itself."""
        i = self.claims.get(role.name)
        if i is None:
            for i in own:
                if i not in self.runs:
                    break
            else:
                return
        elif i not in own and role.recognise is not None and not role.recognise(self.entries[i]["resource"], self):
            return
        if self.run(role, i, (self.record,)):
            self.played[role.name] = i

    def element(self, role: Role, i: int) -> None:
        """A resource that makes, or joins, an element of a list."""
        if role.join is None:
            parent: tuple[dict[str, Any], ...] = (self.record,)
        else:
            name, path = role.join
            element = self.follow(self.entries[i]["resource"], path, name)
            if element is None:
                self.issues.append(issues.orphan(self.at(i), role.type, name))
                return
            if len(self.cast.by_name[name].lists) == len(role.lists):
                # A second one of this kind says something of its own: unread.
                if element not in self.elements.get(role.name, {}).values() and self.run(role, i, element.frames):
                    self.elements.setdefault(role.name, {})[i] = element
                return
            parent = element.frames
        made: dict[str, Any] = {}
        frames = (*parent, made)
        if self.run(role, i, frames):
            self.elements.setdefault(role.name, {})[i] = Element(i, parent[-1], made, frames)

    def run(self, role: Role, i: int, frames: tuple[dict[str, Any], ...]) -> bool:
        """Run a match function over an entry; what it left unread is remembered apart from other roles' runs."""
        self.current = i
        left, runs = self.left, self.runs
        before = len(left)
        if not role.match(self.entries[i]["resource"], i, self, frames):
            del left[before:]
            return False
        if i in runs:
            self.again = True
            runs[i] += before, len(left)
        else:
            runs[i] = before, len(left)
        return True

    # the end ------------------------------------------------------------------------------------------------------
    def gather(self) -> None:
        """Put the finished elements into their lists, in the order of their anchors in the Bundle."""
        lists: dict[Lists, dict[int, Element]] = {}
        for role in self.cast.listed:
            for element in self.elements.get(role.name, {}).values():
                lists.setdefault(role.lists, {})[id(element)] = element
        for names in sorted(lists, key=len):
            *way, last = names[-1]
            for element in sorted(lists[names].values(), key=_order):
                holder = element.parent
                for part in way:
                    holder = holder.setdefault(part, {})
                holder.setdefault(last, []).append(element.record)

    def compare(self) -> None:
        """The elements whose record path was not there yet when they were read."""
        for forward, places, value, where, soft, codecs, i in self.later:
            values = tuple([_get(frame, parts) for frame, parts in places])
            if not self.agrees(forward, values, value):
                self.current = i
                self.verify(forward, values, value, self.at(i) + where, soft, codecs)

    def leave(self) -> None:
        """Resources that no role spoke of are unread; what one of several roles read is not."""
        for i, entry in enumerate(self.entries):
            spans = self.runs.get(i)
            if spans is None:
                self.left.append((entry["resource"], self.at(i), i))
            elif len(spans) > 2:
                self.intersect(spans)

    def finish(self) -> None:
        """Elements without a key, and roles and elements that a reference should have named."""
        for i, frame, parts in self.keyless:
            if _get(frame, parts) is None:  # fill makes nothing without a key
                self.left.append((self.entries[i]["resource"], self.at(i), i))
        for name, i, where in self.missing:
            if name in self.played or name in self.elements:
                self.missed(name, self.at(i) + where)
        for name, pointed in self.pointed.items():
            for i in self.elements.get(name, ()):
                if i not in pointed:
                    self.missed(name, self.at(i))

    def dangle(self) -> None:
        """What leads to a resource that was not read, or that fill would not make, is unread itself: it would lead nowhere."""
        lost = {i for i, frame, parts in self.keyless if _get(frame, parts) is None}
        if len(self.runs) != len(self.entries):
            lost.update(i for i in range(len(self.entries)) if i not in self.runs)
        if not lost:
            return
        index = self.index or self.indexed()
        carried = tuple(place.split(" ")[0] for place in self.carried)

        def visit(value: Any, place: str, i: int) -> None:
            if isinstance(value, list):
                for j, below in enumerate(value):
                    visit(below, f"{place}[{j}]", i)
            elif isinstance(value, dict):
                for name, below in value.items():
                    at = f"{place}.{name}"
                    if isinstance(below, dict | list):
                        visit(below, at, i)
                    elif name == "reference" and index.get(below) in lost and not at.startswith(carried):
                        self.left.append((below, at, i))

        for i in self.runs:
            if i not in lost:
                visit(self.entries[i]["resource"], self.at(i), i)

    def missed(self, name: str, where: str) -> None:
        """A reference that is not there although its target is."""
        self.issues.append(issues.reference_missing(where, self.cast.by_name[name].type, name))

    def intersect(self, spans: tuple[int, ...]) -> None:
        """One resource in several roles: unread is what none of them read."""
        parts = [range(a, b) for a, b in zip(spans[::2], spans[1::2], strict=True)]
        common = set.intersection(*({self.left[k][1] for k in part} for part in parts))
        for part in parts:
            for k in part:
                if self.left[k][1] not in common:
                    self.left[k] = (None, "", -1)


def _order(element: Element) -> int:
    return element.order


def _get(value: Any, parts: tuple[str, ...]) -> Any:
    for part in parts:
        if value.__class__ is not dict:
            return None
        value = value.get(part)
    return value
