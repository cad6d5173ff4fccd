"""Runs tests with one control of the hazard log switched off, in memory: no file of the tree is changed.

`python -m tests.disabled` reads a job a line, {"tests": pytest node ids, "disable": edits and stand-ins}, and answers each with a line:
{"exit": pytest's exit code, "failed": {node: exception}, "unread": edited files that nothing read, "said": output}. Every job is a
process of its own, forked from one that has read other people's libraries and nothing of ours: a job costs a third of what it would.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
Json = dict[str, Any]
_LIBRARIES = "hypothesis yaml jsonschema jsonschema_rs msgspec jiter duckdb flask holidays nhs_number".split()


def edited(disable: Iterable[Json]) -> dict[Path, str]:
    """File -> its text with every edit of it made. Raises ValueError where `old` does not stand there as often as is said."""
    made: dict[Path, str] = {}
    for one in disable:
        if "file" in one:
            path, old = ROOT / one["file"], str(one["old"])
            text = made.get(path) or path.read_text("utf-8")
            if text.count(old) != one.get("times", 1):
                raise ValueError(f"{one['file']} has {old!r} {text.count(old)} times")
            made[path] = text.replace(old, str(one["new"]))
    return made


def owner_of(attribute: str) -> tuple[Any, str]:
    """The module or class that an attribute stands in, and its name there. Raises AttributeError where there is none."""
    *way, name = attribute.split(".")
    for length in range(len(way), 0, -1):
        file = ROOT.joinpath(*way[:length])
        if file.is_dir() or file.with_suffix(".py").is_file():
            found: Any = importlib.import_module(".".join(way[:length]))
            for part in way[length:]:
                found = getattr(found, part)
            getattr(found, name)
            return found, name
    raise AttributeError(f"nothing of ours is called {attribute}")


class Disabled:
    """A pytest plugin: what is switched off, whether anything read it, and which tests failed. Made before anything of ours is imported."""

    def __init__(self, disable: list[Json]) -> None:
        assert "adapter" not in sys.modules
        self.edits = edited(disable)
        self.unread = {str(path.relative_to(ROOT)) for path in self.edits}
        self.failed: dict[str, str] = {}
        self._edit_code()
        self._edit_data()
        for one in disable:
            if "attribute" in one:
                owner, name = owner_of(one["attribute"])
                setattr(owner, name, lambda *_, value=one["returns"], **__: value)

    def _text(self, path: str | Path) -> str | None:
        whole = Path(path).resolve()
        self.unread.discard(str(whole.relative_to(ROOT)) if whole in self.edits else "")
        return self.edits.get(whole)

    def _edit_code(self) -> None:
        of_file = SourceFileLoader.get_code

        def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
            text = self._text(loader.path) if fullname.startswith("adapter") else None
            return of_file(loader, fullname) if text is None else compile(text, loader.path, "exec", dont_inherit=True)

        setattr(SourceFileLoader, "get_code", get_code)  # noqa: B010 - for the life of this process

    def _edit_data(self) -> None:
        as_text, as_bytes = Path.read_text, Path.read_bytes
        names = {path.name for path in self.edits}

        def read_text(path: Path, *arguments: Any, **named: Any) -> str:
            text = self._text(path) if path.name in names else None
            return as_text(path, *arguments, **named) if text is None else text

        def read_bytes(path: Path) -> bytes:
            text = self._text(path) if path.name in names else None
            return as_bytes(path) if text is None else text.encode()

        setattr(Path, "read_text", read_text)  # noqa: B010
        setattr(Path, "read_bytes", read_bytes)  # noqa: B010

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any]) -> None:
        """Note what a test, or the collecting of one, failed of."""
        assert call.excinfo is not None
        self.failed[node.nodeid] = call.excinfo.typename


def run(tests: list[str], disable: list[Json]) -> Json:
    """Run these nodes in this process, which is of no use for anything else afterwards."""
    plugin = Disabled(disable)
    options = ["-q", "--tb=no", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
    exit_code = pytest.main([*options, *tests], plugins=[plugin])
    return {"exit": int(exit_code), "failed": plugin.failed, "unread": sorted(plugin.unread)}


def _answer(job: Json) -> Json:
    """The answer to a job, from a fork."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said, tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        child = os.fork()
        if not child:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            try:
                json.dump(run(**job), answer)
                answer.flush()
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(0)
        os.waitpid(child, 0)
        said.seek(0)
        answer.seek(0)
        return {"exit": -1, "failed": {}, "unread": [], **json.loads(answer.read() or "{}"), "said": said.read()}


if __name__ == "__main__":
    for library in _LIBRARIES:
        importlib.import_module(library)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)
