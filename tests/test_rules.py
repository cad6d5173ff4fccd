"""Every rule that an issue can name is a code of CodeSystem/rule, so that a reader can look it up."""

from __future__ import annotations

import json
import re
from pathlib import Path

import adapter
from adapter.fhir import json as strict_json
from adapter.shipped import PROFILES
from adapter.wire import csv_rows

#: issue(severity, code, rule, ...) and Problem(status, rule, ...) with the rule written out.
_CALLS = (
    re.compile(r'issue\(\s*(?:"[a-z]+"|[^,"]+),\s*(?:"[a-z-]+"|[^,"]+),\s*"([a-z][a-z0-9-]*)"'),
    re.compile(r'Problem\(\s*\d+,\s*"([a-z-]+)"'),
    re.compile(r'self\._issue\(\s*"([a-z][a-z0-9-]*)"'),
)


def test_every_rule_in_the_code_is_a_code_of_the_code_system() -> None:
    known = {c["code"] for c in json.loads((PROFILES / "CodeSystem-rule.json").read_text("utf-8"))["concept"]}
    texts = [file.read_text("utf-8") for file in Path(adapter.__file__).parent.rglob("*.py")]
    named = {rule for text in texts for call in _CALLS for rule in call.findall(text)} | {*strict_json._RULES, *csv_rows._RULES}
    assert len(named) > 60
    assert named - known == set()
