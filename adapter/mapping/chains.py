"""A hole's chain of ConceptMaps and codecs as generated code: with the value to FHIR in fill, against it in match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapter.mapping.source import Source
from adapter.mapping.spec import Step, TableSpec
from adapter.mapping.tree import Hole, Literal, Object

Codes = dict[str | None, str | None]


class Chains:
    """Writes chains into one generated module; S there gathers the issues."""

    def __init__(self, src: Source) -> None:
        self.src = src
        self._tables: dict[tuple[str, bool], Codes] = {}

    def codes(self, step: Step, back: bool) -> str:
        """The name of a ConceptMap's table, from source to target or back, in which nothing becomes nothing."""
        assert step.codemap is not None
        key = step.name, back
        if key not in self._tables:
            rows = step.codemap.backward or {} if back else step.codemap.forward
            self._tables[key] = Codes(rows) | {None: None}
        return self.src.bind("back" if back else "cm", self._tables[key])

    def read(self, steps: Sequence[Step], value: str, present: str, where: str) -> str:
        """The variable with what these steps make of a record value.

        present: the condition under which there is a value; where: an expression for its place.
        """
        for n, step in enumerate(steps):
            if step.codemap is not None and step.display:
                made = self.src.name("c")
                self.src(f"{made} = {self.src.bind('cm', step.codemap.display)}.get({value})")
                value = made
            elif step.codemap is not None:
                value = self._looked_up("c", self.codes(step, False), value, where, step)
            else:
                assert step.codec is not None
                half = self.src.bind("read", step.codec.read)
                value = self._called("c", half, value, f"{value} is not None" if n else present, where, step)
        return value

    def write(self, steps: Sequence[Step], value: str, where: str) -> str:
        """The variable with the record value that FHIR's value comes from, through the same steps backwards."""
        for step in reversed(steps):
            if step.codemap is not None:
                value = self._looked_up("t", self.codes(step, True), value, where, step)
            else:
                assert step.codec is not None
                half = self.src.bind("write", step.codec.write)
                value = self._called("t", half, value, f"{value} is not None", where, step)
        return value

    def _looked_up(self, stem: str, table: str, value: str, where: str, step: Step) -> str:
        src = self.src
        made = src.name(stem)
        with src.block("try:"):
            src(f"{made} = {table}[{value}]")
        with src.block("except (KeyError, TypeError):"):
            src(f"{made} = S.unknown({where}, {step.name!r})")
        return made

    def _called(self, stem: str, half: str, value: str, test: str, where: str, step: Step) -> str:
        src = self.src
        made = src.name(stem)
        src(f"{made} = None")
        with src.block(f"if {test}:"):
            with src.block("try:"):
                src(f"{made} = {half}({value})")
            with src.block("except WRONG:"):
                src(f"{made} = S.failed({where}, {step.name!r})")
        return made


def forward(hole: Hole, steps: Sequence[Step]) -> Callable[[tuple[Any, ...]], Any]:
    """The chain as a function, record values -> FHIR value, for what match can only compare."""
    table = table_of(hole, steps)
    if table is not None:
        return lambda values: table.get(values[0])

    def work(values: tuple[Any, ...]) -> Any:
        value: Any = values[0] if len(values) == 1 else values
        for step in steps:
            if value is None:
                return None
            if step.codemap is not None:
                value = (step.codemap.display if step.display else step.codemap.forward).get(value)
            else:
                assert step.codec is not None
                value = step.codec.read(value)
        return value

    return work


def table_of(hole: Hole, steps: Sequence[Step]) -> Mapping[str, str | None] | None:
    """The table that is all there is between the one path of a hole and its element, if so."""
    if len(hole.paths) != 1 or len(steps) != 1 or steps[0].codemap is None:
        return None
    return steps[0].codemap.display if steps[0].display else steps[0].codemap.forward


def kept_step(spec: TableSpec, node: Object, name: str) -> tuple[Hole, Step] | None:
    """The code hole and ConceptMap of `coding: [{system: literal, code: $x | map}]`, where the map names its source.

    An unknown code is kept there as the source's own coding, and read back from it.
    """
    code = node.fields.get("code")
    if (
        name != "coding"
        or not isinstance(code, Hole)
        or len(code.paths) != 1
        or len(code.codecs) != 1
        or code.codecs[0] in spec.required_codes
    ):
        return None
    step = spec.steps[code.codecs[0]]
    if step.codemap is None or step.display or not step.codemap.source or not isinstance(node.fields.get("system"), Literal):
        return None
    return code, step
