"""EMIS consultations and referrals: what the columns prove, what they do not, and that nothing of a record is lost in silence."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import Adapter, Refused
from adapter.fhir.outcome import is_error, rule_of
from adapter.mapping.codecs import REGISTRY
from adapter.shipped import FIXTURES, MAPPINGS
from adapter.systems import emis_care
from adapter.systems.message import Account, Message
from tests.test_fixtures import RECEIVED

# words, by hand -----------------------------------------------------------------------------------------------------
#: What the words of a consultation's source say of how it was held.
MEDIUM = {
    "face-to-face": {"face to face consultation", "follow up attendance face to face"},
    "home-visit": {
        "home visit",
        "home visit note",
        "nursing home visit note",
        "residential home visit note",
        "seen in own home",
    },
    "telephone": {
        "telephone consultation",
        "telephone call to a patient",
        "telephone call from a patient",
        "telephone encounter",
        "telephone triage",
        "telephone triage encounter",
        "nurse telephone triage",
        "first telephone consultation",
        "out of hours telephone consultation",
    },
    "video": {"consultation via video conference"},
    "text-message": {"consultation via sms text message", "sms text message sent to patient"},
    "written": {
        "mail to patient",
        "mail from patient",
        "letter encounter from patient",
        "e-mail consultation",
        "e-mail sent to patient",
        "e-mail received from patient",
    },
    "third-party": {
        "third party consultation",
        "telephone call to relative/carer",
        "telephone call from relative/carer",
        "face to face consultation with relative/carer",
        "e-mail sent to carer",
        "email received from third party",
    },
    "no-contact": {
        "no patient contact",
        "information (no patient contact)",
        "discussion with colleague",
        "multidisciplinary team meeting without patient",
    },
}
#: Kinds of entry that are consultations of a general practice.
CONSULTATIONS = {
    "gp surgery",
    "g.p.surgery",
    "main surgery",
    "branch surgery",
    "surgery consultation",
    "telephone consultation",
    "telephone call to a patient",
    "telephone call from a patient",
    "telephone encounter",
    "telephone triage encounter",
    "nurse telephone triage",
    "first telephone consultation",
    "face to face consultation",
    "follow up attendance face to face",
    "routine consultation",
    "urgent consultation",
    "emergency consultation",
    "emergency appointment",
    "same day appointment",
    "extended hours consultation",
    "home visit note",
    "nursing home visit note",
    "residential home visit note",
    "walk-in clinic",
    "clinic note",
    "consultation via video conference",
    "consultation via sms text message",
    "e-mail consultation",
}
MISSED = {
    "did not attend",
    "did not attend - surgery",
    "did not attend for appointment",
    "did not arrive",
    "contact method: did not attend",
    "d.n.a.",
    "dna",
}


def rows(name: str) -> dict[str, str]:
    group = json.loads((MAPPINGS / f"emis/codes/{name}.json").read_text("utf-8"))["group"][0]
    return {one["code"]: one["target"][0]["code"] for one in group["element"]}


def test_the_code_lists_are_these_and_no_others() -> None:
    assert rows("consultation-medium") == {word: medium for medium, words in MEDIUM.items() for word in words}
    assert rows("consultation-type") == dict.fromkeys(CONSULTATIONS, "gp-consultation")
    assert rows("consultation-attendance") == dict.fromkeys(MISSED, "did-not-attend")


@pytest.mark.parametrize(
    "words",
    [
        "GP Surgery",
        "Main Surgery",
        "G.P. Morning Surgery",
        "Seen in GP's surgery",
        "Clinic note",
        "Nurse Triage",
        "Triage",
        "Urgent consultation",
        "Telephone call",
        "Telephone",
        "Administration note",
        "Patient Not Seen",
        "Night visit note",
        "Children's home visit note",
        "Nursing Home",
        "Consultation via multimedia",
        "Not face to face consultation",
        "",
    ],
)
def test_words_that_leave_a_doubt_say_no_medium_and_so_never_face_to_face(words: str) -> None:
    assert emis_care.medium((words, None)) is None
    assert emis_care.encounter_class((False, words, None)) == "VR"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (("  Telephone   CONSULTATION ", None), "telephone"),
        (("Main Surgery", "Telephone consultation"), "telephone"),
        ((None, "Home visit note"), "home-visit"),
        (("Telephone consultation", "Telephone encounter"), "telephone"),
        (("Telephone consultation", "Face to face consultation"), None),
        ((None, None), None),
    ],
)
def test_the_words_and_those_of_the_code_agree_or_say_nothing(terms: tuple[str | None, str | None], said: str | None) -> None:
    assert emis_care.medium(terms) == said


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (("General Practice", "Main Surgery", None), "gp-consultation"),
        (("General Practice", None, "Telephone consultation"), "gp-consultation"),
        (("General Practice", "Scanned document", None), None),
        (("General Practice", "Did Not Attend", None), None),
        (("Community", "Main Surgery", None), None),
        ((None, "Main Surgery", None), None),
    ],
)
def test_a_general_practice_s_consultations_are_those_alone(said: tuple[str | None, ...], kind: str | None) -> None:
    assert emis_care.consultation_type(said) == kind  # type: ignore[arg-type]


# attendance ------------------------------------------------------------------------------------------------------------
SEEN, DNA = "Main Surgery", "Did Not Attend"


@pytest.mark.parametrize(
    ("term", "dna", "sent_in", "deleted", "said"),
    [
        (SEEN, None, None, None, None),
        (SEEN, False, None, False, None),  # not marked as missed is not come
        (SEEN, False, "09:41:00", False, "attended"),
        (SEEN, None, "09:41:00", None, "attended"),
        (SEEN, True, None, False, "did-not-attend"),
        (SEEN, True, None, None, "did-not-attend"),
        (SEEN, True, "09:41:00", False, None),
        (SEEN, True, None, True, None),
        (SEEN, False, "09:41:00", True, None),
        (DNA, None, None, None, "did-not-attend"),
        (DNA, False, None, False, "did-not-attend"),
        (DNA, False, "09:41:00", False, None),
        (DNA, False, "09:41:00", True, "did-not-attend"),
    ],
)
def test_attendance_is_said_where_one_thing_proves_it(
    term: str, dna: bool | None, sent_in: str | None, deleted: bool | None, said: str | None
) -> None:
    assert emis_care.attendance((term, None, dna, sent_in, deleted)) == said
    assert emis_care.attendance((None, term, dna, sent_in, deleted)) == said


CONTACTS = list(product((SEEN, DNA, None), (None,), (True, False, None), ("09:41:00", None), (True, False, None)))


def test_the_status_always_agrees_with_the_attendance() -> None:
    """docs/hub.md: cancelled where the person did not come; finished or in-progress where they came; or unknown."""
    allowed = {
        "attended": {"finished", "in-progress"},
        "did-not-attend": {"cancelled"},
        None: {"finished", "in-progress", "unknown"},
    }
    for contact, complete in product(CONTACTS, (True, False, None)):
        said, status = emis_care.attendance(contact), emis_care.encounter_status((False, complete, *contact))
        assert status in allowed[said], (contact, complete)
        assert emis_care.encounter_status((True, complete, *contact)) == "entered-in-error"
        if complete is False and said != "did-not-attend":
            assert status in ("in-progress", "unknown")


def test_a_contact_that_did_not_take_place_has_no_period_and_no_length() -> None:
    for contact in CONTACTS:
        missed = emis_care.attendance(contact) == "did-not-attend"
        day = ("2026-03-16", "YMD")
        assert (emis_care.started((*day, None, *contact)) is None) == missed
        assert (emis_care.no_start((None, "U", *contact)) is None) == missed
        assert (emis_care.minutes(("13", *contact)) is None) == missed
        assert (emis_care.planned_start((None, None, *day, *contact)) == "2026-03-16") == missed
        if missed:
            assert emis_care.ended((*day, "2026-03-16", "09:55:00", *contact)) is None


CAME = (SEEN, None, False, "09:41:00", False)


@pytest.mark.parametrize(
    ("date", "meant", "appointment", "left", "start", "end"),
    [
        ("2026-03-16", "YMD", "2026-03-16", "09:55:00", "2026-03-16T09:41:00+00:00", "2026-03-16T09:55:00+00:00"),
        ("2026-07-16", "YMDT", "2026-07-16", None, "2026-07-16T09:41:00+01:00", None),
        ("2026-03-16", "YMD", "2026-03-17", "09:55:00", "2026-03-16", None),
        ("2026-03-16", "YMD", None, None, "2026-03-16", None),
        ("2026-03-16", "YM", "2026-03-16", "09:55:00", "2026-03", None),
        ("2026-03-16", "YMD", "2026-03-16", "09:40:59", "2026-03-16T09:41:00+00:00", None),  # left before sent in
        ("2026-03-16", "U", "2026-03-16", "09:55:00", None, None),
        ("16/03/2026", "YMD", "2026-03-16", "09:55:00", None, None),
        ("2026-03-16", "QUARTER", None, None, None, None),
        ("2026-02-30", "YMD", None, None, None, None),
    ],
)
def test_a_period_is_as_precise_as_what_proves_it(
    date: str, meant: str, appointment: str | None, left: str | None, start: str | None, end: str | None
) -> None:
    assert emis_care.started((date, meant, appointment, *CAME)) == start
    assert emis_care.ended((date, meant, appointment, left, *CAME)) == end


@pytest.mark.parametrize(
    ("slot", "start", "end"),
    [
        (("2026-03-16", "09:30:00", "15", False), "2026-03-16T09:30:00+00:00", "2026-03-16T09:45:00+00:00"),
        (("2026-03-16", "23:50:00", "20", None), "2026-03-16T23:50:00+00:00", "2026-03-17T00:10:00+00:00"),
        (("2026-03-29", "00:50:00", "20", None), "2026-03-29T00:50:00+00:00", None),  # ends in an hour that is skipped
        (("2026-10-25", "01:30:00", "15", None), "2026-10-25", None),  # in one that is shown twice
        (("2026-03-16", None, "15", None), "2026-03-16", None),
        (("2026-03-16", "09:30:00", "a while", None), "2026-03-16T09:30:00+00:00", None),
        (("2026-03-16", "0.4583", "15", None), None, None),
        (("2026-03-16", "09:30:00", "15", True), None, None),
        ((None, None, None, None), None, None),
    ],
)
def test_the_appointment_is_planned_from_and_to_where_it_says_so(
    slot: tuple[str | None, str | None, str | None, bool | None], start: str | None, end: str | None
) -> None:
    on, time, _, deleted = slot
    assert emis_care.planned_start((on, time, None, None, SEEN, None, None, None, deleted)) == start
    assert emis_care.planned_end(slot) == end


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("2026-03-16", "09:42:10"), "2026-03-16T09:42:10+00:00"),
        (("2026-07-16", None), "2026-07-16"),
        (("2026-10-25", "01:30:00"), "2026-10-25"),
        (("2026-03-16", "25:00:00"), None),
        (("2026-03-16", "9:42"), None),
        (("16/03/2026", "09:42:10"), None),
        (("2026-02-30", None), None),
        ((None, "09:42:10"), None),
    ],
)
def test_a_moment_that_cannot_be_read_is_left_unread(pair: tuple[str | None, str | None], said: str | None) -> None:
    assert emis_care.moment(pair) == said


# codes and values --------------------------------------------------------------------------------------------------------
#: Concepts of the UK and the international edition of SNOMED CT, and two of EMIS's own namespace.
PUBLISHED = ["24681000000104", "271649006", "763256006", "281399006", "306128002"]
OWN = ["1854731000006104", "1503371000006105"]


@pytest.mark.parametrize("value", PUBLISHED)
def test_a_published_concept_is_given_as_snomed_ct(value: str) -> None:
    assert (emis_care.concept(value), emis_care.own_concept(value)) == (value, None)


@pytest.mark.parametrize("value", OWN)
def test_a_concept_of_emis_s_own_is_never_given_as_snomed_ct(value: str) -> None:
    assert (emis_care.concept(value), emis_care.own_concept(value)) == (None, value)


@pytest.mark.parametrize(
    "value", ["", "0", "-1", "62151000000116", "1777541000006100", "27164900", "0271649006", "2716490060000000000", "R0260"]
)
def test_what_is_no_concept_is_neither(value: str) -> None:
    """A description's number, one that a spreadsheet has rounded, and others."""
    assert (emis_care.concept(value), emis_care.own_concept(value)) == (None, None)


@given(st.sampled_from([*PUBLISHED, *OWN]), st.data())
def test_one_wrong_digit_is_always_seen(value: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(value) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != value[place]]))
    wrong = value[:place] + digit + value[place + 1 :]
    assert (emis_care.concept(wrong), emis_care.own_concept(wrong)) == (None, None)


@pytest.mark.parametrize(
    ("value", "code"),
    [("246..", "246.."), ("2469.-99", "2469."), ("9N31", "9N31."), ("8H7x.", "8H7x."), ("1", "1....")],
)
def test_a_read_code_has_five_characters_and_no_number_of_a_term(value: str, code: str) -> None:
    assert (emis_care.read_code(value), emis_care.egton_code(value)) == (code, None)


@pytest.mark.parametrize("value", ["EMISNQAC724", "ESCTTE12", "^ESCT1", "2469.00", "246......"])
def test_any_other_code_is_emis_s_own(value: str) -> None:
    assert (emis_care.read_code(value), emis_care.egton_code(value)) == (None, value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("148", 148),
        ("148.000", Decimal("148.000")),
        ("-0.5", Decimal("-0.5")),
        (".5", Decimal("0.5")),
        ("0", 0),
        (" 7 ", 7),
    ],
)
def test_a_number_is_kept_to_the_digit(value: str, number: Decimal | int) -> None:
    made = emis_care.decimal(value)
    assert (made, str(made), emis_care.words(value)) == (number, str(number), None)


@pytest.mark.parametrize("value", ["2+", "<5", "1e3", "1,000", "007", "-", ".", "", "NaN", "Infinity", "1 2", "٣"])
def test_what_is_no_number_stays_the_words_that_it_is(value: str) -> None:
    assert (emis_care.decimal(value), emis_care.words(value)) == (None, value)


@given(st.text(max_size=8))
def test_a_value_is_either_a_number_or_words(value: str) -> None:
    assert (emis_care.decimal(value) is None) == (emis_care.words(value) == value)


# referrals -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("urgency", "priority"),
    [
        ("Routine", "routine"),
        ("URGENT", "urgent"),
        ("2 Week Wait", "urgent"),
        ("Soon", None),
        ("Dated", None),
        ("Emergency", None),
    ],
)
def test_an_urgency_without_its_like_is_no_priority(urgency: str, priority: str | None) -> None:
    assert emis_care.priority(urgency) == priority


@pytest.mark.parametrize("deleted", [True, False, None])
def test_a_referral_that_nothing_closes_is_unknown_and_nothing_became_of_it(deleted: bool | None) -> None:
    state = "entered-in-error" if deleted else "unknown"
    assert emis_care.referral_status(("guid", deleted, None, None, None)) == state
    assert emis_care.task_status((deleted, None, None, None, None)) is None
    for closed in (("2026-03-19", None, None), (None, "2026-03-19", None), (None, None, "990000035")):
        ended = "entered-in-error" if deleted else "completed"
        assert emis_care.referral_status(("guid", deleted, *closed)) == ended
        assert emis_care.task_status((deleted, None, *closed)) == ended
    assert emis_care.task_status((deleted, "2026-03-17", None, None, None)) == ("entered-in-error" if deleted else "received")


@pytest.mark.parametrize(
    ("own", "target", "source", "said"),
    [
        ("A", None, None, True),
        ("A", "B", None, True),
        ("A", "B", "A", True),
        ("A", "A", None, False),
        ("A", "B", "C", False),
        ("A", None, "C", False),
    ],
)
def test_the_practice_s_clinician_asks_only_where_the_practice_refers(
    own: str, target: str | None, source: str | None, said: bool
) -> None:
    assert (emis_care.requester((own, target, source)) is not None) == said


def test_two_ends_are_no_end() -> None:
    assert emis_care.closed_on(("2026-03-19", None)) == emis_care.closed_on(("2026-03-19", "2026-03-19")) == "2026-03-19"
    assert emis_care.closed_on(("2026-03-19", "2026-03-20")) is None
    with pytest.raises(ValueError, match="no such day"):
        emis_care.closed_on((None, "2026-02-30"))


def test_nothing_here_is_written() -> None:
    assert all(REGISTRY[name].write is None for name in emis_care._CODECS)


# every record that the schema allows ------------------------------------------------------------------------------------------
#: Columns whose values have a form; every other text column is drawn as words, every flag as true or false.
FORMS: dict[str, list[str]] = {
    "EffectiveDate": ["2026-03-16", "March"],
    "EffectiveDatePrecision": ["Y", "YM", "YMD", "YMDT", "QUARTER"],
    "EnteredDate": ["2026-03-16", "16/03/2026"],
    "EnteredTime": ["09:42:10", "noon"],
    "AppointmentDate": ["2026-03-16", "2026-03-17"],
    "AppointmentStartTime": ["09:30:00"],
    "PlannedDurationInMinutes": ["15", "some"],
    "SendInTime": ["09:41:00"],
    "LeftTime": ["09:55:00"],
    "ActualDurationInMinutes": ["13", "0"],
    "ConsultationSourceTerm": ["Main Surgery", "Telephone consultation", "Home visit note", "Did Not Attend"],
    "SnomedCTConceptId": [PUBLISHED[0], OWN[0], "0"],
    "ReadTermId": ["246..", "EMISNQ1", "9N31.-2"],
    "Value": ["148", "7.50", "2+"],
    "NumericRangeLow": ["1", "low"],
    "NumericRangeHigh": ["9.5"],
    "DateOfBirth": ["1984-02-29"],
    "DateOfDeath": ["2026-03-11"],
    "DateOfRegistration": ["2020-06-01", "June"],
    "DateOfDeactivation": ["2026-03-12"],
    "ContractStartDate": ["2019-09-02"],
    "ContractEndDate": ["2027-09-02"],
    "Sex": ["M", "F", "I", "U"],
    "NhsNumber": ["9990000018", "9990000026"],
    "NHSNumberStatus": ["01", "08"],
    "OrganisationType": ["General Practice", "Community"],
    "ReferralUrgency": ["Routine", "Soon"],
    "ReferralReceivedDate": ["2026-03-17"],
    "ReferralReceivedTime": ["10:05:00"],
    "ReferralEndDate": ["2026-03-19", "2026-03-20"],
    "ReferralEpisodeClosureDate": ["2026-03-19"],
    "at": ["20260318020000"],
}


def drawn(message: Message, count: int) -> Iterator[dict[str, Any]]:
    """Invented records: any of their columns, joins and list elements."""
    pick = random.Random(31)

    def value(column: str, schema: dict[str, Any], place: str) -> Any:
        if "properties" in schema:
            said = schema["properties"].items()
            return {c: value(c, below, f"{place}.{c}") for c, below in said if pick.random() < 0.7}
        if schema["type"] == "array":
            return [value("", schema["items"], f"{place}{n}") for n in range(pick.randint(1, 3))]
        if schema["type"] == "boolean":
            return pick.random() < 0.4
        return pick.choice(FORMS[column]) if column in FORMS else f"{column} of {place or 'it'} {pick.randrange(100)}"[-38:]

    made = 0
    while made < count:
        record = value("", message.payload.schema, "")
        for one in (record, record.get("observation", {}), record.get("slot", {}), *record.get("observations", ())):
            without_names(one)
        if message.payload.check(record) == []:
            made += 1
            yield record


#: Join -> the column that it is made by.
MADE_BY = {
    "source": "ConsultationSourceCodeId",
    "slot": "AppointmentSlotGuid",
    "clinician": "ClinicianUserInRoleGuid",
    "code": "CodeId",
    "reason": "ReferralReasonCodeId",
    "closure": "ReferralClosureReasonCodeId",
    "target": "ReferralTargetOrganisationGuid",
}


def without_names(record: dict[str, Any]) -> None:
    """Leave out the joins that nothing names."""
    for join, column in MADE_BY.items():
        if join in record and column not in record and column not in record.get("observation", {}):
            del record[join]
    if "DnaReasonCodeId" not in record.get("slot", {}):
        record.pop("absence", None)
    if "clinician" not in record:
        record.pop("employer", None)


def leaves(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for n, below in enumerate(value):
            yield from leaves(below, f"{place}[{n}]")
    elif value is not False:  # a flag that is not set may say no more than its absence
        yield place


def without(value: Any, path: list[str]) -> Any:
    head, *rest = path
    if isinstance(value, list):
        return [without(below, rest) if n == int(head) else below for n, below in enumerate(value)]
    if rest:
        return {**value, head: without(value[head], rest)}
    return {k: v for k, v in value.items() if k != head}


@pytest.mark.parametrize("name", ["emis/consultation", "emis/referral"])
def test_every_value_of_a_record_is_read_ignored_or_said_to_be_unread(name: str, ost: Adapter) -> None:
    """A value that is taken away changes the hub, or the hub's issues; or the maps name it as left out, or the account as unread."""
    message = ost.message(name)
    seen = 0
    for record in drawn(message, 60):
        account = Account()
        before = message.read_record(record, account)
        assert not [i for i in account.issues if is_error(i)], (record, account.issues)
        for path in leaves(record):
            bare = "".join(c for c in path if c not in "[]0123456789") if "[" in path else path
            if path in account.unread_source or message.table.is_ignored(bare) or path in ("extract.file", "extract.agreement"):
                continue
            after, _ = message.table.fill(without(record, path.replace("[", ".").replace("]", "").split(".")))
            if after == before:
                assert rule_of_silence(path, record), (path, record)
            seen += 1
    assert seen > 1500


def rule_of_silence(path: str, record: dict[str, Any]) -> bool:
    """The values whose loss may change nothing: those of which another column has already decided.

    A withdrawn record has one status whatever else it says; a slot that was deleted says nothing; of a contact whose two proofs
    contradict each other neither is said; the code's words repeat the source's; two days on which a referral ended are one, or the
    manifest remarks on them.
    """
    column = path.rpartition(".")[2]
    slot = record.get("slot", {})
    if column in ("Complete", "DidNotAttend", "SendInTime", "ConsultationSourceTerm", "Term", "OrganisationType"):
        return True
    if path in (
        "ReferralEndDate",
        "ReferralEpisodeClosureDate",
        "ReferralClosureReasonCodeId",
        "EffectiveDate",
        "EffectiveDatePrecision",
        "slot.AppointmentDate",
    ):
        return True
    return (
        bool(slot.get("Deleted")) or path == "slot.Deleted" or column in ("IsConfidential", "EnteredTime", "ReferralReceivedTime")
    )


def test_no_record_says_face_to_face_but_by_its_words(ost: Adapter) -> None:
    message = ost.message("emis/consultation")
    for record in drawn(message, 150):
        [encounter] = [r for r in message.fill(record) if r["resourceType"] == "Encounter"]
        medium = (
            [e["valueCode"] for e in encounter["extension"] if e["url"].endswith("/consultation-medium")]
            if "extension" in encounter
            else []
        )
        words = {record.get("ConsultationSourceTerm"), record.get("source", {}).get("Term")}
        assert encounter["class"]["code"] in ("VR", "HH")
        assert ("face-to-face" in medium) == ("Face to face consultation" in words) is False
        assert encounter["class"]["code"] == ("HH" if medium == ["home-visit"] else "VR")


def test_an_absent_column_of_a_referral_is_never_made_up(ost: Adapter) -> None:
    message = ost.message("emis/referral")
    for record in drawn(message, 150):
        [request] = [r for r in message.fill(record) if r["resourceType"] == "ServiceRequest"]
        tasks = [r for r in message.fill(record) if r["resourceType"] == "Task"]
        assert request["status"] in ("entered-in-error", "completed", "unknown")
        assert "ReferralUrgency" in record or "priority" not in request
        assert "ReferralTargetOrganisationGuid" in record or "performer" not in request
        closing = ("ReferralReceivedDate", "ReferralEndDate", "ReferralEpisodeClosureDate", "ReferralClosureReasonCodeId")
        assert bool(tasks) == any(column in record for column in closing)


# on to the systems that treat ------------------------------------------------------------------------------------------------------
ROUTES = [
    ("consultation", "criis/keywork-session"),
    ("consultation", "nebula/keywork-session"),
    ("referral", "criis/referral"),
    ("referral", "nebula/referral"),
    ("patient", "criis/patient"),
]


FOCUS = ("Encounter", "ServiceRequest", "Patient")


@pytest.mark.parametrize(("read", "write"), ROUTES)
def test_every_record_that_is_read_is_written_for_a_treatment_service(read: str, write: str, ost: Adapter) -> None:
    folders: list[Path] = [f for f in sorted((FIXTURES / "emis" / read).iterdir()) if list(f.glob("bundle*.json"))]
    assert len(folders) >= 6
    for folder in folders:
        for one in ost.many(folder / "in", read=f"emis/{read}", write=write, received=RECEIVED):
            assert not isinstance(one, Refused), (folder.name, [(rule_of(i), i.get("expression")) for i in one.issues])
            assert one.result
            # Whether it took place, how, and where it stands arrive whatever else does not.
            focus = next(n for n, e in enumerate(one.bundle["entry"]) if e["resource"]["resourceType"] in FOCUS)
            sure = re.compile(
                rf"Bundle\.entry\[{focus}\]\.resource\.(status|class|period\.(start|end)|priority|deceased\w+|link)\b"
            )
            assert [path for path in one.unread["bundle"] if sure.match(path)] == [], folder.name
