"""Documentation cannot rot: what exists is described, what is described exists, and the README's commands run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from adapter import Adapter
from adapter.interfaces.cli import cli
from adapter.interfaces.exits import Exit
from adapter.interfaces.settings import PREFIX, Settings
from tests.documents import ROOT, Block, blocks, section
from tests.interfaces.running import environment

README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def _rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading of the reference, without heads and rules."""
    lines = [line for line in section(REFERENCE, heading).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rules = [at for at, row in enumerate(cells) if set("".join(row)) <= {"-", " "}]
    return [row for at, row in enumerate(cells) if at not in rules and at + 1 not in rules]


def _commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _options(command: click.Command) -> set[str]:
    return {name for each in command.params if isinstance(each, click.Option) for name in (*each.opts, *each.secondary_opts)}


COMMANDS = dict(_commands())
SHARED = {"--mappings", "--lenient", "--strict"}


def test_every_command_and_option_is_in_the_reference_and_no_other() -> None:
    described = {}
    for row in _rows("Commands"):
        words = row[0].strip("`").split()
        described[tuple(word for word in words[1:] if word.islower())] = set(re.findall(r"`(-[-\w]+)`", row[2]))
    assert described == {path: _options(command) - SHARED for path, command in COMMANDS.items()}
    text = section(REFERENCE, "Commands")
    assert all(option in text for option in SHARED | _options(cli))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_explains_itself(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert [each.name for each in command.params if isinstance(each, click.Option) and not each.help] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_command_option_or_file_that_is_not_there(page: Path) -> None:
    text = page.read_text()
    for said in re.findall(r"ost-adapter((?: +[a-z]+)+)((?: +[^\s`|]+)*)", text):
        words = tuple(said[0].split())
        path = next((words[:n] for n in (2, 1) if words[:n] in COMMANDS), None)
        assert path or words[0] in cli.commands or page.name == "CHANGELOG.md", f"ost-adapter {' '.join(words)}"
        if path:
            used = set(re.findall(r"(?<= )--?[a-z][-a-z]*", said[1]))
            assert used <= _options(COMMANDS[path]) | {"-h", "--help"}, said
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", text):
        assert (page.parent / link).exists(), link
    for path_name in re.findall(r"(?<![\w/<{-])fixtures/[\w./-]+\.json", text):
        assert (ROOT / path_name).exists(), path_name


def test_the_exit_codes_are_in_the_reference() -> None:
    described = {int(code): says for code, says in _rows("Exit codes")}
    assert set(described) == {int(code) for code in Exit}
    assert all(described[code].startswith(code.says) for code in Exit)


def test_the_settings_are_in_the_reference_with_their_defaults() -> None:
    described = {name.strip("`"): (default, says) for name, default, says in _rows("Settings")}
    assert set(described) == {PREFIX + each.name.upper() for each in fields(Settings)}
    for each in fields(Settings):
        default, says = described[PREFIX + each.name.upper()]
        value = getattr(Settings(), each.name)
        assert default == ("none" if value == () else str(value).lower())
        assert says.startswith(each.metadata["says"])


def test_every_route_is_in_the_reference_and_no_other(ost: Adapter) -> None:
    from adapter.interfaces.http import create_app

    rules = list(create_app(ost).url_map.iter_rules())
    named = {r.rule: re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", r.rule) for r in rules}
    routes = {f"{m} {named[r.rule]}" for r in rules for m in (r.methods or set()) - {"HEAD", "OPTIONS"}}
    described = {said for row in _rows("HTTP") for said in re.findall(r"`((?:GET|POST) [^`]+)`", row[0])}
    assert described == routes


def test_the_statuses_are_in_the_reference() -> None:
    from adapter.fhir.outcome import HTTP_STATUS

    described = {int(code) for row in _rows("HTTP") for code in re.findall(r"\b\d{3}\b", row[0])}
    named = {200, 400, 404, 405, 406, 413, 414, 415, 422, 431, 500, 501}
    assert described == named
    assert set(HTTP_STATUS.values()) - {503} <= named, "503 is for what is stored, and nothing is stored yet"


def test_the_mapping_reference_is_what_the_maps_say(ost: Adapter) -> None:
    """`make docs` makes it anew. It names every codec as well."""
    from adapter.interfaces import mapping_reference, survival_pages

    made = {**mapping_reference.pages(ost), **survival_pages.pages(ost)}
    there = {file.name: file.read_text() for file in (ROOT / "docs" / "maps").glob("*.md")}
    assert set(there) == set(made)
    assert [name for name in made if made[name] != there[name]] == [], "run make docs"


def test_every_codec_has_its_line_with_its_use_or_its_purpose(ost: Adapter) -> None:
    from adapter.mapping.codecs import REGISTRY

    lines = [
        line.split("|")[1:-1]
        for line in (ROOT / "docs" / "maps" / "codecs.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    described = {cells[0].strip(" `"): [cell.strip() for cell in cells[2:]] for cells in lines}
    assert {name for name, said in described.items() if any(said)} == set(REGISTRY)


def test_every_target_of_make_is_listed_by_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)[0].split())
    assert phony == set(re.findall(r"^([a-z]+):.*##", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", README + REFERENCE)) <= phony


STEPS = section(README, "Add a system in five steps")
RUN = [block for block in blocks(README) if block.runs and block.language in ("sh", "python") and block.text not in STEPS]


@pytest.mark.parametrize("block", RUN, ids=lambda block: f"line-{block.line}")
def test_the_readmes_commands_run(block: Block) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = ["bash", "-euo", "pipefail", "-c", block.text] if block.language == "sh" else [sys.executable, "-c", block.text]
    ran = subprocess.run(run, cwd=ROOT, env=environment({"PATH": path}), capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def test_the_readme_has_commands_to_run() -> None:
    assert len(RUN) >= 3
    assert len([block for block in blocks(STEPS) if block.language == "sh"]) == 2
