"""Every rule that an issue can name is a code of CodeSystem/rule, so that a reader can look it up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import adapter
from adapter.shipped import PROFILES

#: issue(severity, code, rule, ...) with the rule written out.
_CALL = re.compile(r'issue\(\s*(?:"[a-z]+"|[^,"]+),\s*(?:"[a-z-]+"|[^,"]+),\s*"([a-z][a-z0-9-]*)"')


def test_every_rule_in_the_code_is_a_code_of_the_code_system() -> None:
    known = {c["code"] for c in json.loads((PROFILES / "CodeSystem-rule.json").read_text("utf-8"))["concept"]}
    named = {rule for file in Path(adapter.__file__).parent.rglob("*.py") for rule in _CALL.findall(file.read_text("utf-8"))}
    assert len(named) > 25
    assert named - known == set()
