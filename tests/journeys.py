"""Reading and judging the journeys of fixtures/journeys: what a story wants heard against what each system heard.

The format of a journey.yaml is told in fixtures/journeys/README.md. Nothing here looks at a map: a message is read back as its
reader would, by the paths of its own contract, or as a letter's paragraphs.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from adapter import Adapter, Refused, Translation
from adapter.fhir.json import decode
from adapter.fhir.outcome import is_error, rule_of
from adapter.mapping.faults import Faults
from adapter.mapping.language import compose, scalar
from adapter.shipped import FIXTURES
from adapter.systems.cases import RECEIVED

FOLDER = FIXTURES / "journeys"
_STEP = re.compile(r"([^.\[\]#]+)|\[(\d+)\]|(#)")


# a journey as it is written ------------------------------------------------------------------------------------------------
def plain(node: yaml.Node) -> Any:
    """A YAML node as dicts, lists and exact scalars; the same key twice is refused, since the first would be lost."""
    if isinstance(node, yaml.MappingNode):
        names = [plain(key) for key, _ in node.value]
        assert len(set(names)) == len(names), f"a key stands twice, near line {node.start_mark.line + 1}"
        return {name: plain(value) for name, (_, value) in zip(names, node.value, strict=True)}
    if isinstance(node, yaml.SequenceNode):
        return [plain(one) for one in node.value]
    return scalar(node)


def load(name: str) -> dict[str, Any]:
    file = FOLDER / name / "journey.yaml"
    made: dict[str, Any] = read(file.read_text(encoding="utf-8"), str(file))
    return made


def read(text: str, name: str = "") -> Any:
    """A journey's YAML as plain values, decimals exact."""
    faults = Faults(name)
    node = compose(text, faults)
    assert node is not None, faults.found
    return plain(node)


def names() -> list[str]:
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def spoken(step: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a step: of a source of many, one for each in its order; else the step itself."""
    several: list[dict[str, Any]] = step.get("messages") or [step]
    return several


# what was heard ------------------------------------------------------------------------------------------------------------
@dataclass
class Heard:
    """What came of one message for one target: the translation, or the refusal."""

    target: str
    came: Translation | Refused

    @cached_property
    def record(self) -> Any:
        """The result as its reader has it: JSON as it is, CSV as {"rows": [...]} without empty cells."""
        assert isinstance(self.came, Translation), f"{self.target} refused it: {said(self.came)}"
        return as_read(self.came.result or b"")

    @cached_property
    def paragraphs(self) -> list[str]:
        return paragraphs(self.record)


@dataclass
class Told:
    """A journey that has run: step, message of the step, target -> what was heard."""

    name: str
    story: dict[str, Any]
    heard: dict[tuple[int, int, str], Heard] = field(default_factory=dict)

    def each(self) -> Iterator[tuple[int, int, str, dict[str, Any], Heard]]:
        """Every step (from 1), message (from 0), target, what is wanted of it, and what was heard."""
        for number, step in enumerate(self.story["steps"], 1):
            for place, message in enumerate(spoken(step)):
                for target, wanted in message["heard"].items():
                    yield number, place, target, wanted, self.heard[number, place, target]

    def source(self, number: int) -> Any:
        """The native message of a step, as its writer has it."""
        return as_read((FOLDER / self.name / self.story["steps"][number - 1]["file"]).read_bytes())


def run(ost: Adapter, name: str) -> Told:
    """Every message of a journey through the adapter, for every target of it."""
    told = Told(name, load(name))
    for number, step in enumerate(told.story["steps"], 1):
        messages = spoken(step)
        for target in sorted({target for message in messages for target in message["heard"]}):
            came = _came(ost, FOLDER / name / step["file"], step["says"], target)
            assert len(came) == len(messages), f"step {number}: {len(came)} messages came of {step['file']}"
            for place, one in enumerate(came):
                told.heard[number, place, target] = Heard(target, one)
    return told


def _came(ost: Adapter, source: Path, says: str, target: str) -> list[Translation | Refused]:
    if source.is_dir() or source.suffix == ".csv":
        return list(ost.many(source, read=says, write=target, received=RECEIVED))
    try:
        return [ost.translate(source.read_bytes(), read=says, write=target, received=RECEIVED, source=source.name)]
    except Refused as refused:
        return [refused]


def said(refused: Refused) -> list[str]:
    """The errors of a refusal, as "rule at place"."""
    return sorted({f"{rule_of(i)} at {', '.join(i.get('expression', ['-']))}" for i in refused.issues if is_error(i)})


# reading it back -----------------------------------------------------------------------------------------------------------
def as_read(body: bytes) -> Any:
    if body.lstrip().startswith(b"{"):
        return decode(body)
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    return {"rows": [{name: cell for name, cell in row.items() if cell} for row in rows]}


def at(record: Any, path: str) -> Any:
    """The value at a path of names and [places]; # at its end is the number of elements. KeyError where nothing is."""
    for name, place, count in _STEP.findall(path):
        if count:
            return len(record)
        try:
            record = record[int(place)] if place else record[name]
        except (LookupError, TypeError):
            raise KeyError(path) from None
    return record


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for below in value.values():
            yield from leaves(below)
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below)
    else:
        yield value


def paragraphs(record: Any) -> list[str]:
    """The paragraphs that a person at the practice reads: the sections of the letter's Composition."""
    (document,) = (e["resource"] for e in record["entry"] if e["resource"]["resourceType"] == "Bundle")
    sections = document["entry"][0]["resource"]["section"]
    texts = [text for s in sections for text in re.findall(r"<p>(.*?)</p>", s["text"]["div"], re.DOTALL)]
    return [html.unescape(re.sub(r"<[^>]+>", "", text)) for text in texts]


# judging -------------------------------------------------------------------------------------------------------------------
def differences(wanted: dict[str, Any], heard: Heard) -> Iterator[str]:
    """Every difference between what one target was to hear and what it heard. Nothing wanted is a difference too."""
    if not any(wanted.get(name) for name in ("values", "read", "refused", "refused-among")):
        yield "nothing is wanted of it"
        return
    if isinstance(heard.came, Refused):
        among = wanted.get("refused-among")
        if sorted(wanted.get("refused", [])) != said(heard.came) if among is None else not set(among) <= set(said(heard.came)):
            yield f"refused: {said(heard.came)}"
        return
    if "refused" in wanted or "refused-among" in wanted:
        yield "it was to be refused, and was heard"
        return
    for path, value in wanted.get("values", {}).items():
        try:
            found = at(heard.record, path)
        except KeyError:
            yield f"{path}: did not come"
            continue
        if type(found) is not type(value) or str(found) != str(value):
            yield f"{path}: {found!r}, not {value!r}"
    yield from _said_of_it(wanted, heard)
    yield from _in_words(wanted, heard)


def _said_of_it(wanted: dict[str, Any], heard: Heard) -> Iterator[str]:
    """What must not be there, and what is told as not arriving."""
    for path in wanted.get("absent", ()):
        try:
            at(heard.record, path)
        except KeyError:
            continue
        yield f"{path}: came, and was not to"
    for text in wanted.get("never", ()):
        if any(text in str(leaf) for leaf in leaves(heard.record)):
            yield f"{text!r} was heard, and was not to be"
    came = heard.came
    assert isinstance(came, Translation)
    yield from _told("not arriving", wanted.get("unread", []), came.unread["source"] + came.unread["bundle"])
    notes = sorted(
        f"{i['severity']} {rule_of(i)} at {', '.join(i.get('expression', ['-']))}" for i in came.found if rule_of(i) != "unread"
    )
    if sorted(wanted.get("told", [])) != notes:
        yield f"told besides: {notes}"
    yield from _told("left out for a stated reason", wanted.get("ignored", []), [*came.ignored["bundle"]])


def _told(how: str, wanted: list[str], places: list[str]) -> Iterator[str]:
    """The places told of, against those wanted, each of which stands for all that is below it."""
    left = places
    for above in wanted:
        below = [place for place in left if _is_below(place, above)]
        if not below:
            yield f"{above} is not told as {how}"
        left = [place for place in left if place not in below]
    if left:
        yield f"told as {how}, and was to arrive: {sorted(left)}"


def _is_below(place: str, above: str) -> bool:
    """Whether a place is the one above, or in it."""
    return place == above or place.startswith((f"{above}.", f"{above}["))


def _in_words(wanted: dict[str, Any], heard: Heard) -> Iterator[str]:
    """The sentences of a letter: each stands in one paragraph; several in a list stand in the same one."""
    for one in wanted.get("read", ()):
        together = one if isinstance(one, list) else [one]
        if not any(all(_stands(text, paragraph) for text in together) for paragraph in heard.paragraphs):
            yield f"nobody reads {one!r}"
    for text in wanted.get("unwritten", ()):
        if any(text in paragraph for paragraph in heard.paragraphs):
            yield f"{text!r} is read, and was not to be"


def _stands(text: str, paragraph: str) -> bool:
    """Whether the words stand there whole: 4 ml is not in 40 ml, nor 40 ml in 240 ml."""
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", paragraph) is not None
