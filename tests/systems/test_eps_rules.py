"""The rules of EPS as a whole: each is tried by the tests of a message, and each can be read by a person."""

from __future__ import annotations

from adapter.systems.eps_rules import rules
from tests.systems import test_eps, test_eps_notification, test_eps_update

#: What no row of a table can try: messages of another kind, and what is asked on writing alone.
APART = {
    "dose-outcome": test_eps_notification.test_no_dose_outcome_travels_by_eps,
    "answer": test_eps_update.test_an_answer_is_refused_by_name_whoever_is_asked_to_read_it,
    "event": test_eps.test_other_messages_are_refused_by_name_and_nothing_else_is_said,
    "update-change": test_eps_update.test_of_all_changes_eps_carries_a_cancellation_alone,
}


def test_every_rule_is_tried() -> None:
    tried = {row[0] for table in (test_eps.RULES, test_eps_notification.RULES, test_eps_update.RULES) for row in table}
    assert tried | set(APART) == set(rules())


def test_every_rule_says_what_is_wrong_and_how_to_mend_it() -> None:
    for name, rule in rules().items():
        assert rule.severity in ("error", "warning", "information"), name
        assert rule.text.endswith(".") and rule.mend.endswith("."), name
