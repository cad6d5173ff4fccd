"""The rules of the house that a machine can hold: floors, libraries, purity, names, sizes. Read from the source alone."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "adapter"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(), str(path)) for path in MODULES}
SYSTEMS = sorted(folder.name for folder in (ROOT / "mappings").iterdir() if folder.is_dir())

#: A module imports its own floor's folder and what lies below; folders of one number do not know each other.
FLOORS = {"fhir": 1, "mapping": 2, "wire": 2, "systems": 3, "care": 4, "exchange": 5, "bulk": 5, "interfaces": 6}
#: Modules of the package's own top: where the shipped data lies, which all may ask, and what is put together for users,
#: which only interfaces may use.
SHIPPED, FACADE = 0, 5

#: Library -> the folders and modules that may import it.
LIBRARIES = {
    "fhir": ("fhir/second_opinion.py", "fhir/schema/"),
    "fhir_core": ("fhir/second_opinion.py", "fhir/schema/"),
    "pydantic": ("fhir/second_opinion.py", "fhir/schema/"),
    "jsonschema": ("fhir/",),
    "jsonschema_rs": ("fhir/",),
    "jiter": ("fhir/",),
    "msgspec": ("fhir/",),
    "duckdb": ("wire/",),
    "requests": ("wire/",),
    "click": ("interfaces/",),
    "flask": ("interfaces/",),
    "werkzeug": ("interfaces/",),
    "gunicorn": ("interfaces/",),
    "rich": ("interfaces/",),
    "jinja2": ("interfaces/",),
    "markupsafe": ("interfaces/",),
    "holidays": ("care/",),
}


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that is imported, at whatever depth, for typing as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _all_imports() -> Iterator[tuple[Path, int, str]]:
    for path, tree in TREES.items():
        package = ".".join(path.parent.relative_to(ROOT).parts)
        for line, name in _imports(tree, package):
            yield path, line, name


def _floor(dotted: str) -> tuple[int, str]:
    """Floor and folder of a module of ours, by its dotted name."""
    parts = dotted.split(".")
    if len(parts) > 1 and parts[1] in FLOORS:
        return FLOORS[parts[1]], parts[1]
    return (SHIPPED, "shipped") if parts[1:2] == ["shipped"] else (FACADE, "")


def _looks_up(path: Path, imported: str) -> bool:
    own, folder = _floor(".".join(path.relative_to(ROOT).with_suffix("").parts))
    other, their_folder = _floor(imported)
    return other > own or (other == own and folder != their_folder)


def test_imports_look_down() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, line, name in _all_imports()
        if name.split(".")[0] == "adapter" and path.name != "__main__.py" and _looks_up(path, name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "imported", "up"),
    [
        ("fhir/gate.py", "adapter.mapping.codecs", True),
        ("mapping/fill.py", "adapter.wire.csv", True),
        ("mapping/fill.py", "adapter.mapping.tree.Hole", False),
        ("wire/csv.py", "adapter.fhir.json.decode", False),
        ("wire/csv.py", "adapter.shipped.ROOT", False),
        ("fhir/gate.py", "adapter.load", True),
        ("interfaces/cli.py", "adapter.load", False),
        ("__init__.py", "adapter.systems.load", False),
        ("__init__.py", "adapter.interfaces.cli", True),
    ],
)
def test_the_floors_test_would_see_it(module: str, imported: str, up: bool) -> None:
    assert _looks_up(PACKAGE / module, imported) is up


def test_libraries_stay_where_they_belong() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, line, name in _all_imports()
        if (homes := LIBRARIES.get(name.split(".")[0])) and not _name(path).startswith(homes)
    ]
    assert wrong == []


def test_every_library_is_declared_and_used() -> None:
    import tomllib
    from importlib.metadata import packages_distributions

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=!~\[; ]", one)[0].lower().replace("_", "-") for one in project["dependencies"]}
    import sys

    ours = sys.stdlib_module_names | {"adapter"}
    imported = {name.split(".")[0] for _, _, name in _all_imports()} - ours
    owners = packages_distributions()
    used = {dist.lower().replace("_", "-") for name in imported for dist in owners.get(name, [name])}
    # werkzeug, jinja2 ... come with flask, fhir-core and pydantic with fhir.resources: parts of them, not choices of ours.
    parts = {"werkzeug", "fhir-core", "pydantic"}
    data = {"tzdata"}  # read by zoneinfo, never imported
    assert used - parts - declared == set(), "imported and not declared"
    assert declared - used - data - _for_later() == set(), "declared and not imported"


def _for_later() -> set[str]:
    """Nothing may be declared for later; the set stays empty so that a reader sees it was thought of."""
    return set()


PURE = ("fhir", "mapping", "systems", "care")
NOT_PURE = {
    "now",
    "utcnow",
    "today",
    "uuid1",
    "uuid4",
    "perf_counter",
    "monotonic",
    "random",
    "getrandbits",
    "token_hex",
    "urandom",
}


def test_translation_knows_no_clock_and_no_chance() -> None:
    """Same input, same bytes: time is an argument, ids come from keys."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.func.attr}"
        for path, tree in TREES.items()
        if path.relative_to(PACKAGE).parts[0] in PURE
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NOT_PURE
    ]
    wrong += [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path, line, name in _all_imports()
        if name.split(".")[0] in ("random", "secrets") and path.relative_to(PACKAGE).parts[0] in PURE
    ]
    assert wrong == []


def _own_modules() -> dict[str, Path]:
    """System -> its module, which may be shared: `module:` of its manifest says so."""
    manifests = {s: yaml.safe_load((ROOT / "mappings" / s / "system.yaml").read_text()) for s in SYSTEMS}
    return {s: PACKAGE / "systems" / f"{said.get('module', s)}.py" for s, said in manifests.items()}


def test_only_its_own_module_names_a_system() -> None:
    """Adding a system is adding folders: no list, enum or factory may name one."""
    kinds = {"gp", "pharmacy", "treatment", "laboratory", "hospital", "prison", "national", "commissioner"}
    own = _own_modules()
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named = [s for s in SYSTEMS if node.value.startswith(f"{s}/") or (node.value == s and s not in kinds)]
                own_parts = [s for s in named if path == own[s] or path.stem == s or path.stem.startswith(f"{s}_")]
                wrong += [f"{path.relative_to(ROOT)}:{node.lineno} names {s}" for s in named if s not in own_parts]
    assert wrong == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_message_of_a_system_has_fixtures(system: str) -> None:
    manifest = yaml.safe_load((ROOT / "mappings" / system / "system.yaml").read_text())
    for message in manifest["messages"]:
        cases = [case for case in (ROOT / "fixtures" / system / message).glob("*") if case.is_dir()]
        assert cases, f"fixtures/{system}/{message}/ has no case"
        for case in cases:
            names = {path.name.partition(".")[0].partition("-")[0] for path in case.iterdir()}
            compared = (
                ("in" in names and names & {"bundle", "outcome"}) or {"bundle", "out"} <= names or {"bundle", "outcome"} <= names
            )
            assert compared, f"{case.relative_to(ROOT)} has an input and nothing to compare it with"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    tree = TREES[path]
    assert not tree.body or ast.get_docstring(tree), "open with a sentence or two"


def test_names_say_what_a_thing_is() -> None:
    vague = re.compile(r"(Service|Manager|Helper|Handler|Processor)$|(^|_)utils?$|(^|_)helpers?$|(^|_)misc$")
    wrong = [_name(path) for path in MODULES if vague.search(path.stem)]
    wrong += [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and vague.search(node.name)
    ]
    assert wrong == []


def _begins(node: ast.FunctionDef) -> int:
    """The line before a function's first statement that is not its docstring."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return body[0].lineno - 1


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}: {lines} lines"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (lines := (node.end_lineno or 0) - _begins(node)) > 60
    ]
    assert long == []


def test_modules_stay_short() -> None:
    lines = {_name(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: n for name, n in lines.items() if n > 600} == {}
    assert sum(n > 300 for n in lines.values()) <= len(lines) / 8, "few modules have more than 300 lines"


def _text_files() -> list[Path]:
    """What git tracks or would track, and is text."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if listed.returncode:  # an unpacked source distribution has no git
        return [
            path
            for folder in ("adapter", "mappings", "profiles", "fixtures", "tests", "docs")
            for path in (ROOT / folder).rglob("*")
        ]
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_nothing_is_left_for_later_and_no_machine_is_named() -> None:
    machine = re.compile(r"(^|[^A-Za-z0-9_./-])/(?:work|farm|root|Users|home)/")
    later = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", "raise Not" + "ImplementedError")))
    wrong = []
    for path in _text_files():
        try:
            text = path.read_text()
        except (UnicodeDecodeError, IsADirectoryError, FileNotFoundError):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if machine.search(line) or (later.search(line) and path.suffix in (".py", ".md", ".toml", "")):
                wrong.append(f"{path.relative_to(ROOT)}:{number}")
    assert wrong == []
