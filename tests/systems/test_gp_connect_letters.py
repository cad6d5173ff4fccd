"""Letters to a practice (contacts, care plans, referrals, consent, alerts): every sentence and code that a GP must see, worked out by hand
from each bundle.json. The sentences are whole and in order: what is not in a row may not be in the letter either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import adapter
from adapter.care.messages import Sender, messages
from adapter.fhir.json import decode, encode
from adapter.fhir.outcome import rule_of
from adapter.shipped import FIXTURES
from adapter.systems import gp_consent_words, gp_contact_words, gp_letter_words, gp_plan_words, gp_referral_words
from adapter.systems.gp_connect import with_uuids
from adapter.systems.gp_words import terms
from tests.care.test_messages import MADE, action, with_actions
from tests.systems.test_gp_connect import NAME, OURS, Document, holds, text

Json = dict[str, Any]
SENT = "Report of Reset Treatment Service (YZ901), sent"
REPORTED = ["Reported by Reset Treatment Service (YZ901).", "To reach them: telephone 01632 960 010 (work)."]
EPISODE = [
    "Care coordinator: Jo Marsh (https://reset.example/worker W-17).",
    "Episode of care: EP-2031.",
    "Status of the episode: active.",
]
#: An episode whose coordinator is not said.
BARE = ["Episode of care: EP-2032.", "Status of the episode: finished."]
JO = "Jo Marsh (https://reset.example/worker W-17)"
#: The keyworker, whose role and person stand in the message.
STAFF_JO = [
    (
        "Ms Jo Marsh (NMC 99A0001E), Key Worker (code R1450 of https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName); Keyworker, "
        "of Reset Treatment Service (ODS YZ901), from Monday 8 January 2024 to Thursday 31 December 2026, R-5."
    ),
    "To reach them: text message 07700 900 123 (mobile, number 1 to try).",
    "To reach them: telephone 01632 960 012 (work, number 2 to try).",
    "To reach them: email jo.marsh@reset.example (work, number 1 to try).",
]
#: The sender of the letters that have every element.
REPORTED_FULL = [
    "Reported by Reset Treatment Service (YZ901).",
    "To reach them: telephone 01632 960 010 (work, number 1 to try).",
]
STAFF_HARROW = [
    "Dr Wilf Harrow (GMC 9900007), of Reset Treatment Service (ODS YZ901).",
    "To reach them: telephone 01632 960 011 (work).",
]
CENTRAL = [
    "Organisation in the message: Invented Central Service (ODS YZ950), Treatment service.",
    "To reach them: telephone 01632 960 030 (work, number 1 to try).",
]
FOR_INFORMATION = "This report asks nothing of the practice; it is for information."
METHADONE = "Methadone 1mg/ml oral solution (dm+d 36120711000001104, Methadone mixture (code METH of https://reset.example/drug))"
AS_CHARTED = (
    "Methadone mixture 1 mg in 1 ml (Methadone 1mg/ml oral solution, dm+d 36120711000001104, Methadone mixture (code METH of "
    "https://reset.example/drug))"
)

#: An alert, and what takes it back.
ALERT, BACK = "5f0c7a54-4b34-5a6e-9a59-2f8d3c1b7e01", "0d6b1f7e-2a44-5c11-8f0a-b7e3d2c49a10"
TOLERANCE = "Too many dose-days have gone by without a dose for tolerance to be relied on: it is to be assessed."
TOLERANCE_NAMES = "Assess tolerance; Tolerance (code TOL of https://reset.example/codes); Four days without"
RING = "WHOM TO RING ABOUT IT: Reset Treatment Service (YZ901). To reach them: telephone 01632 960144 (work, number 1 to try)."
NOBODY_TO_RING = ["WHOM TO RING ABOUT IT: Reset Treatment Service (YZ901).", "No number to ring is given in this message."]
REPORTED_ALERT = [
    "Reported by Reset Treatment Service (YZ901).",
    "To reach them: telephone 01632 960144 (work, number 1 to try).",
]
AT_SIX = f"{SENT} Wednesday 18 March 2026 at 18:05 (UK time)."
NOT_COUNTED = "How many dose-days were missed in a row is not said. How many days went by without a dose is not said."
NO_LAST_DOSE = "LAST DOSE: none that was observed is told of."

CONFIDENTIAL = (
    "CONFIDENTIAL, by the sender's mark: restricted (code R of http://terminology.hl7.org/CodeSystem/v3-Confidentiality)."
)

#: Fixture -> the document's title, the sentences of the letter, the sentences on whom to ask.
LETTERS: dict[str, tuple[str, list[str], list[str]]] = {
    "contact-missed": (
        (
            "CORRECTED, in place of record CT-8812: Reset Treatment Service: Keywork session; Key work (code KW of "
            "https://reset.example/session-type); Keywork, weekly, did not attend, Tuesday 17 March 2026 at 10:00 (UK time)"
        ),
        [
            f"{SENT} Tuesday 17 March 2026 at 11:10 (UK time).",
            (
                "CORRECTED, in place of record CT-8812: Keywork session; Key work (code KW of https://reset.example/session-type); "
                f"Keywork, weekly: DID NOT ATTEND, and nobody had cancelled. {CONFIDENTIAL}"
            ),
            (
                "It was to be: face to face. Booked from Tuesday 17 March 2026 at 10:00 (UK time) to Tuesday 17 March 2026 at 10:45 "
                "(UK time)."
            ),
            (
                f"With {JO} (primary performer (code PPRF of http://terminology.hl7.org/CodeSystem/v3-ParticipationType); Keyworker). "
                "Service that holds it: Reset Treatment Service (ODS YZ901)."
            ),
            (
                "Reason for the contact: Weekly (code WK of https://reset.example/reason); Goals 1 and 2. Why the person did not come, "
                "as the sender says it: Transport (code A3 of https://reset.example/absence); Missed the bus; rang at eleven."
            ),
            "NEXT CONTACT: Tuesday 24 March 2026 at 10:00 (UK time).",
            "Note of Jo Marsh, Tuesday 17 March 2026 at 11:05 (UK time): “Sounded well. <Booked> again & confirmed.”.",
            (
                "Record CT-8814. Slot SL-30117. Recorded Tuesday 17 March 2026 at 11:06 (UK time). Version 2 of the record. "
                "It corrects record CT-8812."
            ),
            FOR_INFORMATION,
        ],
        [*REPORTED_FULL, *EPISODE, *STAFF_JO, *STAFF_HARROW],
    ),
    "contact-by-telephone": (
        "Reset Treatment Service: Prescribing review, attended late, Tuesday 10 March 2026 at 10:00 (UK time)",
        [
            f"{SENT} Tuesday 10 March 2026 at 12:00 (UK time).",
            "Prescribing review: attended, late.",
            (
                "It was: remote, by telephone; not face to face. It began Tuesday 10 March 2026 at 10:00 (UK time). It ended Tuesday "
                "10 March 2026 at 10:20 (UK time). It took 20 minutes."
            ),
            "With Dr Wilf Harrow (GMC 9900007). With Ms Jo Marsh (NMC 99A0001E).",
            "When the next contact is due is not said.",
            "Note: “Dose held for now.”.",
            "Record CT-8790.",
            (
                "Psychosocial intervention, delivered: Contingency management; Vouchers; Vouchers 1 (code CM1 of https://reset.example/intervention); "
                f"Vouchers for clear screens. On Tuesday 10 March 2026 at 10:05 (UK time). By {JO}. Note: “Second voucher of four.”. "
                "Record IV-204."
            ),
            (
                "Psychosocial intervention, NOT delivered: Motivational intervention. Why not: Tired (code TIRED of "
                "https://reset.example/not-done); Too tired. Record IV-205."
            ),
            (
                "WITHDRAWN, entered in error: Psychosocial intervention, delivered or not: Twelve-step work. It lasted from Tuesday 10 "
                "March 2026 at 10:00 (UK time) to Tuesday 10 March 2026 at 10:05 (UK time). Record IV-206."
            ),
            (
                "Found or measured, filed as Measurement (code MEAS of https://reset.example/entry); Investigation, Body weight (code "
                "27113001 of http://snomed.info/sct); Weight: < 61.5 kg, range from 50 kg, "
                f"range to 72 kg. {CONFIDENTIAL} On Tuesday 10 March 2026 at 10:15 (UK time). By {JO}. Note: “With shoes on, as the person says.”. "
                "Record OB-552. Part of OB-551. Recorded Tuesday 10 March 2026 at 10:40 (UK time)."
            ),
            "Found or measured, Injecting: “Not since January”. Record OB-553.",
            (
                "WITHDRAWN, entered in error: Found or measured, Housing: No fixed abode (code NFA of https://reset.example/housing); "
                "Sofa surfing. Record OB-554."
            ),
            FOR_INFORMATION,
        ],
        [*REPORTED, *STAFF_JO, *STAFF_HARROW],
    ),
    "contact-that-says-little": (
        "Reset Treatment Service: Contact, attendance not said, 2026-03",
        [
            f"{SENT} Wednesday 18 March 2026 at 09:00 (UK time).",
            "Contact: whether the person attended is not said.",
            "It was: not said; it does not count as face to face. It began 2026-03.",
            "With Nia Ellery (NMC 99A0002E). Service that holds it: Other Service (ODS YZ999).",
            "When the next contact is due is not said.",
            "The sender does not know how far the contact is. Record CT-8820.",
            FOR_INFORMATION,
        ],
        [*REPORTED, *BARE],
    ),
    "contact-undated": (
        "Reset Treatment Service: Assessment, left before being seen",
        [
            f"{SENT} Wednesday 18 March 2026 at 11:00 (UK time).",
            "Assessment: CAME AND LEFT before being seen.",
            "It was: face to face. When it began is not given: unknown. It ended Tuesday 17 March 2026.",
            "When the next contact is due is not said.",
            "The sender has not completed its record of the contact. Record CT-8850.",
            (
                "WITHDRAWN, entered in error: Found or measured, not named (unknown): no value is given. When is not given: masked. "
                "Record OB-700."
            ),
            (
                "Found or measured, filed as Family history, Opioid dependence: no value is given. On Tuesday 17 March 2026. "
                "Record OB-701."
            ),
            FOR_INFORMATION,
        ],
        REPORTED,
    ),
    "contact-withdrawn": (
        "WITHDRAWN, entered in error: Reset Treatment Service: Outreach, attended, Tuesday 17 March 2026 at 14:00 (UK time)",
        [
            f"{SENT} Wednesday 18 March 2026 at 09:30 (UK time).",
            "WITHDRAWN, entered in error: Outreach: attended.",
            "It was: face to face, where the person lives or stays. It began Tuesday 17 March 2026 at 14:00 (UK time).",
            "When the next contact is due is not said.",
            "Record CT-8830. Recorded Wednesday 18 March 2026 at 09:29 (UK time). Version 2 of the record. It corrects record CT-8830.",
            "WITHDRAWN, entered in error: Found or measured, Blood pressure: “Not taken”. Record OB-600.",
            FOR_INFORMATION,
        ],
        REPORTED,
    ),
    "contact-cancelled-by-service": (
        "Reset Treatment Service: Joint review; With the pharmacist, cancelled by the service, Friday 20 March 2026 at 15:00 (UK time)",
        [
            f"{SENT} Wednesday 18 March 2026 at 10:00 (UK time).",
            "Joint review; With the pharmacist: cancelled by the service; the person is not at fault.",
            "It was to be: remote, by video; not face to face. Booked from Friday 20 March 2026 at 15:00 (UK time).",
            "Why the person did not come is not said.",
            "NEXT CONTACT: Friday 27 March 2026.",
            "Record CT-8840.",
            FOR_INFORMATION,
        ],
        REPORTED,
    ),
    "plan-with-own-priorities": (
        (
            "Reset Treatment Service: Shared care plan; Shared (code SC of https://reset.example/plan-type); Shared care, spring, "
            "“Shared care, spring 2026”"
        ),
        [
            f"{SENT} Tuesday 10 March 2026 at 12:00 (UK time).",
            (
                "Care plan “Shared care, spring 2026”, Shared care plan; Shared (code SC of https://reset.example/plan-type); Shared care, spring. "
                "Status: active. It runs from Tuesday 10 March 2026 to Thursday 10 September 2026. Written Monday 9 March 2026. "
                f"By {JO}. REVIEW DUE Tuesday 9 June 2026."
            ),
            "The person AGREED the plan. Asked Tuesday 10 March 2026. On the agreement: “Signed, and has a copy”.",
            "The plan, as written: “Stay on the dose, see the children, get a room.”.",
            (
                "THE PERSON'S OWN WORDS, number 1 of what matters most to the person: “I want to have the kids round on a Sunday and not "
                "be clucking.”. Status: being worked towards. Since Tuesday 10 March 2026. Why: “Two Sundays so far”. How far: improving; "
                "Improving; Up (code UP of https://reset.example/achievement); Two Sundays. Priority: high; High Priority; One (code 1 of "
                "https://reset.example/priority); First. Begun Tuesday 10 March 2026. TO BE REACHED BY Tuesday 30 June 2026. Goal GO-1. "
                "Note: “His sister will bring them.”."
            ),
            (
                "THE PERSON'S OWN WORDS, number 2 of what matters most to the person: “Know where I stand with hep C”. Status: planned. "
                "Goal GO-2."
            ),
            (
                "ASKED OF THE GP: Blood-borne viruses. By Dr Asha Verity (GMC 9900011). When, as written: “by the end of April”. "
                "As written: “Hepatitis C test and, where positive, referral”. Status: not started. Activity AC-2. "
                "For the goal “Know where I stand with hep C”."
            ),
            (
                f"To be done: Keywork; Kept weekly (code K7 of https://reset.example/activity); Weekly session. By {JO}. When: from Tuesday 17 March "
                "2026 to Thursday 10 September 2026. As written: “Tuesdays at ten”. Status: in progress. Activity AC-1. "
                "For the goal “I want to have the kids round on a Sunday and not be clucking.”."
            ),
            (
                "To be done: Housing; Application for a room. Status: on hold. Why: “Waiting for proof of address”. "
                "Who does it is not said."
            ),
            f"Goal, in the words of {JO}: “Reduce benzodiazepines”. Status: proposed. Goal GO-3.",
            "Note: “Brother Perran may be told of appointments.”.",
            "Record PL-78. Made at contact CT-8790. Recorded Tuesday 10 March 2026 at 11:00 (UK time). Version 1 of the record.",
        ],
        [
            *REPORTED_FULL,
            *EPISODE,
            *STAFF_JO,
            *STAFF_HARROW,
            "Care team “Team for Aidan”, active. Record TM-5.",
            (
                "GP; Doctor (code G of https://reset.example/team-role); Registered GP: Dr Asha Verity (GMC 9900011), of Plane Tree Surgery "
                "(ODS YZ123), from Monday 5 January 2026 to Thursday 31 December 2026."
            ),
            "To reach them: telephone 01632 960 021 (work, number 1 to try).",
            "To reach them: telephone 01632 960 020 (work, number 2 to try).",
            f"Care coordinator: {JO}.",
        ],
    ),
    "plan-corrected": (
        "CORRECTED, in place of record PL-79: Reset Treatment Service: Relapse and restart plan",
        [
            f"{SENT} Thursday 12 March 2026 at 12:00 (UK time).",
            (
                "CORRECTED, in place of record PL-79: Care plan, Relapse and restart plan. Status: on hold. By Dr Wilf Harrow (GMC "
                "9900007). When it is to be reviewed is not said."
            ),
            "The person DID NOT AGREE the plan.",
            "WITHDRAWN, entered in error: THE PERSON'S OWN WORDS: “Be dry”. Status: entered in error. Goal GO-10.",
            "No activity of this plan is asked of the GP.",
            "To be done: Opioid substitution treatment. By Dr Wilf Harrow (GMC 9900007). Status: stopped.",
            "WITHDRAWN, entered in error: To be done: Naloxone. By Dr Asha Verity. Status: entered in error.",
            "NOT TO BE DONE: Benzodiazepines from the practice. By Dr Asha Verity. Status: not started.",
            (
                "Goal; whose words these are is not said: “Three months without heroin”. Status: no longer being worked towards. "
                "How far: not achieved. Goal GO-9."
            ),
            "Record PL-80. Version 3 of the record. It corrects record PL-79.",
        ],
        [*REPORTED, *BARE, *STAFF_HARROW, "Care team, active.", "GP: Dr Asha Verity."],
    ),
    "plan-withdrawn": (
        "WITHDRAWN, entered in error: Reset Treatment Service: Recovery plan, “Recovery plan”",
        [
            f"{SENT} Thursday 12 March 2026 at 13:00 (UK time).",
            (
                "WITHDRAWN, entered in error: Care plan “Recovery plan”, Recovery plan. Status: entered in error. When it is to be "
                "reviewed is not said."
            ),
            "Whether the person agreed the plan is not said.",
            "WITHDRAWN, entered in error: THE PERSON'S OWN WORDS: “Of another person”. Status: entered in error. Goal GO-11.",
            "The plan does not say who the person's GP is.",
            "Record PL-81. It corrects record PL-81.",
        ],
        [
            *REPORTED,
            "WITHDRAWN, entered in error: Care team “Another team”, entered in error.",
            "Member whose part is not said: Nia Ellery.",
        ],
    ),
    "plan-that-says-little": (
        "Reset Treatment Service: Care plan",
        [
            f"{SENT} Thursday 12 March 2026 at 14:00 (UK time).",
            "Care plan, kind not said. Status: not known. When it is to be reviewed is not said.",
            "Whether the person agreed the plan is not said.",
            "No goal of this plan is marked as the person's own.",
            "The plan does not say who the person's GP is.",
            (
                "To be done: An activity that is not named. As written: “Ring the housing officer”. Status: how far it is, is not known. "
                "Who does it is not said."
            ),
            "Record PL-82.",
        ],
        REPORTED,
    ),
    "restart-urgent": (
        (
            "URGENT, Reset Treatment Service: referral, Restart after drop-out; Urgent (code UR of https://reset.example/referral-type); "
            "Urgent restart, Seen"
        ),
        [
            f"{SENT} Tuesday 17 March 2026 at 16:30 (UK time).",
            (
                "URGENT, as written: “Same day”. Referral (RF-311, 000000070000): Restart after drop-out; Urgent (code UR of https://reset.example/referral-type); "
                f"Urgent restart. Status: active. {CONFIDENTIAL}"
            ),
            (
                "WHAT IS ASKED: Referral to substance misuse service (code 201521000000104 of http://snomed.info/sct); Restart of "
                "substitution treatment. Asked of: Invented Central Service (ODS YZ950). Asked of: Ms Jo Marsh (NMC 99A0001E). WANTED FOR Wednesday 18 March 2026. Asked by Dr "
                "Wilf Harrow (GMC 9900007). Written Tuesday 17 March 2026 at 16:18 (UK time). Written at contact CT-8840. Sent: Mail (code MAIL of "
                "https://reset.example/sent-by); By secure mail."
            ),
            (
                f"LAST DOSE: Monday 2 March 2026, 30 ml, {METHADONE}. OBSERVED: somebody saw it swallowed or gave it. "
                "MISSED: 15 dose-days in a row, as the sender counts them."
            ),
            "The person agrees to the referral.",
            (
                "Reason: Dropped out (code DROP of https://reset.example/reason); No dose for fifteen days; wants to come back. "
                "For a condition that is not in this message: record CO-7."
            ),
            "Note: “Best reached after noon.”.",
            "Recorded Tuesday 17 March 2026 at 16:20 (UK time). Version 1 of the record.",
            (
                "WHAT BECAME OF THE REFERRAL: Seen; Seen here (code S of https://reset.example/result); Seen by the duty worker. Status: in progress. "
                "Why: Prescriber (code PRES of https://reset.example/why); Waits for the prescriber. Dealt with by Invented Central Service (ODS "
                "YZ950). TO BE DONE BY Thursday 19 March 2026. Done from Wednesday 18 March 2026 at 09:00 (UK time) to Wednesday 18 March "
                "2026 at 10:00 (UK time). Taken up Tuesday 17 March 2026 at 16:30 (UK time). Last changed Wednesday 18 March 2026 at "
                "13:05 (UK time). Record RO-311-1. Note: “Told that the former dose is not to be taken.”."
            ),
            (
                "RISK: Lost tolerance; Tolerance (code LT of https://reset.example/risk); Fifteen days without. Tolerance of opioids is lost or "
                f"lowered: the former dose may kill. Known from Thursday 5 March 2026 to Sunday 5 April 2026. According to {JO}. Note of "
                "Jo Marsh, Tuesday 17 March 2026 at 16:00 (UK time): “Told about it twice.”. Record RK-1."
            ),
            "Risk, no longer active: Other; Lives on a boat. Record RK-2.",
            (
                f"Dose history: {AS_CHARTED}. Dose: 30 ml. As written: “30 ml once a day, supervised”. Had from Monday 3 November 2025 to "
                "Monday 2 March 2026. Status: stopped. Record DH-1. Note: “Raised to 30 ml in December.”."
            ),
            "Dose history: Diazepam, bought. Status: whether it is still had is not known. Record DH-2.",
            (
                "Condition: Opioid dependence (code 75544000 of http://snomed.info/sct); Opioid dependence. It is active. Since 2019. "
                "Record CO-1. Note: “Since the accident.”."
            ),
        ],
        [*REPORTED_FULL, *EPISODE, *STAFF_JO, *STAFF_HARROW, *CENTRAL],
    ),
    "restart-last-dose-unknown": (
        "AT ONCE, Reset Treatment Service: referral, Restart after drop-out",
        [
            f"{SENT} Tuesday 17 March 2026 at 17:00 (UK time).",
            "AT ONCE. Referral (RF-312): Restart after drop-out. Status: active.",
            (
                "WHAT IS ASKED: Assess for restart. Asked of: Plane Tree Surgery (ODS YZ123). Written Tuesday 17 March 2026. "
                "Who asks is not said. For when it is wanted is not said."
            ),
            "LAST DOSE: NOT KNOWN. How many dose-days were missed is not said.",
            "The person HAS NOT BEEN ASKED whether they agree to the referral.",
            "What became of the referral is not said in this message.",
        ],
        REPORTED,
    ),
    "restart-last-dose-supplied": (
        "AS SOON AS POSSIBLE, Reset Treatment Service: referral, Restart after drop-out",
        [
            f"{SENT} Tuesday 17 March 2026 at 17:10 (UK time).",
            "AS SOON AS POSSIBLE. Referral (RF-313): Restart after drop-out. Status: active.",
            f"Asked by {JO}. What is asked is not said. Of whom it is asked is not said. For when it is wanted is not said.",
            (
                "LAST DOSE: Thursday 12 March 2026, amount not said, medicine not said. SUPPLIED, NOT SEEN: it was handed over to be "
                "taken away. MISSED: 1 dose-day in a row, as the sender counts them."
            ),
            "The person lacks the capacity to decide on the referral; it is made in their best interests.",
            "What became of the referral is not said in this message.",
        ],
        [*REPORTED, *BARE],
    ),
    "referral-not-attended": (
        "CORRECTED, in place of record RF-289: Reset Treatment Service: referral, Mental health, Did not attend",
        [
            f"{SENT} Wednesday 18 March 2026 at 09:00 (UK time).",
            "CORRECTED, in place of record RF-289: Routine. Referral (RF-290): Mental health. Status: completed.",
            (
                "WHAT IS ASKED: Assessment of low mood. Asked by Dr Wilf Harrow (GMC 9900007). Of whom it is asked is not said. "
                "For when it is wanted is not said."
            ),
            "The person DOES NOT AGREE to the referral.",
            "Version 2 of the record. It corrects record RF-289.",
            "WHAT BECAME OF THE REFERRAL: Did not attend. Status: REJECTED. Last changed Tuesday 17 March 2026. Record RO-290-1.",
            (
                "WITHDRAWN, entered in error: WHAT BECAME OF THE REFERRAL: Seen. Status: entered in error. Dealt with by Hill Mental "
                "Health (ODS YZ951). Record RO-290-0."
            ),
            "Dose history: Methadone 1mg/ml oral solution (dm+d 36120711000001104). Status: ended as planned. Record DH-9.",
            "Condition: Depression. It is in relapse. Record CO-9.",
        ],
        [*REPORTED, *STAFF_HARROW],
    ),
    "referral-withdrawn": (
        "WITHDRAWN, entered in error: URGENT, Reset Treatment Service: referral, Restart after drop-out",
        [
            f"{SENT} Wednesday 18 March 2026 at 09:10 (UK time).",
            "WITHDRAWN, entered in error: URGENT. Referral (RF-300): Restart after drop-out. Status: entered in error.",
            "What is asked is not said. Of whom it is asked is not said. Who asks is not said. For when it is wanted is not said.",
            "LAST DOSE: not said. How many dose-days were missed is not said.",
            "Whether the person agrees to the referral is not said.",
            "It corrects record RF-300.",
            "What became of the referral is not said in this message.",
            "WITHDRAWN, entered in error: Risk: Overdose. An overdose, recent or in the past. Record RK-9.",
        ],
        REPORTED,
    ),
    "referral-revoked": (
        "REVOKED, it no longer stands: Reset Treatment Service: referral, Gardening group",
        [
            f"{SENT} Wednesday 18 March 2026 at 09:20 (UK time).",
            "REVOKED, it no longer stands: Urgency, as written: “Soonish”. Referral (RF-301): Gardening group. Status: revoked.",
            "When it was written is not given: unknown. What is asked is not said. Of whom it is asked is not said. Who asks is not said. For when it is wanted is not said.",
            "Whether the person agrees to the referral is not said.",
            "What became of the referral is not said in this message.",
        ],
        REPORTED,
    ),
    "consent-granted": (
        "Reset Treatment Service: consent, CORRECTED, in place of record CO-40: granted",
        [
            f"{SENT} Tuesday 10 March 2026 at 12:00 (UK time).",
            (
                "CORRECTED, in place of record CO-40: The person AGREES: Sharing of information; Share (code P of "
                "https://reset.example/consent-type); Sharing with the pharmacy. With whom: Pharmacy, Willow Lane Pharmacy (ODS FZZ01). "
                "What it concerns: Prescribing; Attendance; Comes (code ATT of https://reset.example/content); Whether he comes to the clinic. "
                "Decided Tuesday 10 March 2026 at 10:50 (UK time). It holds from Tuesday 10 March 2026 to Thursday 10 September 2026. "
                "To be reviewed by Thursday 10 September 2026. Sharing is permitted. Form: “Consent to share, form of 10 March”. "
                "It stands on: Common law: consent and confidentiality. Record CO-41. Recorded Tuesday 10 March 2026 at 11:02 (UK time). "
                "Version 2 of the record. It corrects record CO-40. The person confirmed it again Tuesday 17 March 2026. "
                f"The person did not confirm it. Asked by Reset Treatment Service (ODS YZ901). Recorded by {JO}. Note of Jo Marsh, "
                "Tuesday 10 March 2026: “Asked again what the pharmacy may know; content with it.”."
            ),
            FOR_INFORMATION,
        ],
        [*REPORTED_FULL, *EPISODE, *STAFF_JO, *STAFF_HARROW],
    ),
    "consent-refused-and-taken-back": (
        "Reset Treatment Service: consent, refused, withdrawn, lapsed",
        [
            f"{SENT} Wednesday 11 March 2026 at 12:00 (UK time).",
            (
                "The person was asked and DOES NOT AGREE: Sharing of information. With whom: Family, Mother. What it concerns: not "
                "limited to any part of the record. Decided Wednesday 11 March 2026. Sharing is DENIED. It stands on: Common law: consent "
                "and confidentiality. Record CO-42."
            ),
            (
                "The person NO LONGER AGREES: they have taken their consent back: Sharing of information. With whom: GP, Plane Tree "
                "Surgery (ODS YZ123). What it concerns: Drug screens. Decided Wednesday 11 March 2026. Sharing is DENIED. It stands on: "
                "Common law: consent and confidentiality. Record CO-30."
            ),
            (
                "The consent has LAPSED: the time for which the person agreed is over: National monitoring. With whom: not said. What it "
                "concerns: not limited to any part of the record. Decided Tuesday 11 March 2025. Sharing is DENIED. It stands on: Common "
                "law: consent and confidentiality. Record CO-20."
            ),
            FOR_INFORMATION,
        ],
        REPORTED,
    ),
    "consent-withdrawn-record": (
        "Reset Treatment Service: consent, WITHDRAWN, entered in error: granted",
        [
            f"{SENT} Wednesday 11 March 2026 at 13:00 (UK time).",
            (
                "WITHDRAWN, entered in error: The person AGREES: Contact. With whom: Another pharmacy. What it "
                "concerns: not limited to any part of the record. Decided Wednesday 11 March 2026. Sharing is permitted. It stands on: "
                "Common law: consent and confidentiality. Record CO-43. It corrects record CO-43."
            ),
            FOR_INFORMATION,
        ],
        [*REPORTED, *BARE],
    ),
    "consent-to-the-practice": (
        "Reset Treatment Service: consent, granted",
        [
            f"{SENT} Wednesday 11 March 2026 at 14:00 (UK time).",
            (
                "The person AGREES: Sharing of information. With whom: GP, Plane Tree Surgery (ODS YZ123). What it concerns: not limited "
                "to any part of the record. Decided Wednesday 11 March 2026. Sharing is permitted. It stands on: Common law: consent and "
                "confidentiality. Record CO-44."
            ),
            FOR_INFORMATION,
        ],
        REPORTED,
    ),
    "alert-every-element": (
        f"FOR ACTION BY Thursday 19 March 2026 (PERHAPS OF THE PRACTICE): Reset Treatment Service: alert, {TOLERANCE_NAMES}",
        [
            AT_SIX,
            f"ALERT ({ALERT}): {TOLERANCE_NAMES}. {TOLERANCE}",
            "It has stood since Monday 16 March 2026.",
            (
                f"ASKED, and it may be of somebody at the practice: {TOLERANCE_NAMES}. TO BE DONE BY Thursday 19 March 2026. Role: "
                "Prescriber; Doctor (code DR of https://reset.example/role); Whoever prescribes today. In that role: Dr Lena Osei "
                "(GMC 9900002). Deputy, where they are absent: Clinical lead. By the policy: default 1.0.0: assess (S0 more than "
                f"3). Task {ALERT}."
            ),
            RING,
            (
                "MISSED IN A ROW: at least 4 dose-days, at most 5. Missed in the time on which the policy looks back: at least 6 "
                "dose-days, at most 8. WITHOUT A DOSE THAT IS EVIDENCED: at least 5 days, at most 7."
            ),
            (
                f"LAST DOSE: Thursday 12 March 2026, 40 ml, {AS_CHARTED}. OBSERVED: somebody saw it swallowed or gave it. "
                "A dose MAY HAVE BEEN TAKEN as late as Tuesday 17 March 2026."
            ),
            (
                "DAY BY DAY: Friday 13 March 2026: Missed; Saturday 14 March 2026: Missed; Sunday 15 March 2026: Missed; Monday 16 "
                "March 2026: Missed; Tuesday 17 March 2026: Unreported. Missed: The dose was not collected. Unreported: A dose was "
                "due, and nobody has said what became of it."
            ),
            "The records that it names: D-16, RX-88.",
            "It speaks of what had happened by Wednesday 18 March 2026 at 18:00 (UK time); what happened later is not counted.",
            "Told Wednesday 18 March 2026 at 18:04 (UK time). Told to: Dr Lena Osei (GMC 9900002), Jo Marsh.",
        ],
        [
            *REPORTED_ALERT,
            f"Care coordinator: {JO}.",
            "Episode of care: EP-204.",
            "Status of the episode: active.",
        ],
    ),
    "alert-asked-of-the-practice": (
        "FOR ACTION BY Friday 10 April 2026 at 18:00 (UK time): Reset Treatment Service: alert, Health check due",
        [
            AT_SIX,
            (
                f"ALERT ({ALERT}): Health check due. The health check is due. As told: “The yearly health check is due: last done on "
                "10 March 2025.”."
            ),
            "It has stood since Tuesday 10 March 2026.",
            (
                "ASKED OF THE PRACTICE: Health check due. TO BE DONE BY Friday 10 April 2026 at 18:00 (UK time). Role: GP. In that "
                "role: Dr Asha Verity (GMC 9900011). Deputy, where they are absent: Care coordinator. By the policy: default 1.0.0: "
                f"health-check 12 months (S0). Task {ALERT}."
            ),
            RING,
            NOT_COUNTED,
            NO_LAST_DOSE,
            "It speaks of what had happened by Wednesday 18 March 2026 at 18:00 (UK time); what happened later is not counted.",
            "Told Wednesday 18 March 2026 at 18:04 (UK time). Told to: Dr Asha Verity (GMC 9900011).",
        ],
        [*REPORTED_ALERT, "Episode of care: EP-205.", "Status of the episode: active."],
    ),
    "alert-withdrawn": (
        "WITHDRAWN, it no longer stands: Reset Treatment Service: alert, Assess tolerance",
        [
            f"{SENT} Friday 20 March 2026 at 09:01 (UK time).",
            f"WITHDRAWN, it no longer stands: Alert ({BACK}): Assess tolerance.",
            (
                f"It takes back alert {ALERT}, which stood since Monday 16 March 2026; on which day that was told, this message does "
                "not say."
            ),
            "It no longer stands because of what is known now, as is said below. WHAT IT ASKED IS NOT TO BE DONE.",
            f"Such an alert says: “{TOLERANCE}” As told: “Withdrawn, because of what is known now: Assess tolerance.”.",
            (
                "NO LONGER ASKED: Assess tolerance, by Thursday 19 March 2026. Role: Prescriber. By the policy: default 1.0.0: assess "
                f"(S0 more than 3). Task {ALERT}."
            ),
            RING,
            (
                "MISSED IN A ROW: exactly 0 dose-days. Missed in the time on which the policy looks back: exactly 1 dose-day. WITHOUT "
                "A DOSE THAT IS EVIDENCED: at least 0 days, at most 2."
            ),
            "LAST DOSE: Tuesday 17 March 2026, amount not said, medicine not said. OBSERVED: somebody saw it swallowed or gave it.",
            "The records that it names: D-17.",
            "It speaks of what had happened by Thursday 19 March 2026 at 23:59 (UK time); what happened later is not counted.",
            "Told Friday 20 March 2026 at 09:00 (UK time).",
        ],
        REPORTED_ALERT,
    ),
    "alert-asked-of-others": (
        "Reset Treatment Service: alert, Supply not permitted",
        [
            AT_SIX,
            (
                f"ALERT ({ALERT}): Supply not permitted. So many doses have been missed in a row that the supply stops: nothing is to "
                "be supplied without a new prescription for a restart."
            ),
            "It has stood since Tuesday 17 March 2026.",
            (
                "Asked of others than the practice: Supply not permitted. TO BE DONE BY Tuesday 17 March 2026. Role: Pharmacist. In "
                f"that role: Willow Lane Pharmacy (ODS FZZ01). Deputy, where they are absent: Clinical lead. Task {ALERT}."
            ),
            RING,
            (
                "MISSED IN A ROW: at least 5 dose-days, how many at most is not known. WITHOUT A DOSE THAT IS EVIDENCED: at least 8 "
                "days, how many at most is not known."
            ),
            "LAST DOSE: NOT KNOWN. A dose MAY HAVE BEEN TAKEN as late as Wednesday 18 March 2026.",
            FOR_INFORMATION,
        ],
        REPORTED_ALERT,
    ),
    "alert-that-says-little": (
        "Reset Treatment Service: alert, Confirm the last dose",
        [
            AT_SIX,
            (
                f"ALERT ({ALERT}): Confirm the last dose. What is not reported could hide a longer run of missed doses: when the last "
                "dose was taken is to be confirmed."
            ),
            "Who is to act, and by when, is not said in this message.",
            "WHOM TO RING ABOUT IT: Reset Treatment Service (YZ901). To reach them: email duty@reset.example.",
            "No number to ring is given in this message.",
            "MISSED IN A ROW: how many at least is not said, at most 6 dose-days. WITHOUT A DOSE THAT IS EVIDENCED: exactly 1 day.",
            NO_LAST_DOSE,
            (
                "DAY BY DAY: Monday 2 March 2026: Supervised; Tuesday 3 March 2026: Taken home; Wednesday 4 March 2026: Missed; "
                "Thursday 5 March 2026: Withheld; Friday 6 March 2026: Not swallowed; Saturday 7 March 2026: Partial; Sunday 8 March "
                "2026: Elsewhere, evidenced; Monday 9 March 2026: Elsewhere, unreported; Tuesday 10 March 2026: Covered by an "
                "injection; Wednesday 11 March 2026: Unreported; Thursday 12 March 2026: Due; Friday 13 March 2026: Conflict; "
                "Saturday 14 March 2026: Not expected. Supervised: The dose was seen to be taken. Taken home: The dose was handed "
                "over to be taken away. Missed: The dose was not collected. Withheld: The dose was not supplied, for a reason. Not "
                "swallowed: The dose was handed over and not swallowed. Partial: Less than the whole dose is known to have been "
                "taken and kept down. Elsewhere, evidenced: The dose was given elsewhere, and the place that gave it says so. "
                "Elsewhere, unreported: The person was elsewhere, and what was given there is not evidenced. Covered by an "
                "injection: A prolonged-release injection covers the day. Unreported: A dose was due, and nobody has said what "
                "became of it. Due: The dose is due, and there is time yet to report it. Conflict: Records contradict each other. "
                "Not expected: No prescription has a dose for the day."
            ),
            "The records that it names: D-13, urn:uuid:00000000-0000-4000-8000-000000000001.",
        ],
        ["Reported by Reset Treatment Service (YZ901).", "To reach them: email duty@reset.example."],
    ),
    "alert-of-nobody-in-particular": (
        "FOR ACTION (PERHAPS OF THE PRACTICE): Reset Treatment Service: alert, Consultation due",
        [
            AT_SIX,
            f"ALERT ({ALERT}): Consultation due. A consultation with the person is due.",
            (
                "ASKED, and it may be of somebody at the practice: Consultation due. By when is not said. Role: Whoever sees them "
                f"next. Task {ALERT}."
            ),
            *NOBODY_TO_RING,
            NOT_COUNTED,
            NO_LAST_DOSE,
        ],
        ["Reported by Reset Treatment Service (YZ901)."],
    ),
    "alert-of-another-system": (
        "Reset Treatment Service: alert, Call in (code CALL of https://reset.example/codes); Call them in",
        [
            AT_SIX,
            (
                f"ALERT ({ALERT}): Call in (code CALL of https://reset.example/codes); Call them in. As told: “Please ask them to "
                "come in.”."
            ),
            "Who is to act, and by when, is not said in this message.",
            RING,
            NOT_COUNTED,
            NO_LAST_DOSE,
        ],
        REPORTED_ALERT,
    ),
    "alert-entered-in-error": (
        "WITHDRAWN, entered in error: Reset Treatment Service: alert, Prescription ending",
        [
            AT_SIX,
            f"WITHDRAWN, entered in error: Alert ({ALERT}): Prescription ending.",
            "The record of it should never have been made. It was to stand since Sunday 15 March 2026.",
            (
                "Such an alert says: “The prescription ends soon, and none that follows it is known: the next one is to be written, or "
                "the end confirmed.”"
            ),
            f"NO LONGER ASKED: Prescription ending, by Friday 20 March 2026. Role: GP. Task {ALERT}.",
            RING,
            NOT_COUNTED,
            NO_LAST_DOSE,
        ],
        REPORTED_ALERT,
    ),
    "alert-withdrawal-in-error": (
        "WITHDRAWN, entered in error: Reset Treatment Service: withdrawal of an alert, Not reported",
        [
            AT_SIX,
            f"WITHDRAWN, entered in error: Withdrawal of an alert ({BACK}): Not reported.",
            (
                f"The record of it should never have been made. It was to take back alert {ALERT}, which stood since Sunday 15 March "
                "2026. Whether that stands after all is to be asked of the sender."
            ),
            "Such an alert says: “Doses that were due have not been reported: what became of them is to be reported.”",
            RING,
            NOT_COUNTED,
            "LAST DOSE: Thursday 12 March 2026, 40 ml, medicine not said. STATED ONLY: the person, or somebody for them, says so.",
        ],
        REPORTED_ALERT,
    ),
}
EVENTS = {"contact": "consultation", "plan": "care-plan", "restart": "referral", "referral": "referral", "consent": "consent",
          "alert": "alert"}  # fmt: skip

SCT = "http://snomed.info/sct"
RESET = "https://reset.example/"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R", "display": "restricted"}
R4 = "http://hl7.org/fhir/4.0/StructureDefinition/extension-"


def ours(name: str, **value: Any) -> Json:
    return {"url": f"{OURS}StructureDefinition/{name}", **value}


def coded(name: str, code: str) -> Json:
    return {"system": f"{OURS}CodeSystem/{name}", "code": code}


def other(system: str, code: str) -> Json:
    return {"system": system if system.startswith("http") else RESET + system, "code": code}


def number(system: str, value: str) -> Json:
    return {"system": RESET + system, "value": value}


def days(least: int, most: int) -> Json:
    """A range of days."""
    unit = {"unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}
    return {"low": {"value": least, **unit}, "high": {"value": most, **unit}}


#: Fixture -> type of the resource, its identifier's value -> what must be found in it.
CODES: dict[str, dict[tuple[str, str], list[Json]]] = {
    "contact-missed": {
        ("Encounter", "CT-8814"): [
            {"status": "cancelled"},
            {"security": [RESTRICTED]},
            {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"}},
            ours("attendance", valueCode="did-not-attend"),
            ours("consultation-medium", valueCode="face-to-face"),
            ours("planned-period", valuePeriod={"start": "2026-03-17T10:00:00Z", "end": "2026-03-17T10:45:00Z"}),
            ours("next-contact", valueDateTime="2026-03-24T10:00:00Z"),
            ours("recorded", valueDateTime="2026-03-17T11:06:10Z"),
            ours("version", valuePositiveInt=2),
            ours("replaces", valueIdentifier=number("contact", "CT-8812")),
            coded("consultation-type", "keywork"),
            other("session-type", "KW"),
            other("absence", "A3"),
            other("reason", "WK"),
            {"valueReference": {"identifier": number("slot", "SL-30117")}},
            {"text": "Missed the bus; rang at eleven"},
            {"authorString": "Jo Marsh", "time": "2026-03-17T11:05:00Z", "text": "Sounded well. <Booked> again & confirmed."},
        ],
    },
    "contact-by-telephone": {
        ("Encounter", "CT-8790"): [
            {"status": "finished"},
            ours("attendance", valueCode="attended-late"),
            ours("consultation-medium", valueCode="telephone"),
            {"period": {"start": "2026-03-10T10:00:00Z", "end": "2026-03-10T10:20:00Z"}},
            {"value": "20", "unit": "min", "code": "min"},
            coded("consultation-type", "prescribing-review"),
        ],
        ("Observation", "OB-552"): [
            {"status": "final"},
            other(SCT, "27113001"),
            {"security": [RESTRICTED]},
            other("entry", "MEAS"),
            {"value": "61.5", "comparator": "<", "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
            {"low": {"value": 50, "unit": "kg"}},
            {"high": {"value": 72, "unit": "kg"}},
            {"effectiveDateTime": "2026-03-10T10:15:00Z"},
            ours("part-of-observation", valueIdentifier=number("observation", "OB-551")),
            ours("recorded", valueDateTime="2026-03-10T10:40:00Z"),
        ],
        ("Observation", "OB-553"): [{"status": "final"}, {"valueString": "Not since January"}],
        ("Observation", "OB-554"): [{"status": "entered-in-error"}, other("housing", "NFA")],
        ("Procedure", "IV-204"): [
            {"status": "completed", "notDone": False},
            coded("psychosocial-intervention", "contingency-management"),
            other("intervention", "CM1"),
            {"performedDateTime": "2026-03-10T10:05:00Z"},
        ],
        ("Procedure", "IV-205"): [
            {"status": "aborted", "notDone": True},
            coded("psychosocial-intervention", "motivational"),
            other("not-done", "TIRED"),
        ],
        ("Procedure", "IV-206"): [
            {"status": "entered-in-error", "notDone": False},
            coded("psychosocial-intervention", "twelve-step"),
            {"performedPeriod": {"start": "2026-03-10T10:00:00Z", "end": "2026-03-10T10:05:00Z"}},
        ],
    },
    "contact-that-says-little": {("Encounter", "CT-8820"): [{"status": "unknown"}, {"period": {"start": "2026-03"}}]},
    "contact-undated": {
        ("Encounter", "CT-8850"): [
            {"status": "in-progress"},
            {"_start": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}, "end": "2026-03-17"},
        ],
        ("Observation", "OB-700"): [
            {"status": "entered-in-error"},
            {"code": {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}},
            {"_effectiveDateTime": {"extension": [{"url": ABSENT, "valueCode": "masked"}]}},
        ],
        ("Observation", "OB-701"): [{"status": "final"}, {"category": [{"text": "Family history"}]}],
    },
    "contact-withdrawn": {
        ("Encounter", "CT-8830"): [{"status": "entered-in-error"}, ours("attendance", valueCode="attended")],
        ("Observation", "OB-600"): [{"status": "entered-in-error"}],
    },
    "contact-cancelled-by-service": {
        ("Encounter", "CT-8840"): [
            {"status": "cancelled"},
            ours("attendance", valueCode="cancelled-by-service"),
            ours("consultation-medium", valueCode="video"),
            coded("consultation-type", "joint-review"),
        ],
    },
    "plan-with-own-priorities": {
        ("CarePlan", "PL-78"): [
            {"status": "active", "intent": "plan"},
            coded("care-plan-kind", "shared-care"),
            other("plan-type", "SC"),
            {"title": "Shared care, spring 2026", "description": "Stay on the dose, see the children, get a room."},
            {"period": {"start": "2026-03-10", "end": "2026-09-10"}},
            {"context": {"identifier": number("contact", "CT-8790")}},
            {"url": f"{R4}CarePlan.created", "valueDateTime": "2026-03-09"},
            {"url": "agreed", "valueBoolean": True},
            {"url": "date", "valueDate": "2026-03-10"},
            {"url": "text", "valueString": "Signed, and has a copy"},
            ours("review-due", valueDate="2026-06-09"),
            ours("activity-identifier", valueIdentifier=number("activity", "AC-2")),
            coded("care-plan-activity", "blood-borne-virus"),
            {"status": "not-started", "scheduledString": "by the end of April"},
            coded("care-plan-activity", "keywork"),
            other("activity", "K7"),
            {"status": "in-progress", "scheduledPeriod": {"start": "2026-03-17", "end": "2026-09-10"}},
            {"status": "on-hold", "statusReason": "Waiting for proof of address"},
            coded("care-plan-activity", "housing"),
        ],
        ("Goal", "GO-1"): [
            {"status": "in-progress"},
            ours("rank", valuePositiveInt=1),
            {"url": f"{R4}Goal.lifecycleStatus", "valueCode": "active"},
            other("http://terminology.hl7.org/CodeSystem/goal-achievement", "improving"),
            other("http://hl7.org/fhir/goal-priority", "high-priority"),
            {"text": "I want to have the kids round on a Sunday and not be clucking."},
            {"startDate": "2026-03-10", "target": {"dueDate": "2026-06-30"}},
            {"statusDate": "2026-03-10", "statusReason": "Two Sundays so far"},
            {"display": "Aidan Testerton"},
        ],
        ("Goal", "GO-2"): [{"status": "planned"}, ours("rank", valuePositiveInt=2)],
        ("Goal", "GO-3"): [
            {"status": "proposed"},
            {"expressedBy": {"identifier": number("worker", "W-17"), "display": "Jo Marsh"}},
        ],
        ("CareTeam", "TM-5"): [
            {"status": "active", "name": "Team for Aidan"},
            coded("care-team-role", "gp"),
            other("team-role", "G"),
            {"identifier": {"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "9900011"}, "display": "Dr Asha Verity"},
            ours("contact", valueContactPoint={"system": "phone", "value": "01632 960 021", "use": "work", "rank": 1}),
            coded("care-team-role", "care-coordinator"),
        ],
    },
    "plan-corrected": {
        ("CarePlan", "PL-80"): [
            {"status": "suspended"},
            {"url": "agreed", "valueBoolean": False},
            ours("version", valuePositiveInt=3),
            ours("replaces", valueIdentifier=number("plan", "PL-79")),
            {"url": f"{R4}CarePlan.activity.detail.status", "valueCode": "stopped"},
            {"url": f"{R4}CarePlan.activity.detail.status", "valueCode": "entered-in-error"},
            {"status": "cancelled"},
            {"status": "unknown"},
            {"status": "not-started", "prohibited": True},
        ],
        ("Goal", "GO-9"): [
            {"status": "cancelled"},
            {"url": f"{R4}Goal.lifecycleStatus", "valueCode": "completed"},
            other("http://terminology.hl7.org/CodeSystem/goal-achievement", "not-achieved"),
        ],
        ("Goal", "GO-10"): [{"status": "entered-in-error"}],
    },
    "plan-withdrawn": {
        ("CarePlan", "PL-81"): [{"status": "entered-in-error"}],
        ("Goal", "GO-11"): [{"status": "entered-in-error"}],
    },
    "plan-that-says-little": {("CarePlan", "PL-82"): [{"status": "unknown"}, {"description": "Ring the housing officer"}]},
    "restart-urgent": {
        ("ReferralRequest", "RF-311"): [
            {"status": "active", "intent": "order", "priority": "urgent"},
            {"security": [RESTRICTED]},
            {"valueString": "Same day"},
            {"valueReference": {"identifier": number("contact", "CT-8840")}},
            {"identifier": number("condition", "CO-7")},
            {"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000000070000"},
            coded("referral-kind", "restart"),
            other("referral-type", "UR"),
            other(SCT, "201521000000104"),
            other("sent-by", "MAIL"),
            {"occurrenceDateTime": "2026-03-18", "authoredOn": "2026-03-17T16:18:00Z"},
            {"url": "date", "valueDate": "2026-03-02"},
            {"value": 30, "unit": "ml", "system": SCT, "code": "258773002"},
            {"valueCode": "mL"},
            other(SCT, "36120711000001104"),
            {"url": "certainty", "valueCode": "observed"},
            ours("missed-days", valueUnsignedInt=15),
            ours("referral-consent", valueCode="given"),
            other("reason", "DROP"),
            {"text": "Best reached after noon."},
        ],
        ("Task", "RO-311-1"): [
            {"status": "in-progress", "intent": "order"},
            coded("referral-outcome", "seen"),
            other("result", "S"),
            other("why", "PRES"),
            {"restriction": {"period": {"end": "2026-03-19"}}},
            {"executionPeriod": {"start": "2026-03-18T09:00:00Z", "end": "2026-03-18T10:00:00Z"}},
            {"authoredOn": "2026-03-17T16:30:00Z", "lastModified": "2026-03-18T13:05:00Z"},
        ],
        ("Condition", "CO-1"): [{"clinicalStatus": "active", "onsetDateTime": "2019"}, other(SCT, "75544000")],
        ("MedicationStatement", "DH-1"): [
            {"status": "stopped", "taken": "unk"},
            other("https://dmd.nhs.uk", "36120711000001104"),
            {"effectivePeriod": {"start": "2025-11-03", "end": "2026-03-02"}},
            {"text": "30 ml once a day, supervised"},
            {"value": 30, "unit": "ml", "system": SCT, "code": "258773002"},
        ],
        ("MedicationStatement", "DH-2"): [{"valueCode": "unknown"}, {"text": "Diazepam, bought"}],
        ("Flag", "RK-1"): [
            {"status": "active", "period": {"start": "2026-03-05", "end": "2026-04-05"}},
            coded("risk", "lost-tolerance"),
            other("risk", "LT"),
            {"authorString": "Jo Marsh", "time": "2026-03-17T16:00:00Z", "text": "Told about it twice."},
        ],
        ("Flag", "RK-2"): [{"status": "inactive"}, coded("risk", "other"), {"text": "Lives on a boat"}],
    },
    "restart-last-dose-unknown": {
        ("ReferralRequest", "RF-312"): [
            {"status": "active", "priority": "stat"},
            {"url": "unknown", "valueBoolean": True},
            ours("referral-consent", valueCode="not-asked"),
        ],
    },
    "restart-last-dose-supplied": {
        ("ReferralRequest", "RF-313"): [
            {"priority": "asap"},
            {"url": "certainty", "valueCode": "supplied"},
            ours("missed-days", valueUnsignedInt=1),
            ours("referral-consent", valueCode="best-interests"),
        ],
    },
    "referral-not-attended": {
        ("ReferralRequest", "RF-290"): [
            {"status": "completed", "priority": "routine"},
            coded("referral-kind", "mental-health"),
            ours("referral-consent", valueCode="refused"),
        ],
        ("Task", "RO-290-1"): [{"status": "rejected"}, coded("referral-outcome", "did-not-attend")],
        ("Task", "RO-290-0"): [{"status": "entered-in-error"}],
        ("Condition", "CO-9"): [{"clinicalStatus": "recurrence"}],
        ("MedicationStatement", "DH-9"): [{"status": "completed"}, {"text": "Methadone 1mg/ml oral solution"}],
    },
    "referral-withdrawn": {
        ("ReferralRequest", "RF-300"): [{"status": "entered-in-error"}],
        ("Flag", "RK-9"): [{"status": "entered-in-error"}, coded("risk", "overdose")],
    },
    "referral-revoked": {
        ("ReferralRequest", "RF-301"): [
            {"status": "cancelled"},
            {"valueString": "Soonish"},
            {"url": ABSENT, "valueCode": "unknown"},
        ]
    },
    "consent-granted": {
        ("Consent", "CO-41"): [
            {"status": "active", "dateTime": "2026-03-10T10:50:00Z"},
            ours("consent-decision", valueCode="granted"),
            {"url": f"{R4}Consent.provision.type", "valueCode": "permit"},
            coded("consent-category", "information-sharing"),
            other("consent-type", "P"),
            coded("consent-content", "prescribing"),
            coded("consent-content", "attendance"),
            other("content", "ATT"),
            ours("recipient-kind", valueCode="pharmacy"),
            {"display": "Willow Lane Pharmacy"},
            {"period": {"start": "2026-03-10", "end": "2026-09-10"}},
            {"url": "verified", "valueBoolean": True},
            {"url": "verificationDate", "valueDateTime": "2026-03-17"},
            {"url": "verified", "valueBoolean": False},
            ours("review-due", valueDate="2026-09-10"),
            {"title": "Consent to share, form of 10 March"},
        ],
    },
    "consent-refused-and-taken-back": {
        ("Consent", "CO-42"): [{"status": "rejected"}, ours("consent-decision", valueCode="refused")],
        ("Consent", "CO-30"): [
            {"status": "inactive"},
            ours("consent-decision", valueCode="withdrawn"),
            {"url": f"{R4}Consent.provision.type", "valueCode": "deny"},
        ],
        ("Consent", "CO-20"): [{"status": "inactive"}, ours("consent-decision", valueCode="lapsed")],
    },
    "consent-withdrawn-record": {("Consent", "CO-43"): [{"status": "entered-in-error"}]},
    "consent-to-the-practice": {("Consent", "CO-44"): [{"status": "active"}, ours("recipient-kind", valueCode="gp")]},
    "alert-every-element": {
        ("Communication", ALERT): [
            {"status": "completed", "sent": "2026-03-18T18:04:00Z"},
            ours("alert-status", valueCode="due"),
            {"system": f"{OURS}CodeSystem/care-action", "code": "assess-tolerance", "display": "Assess tolerance"},
            {"system": f"{RESET}codes", "code": "TOL", "display": "Tolerance"},
            {"text": "Four days without"},
            ours("alert-since", valueDate="2026-03-16"),
            ours("as-of", valueDateTime="2026-03-18T18:00:00Z"),
            ours("consecutive-missed", valueRange=days(4, 5)),
            ours("cumulative-missed", valueRange=days(6, 8)),
            ours("days-since-dose", valueRange=days(5, 7)),
            {"url": "date", "valueDate": "2026-03-12"},
            {"value": 40, "unit": "ml", "system": SCT, "code": "258773002"},
            {"valueCode": "mL"},
            other(SCT, "36120711000001104"),
            other("drug", "METH"),
            {"url": "certainty", "valueCode": "observed"},
            ours("last-possible-dose", valueDate="2026-03-17"),
            {"extension": [{"url": "date", "valueDate": "2026-03-17"}, {"url": "state", "valueCode": "unreported"}]},
            {"identifier": {"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "9900002"}, "display": "Dr Lena Osei"},
            {"display": "Jo Marsh"},
            {"contentString": TOLERANCE},
            {"contentReference": {"identifier": number("item", "RX-88")}},
        ],
        ("Task", ALERT): [
            {"status": "requested", "intent": "order"},
            coded("care-action", "assess-tolerance"),
            other("codes", "TOL"),
            {"system": f"{OURS}CodeSystem/care-team-role", "code": "prescriber", "display": "Prescriber"},
            other("role", "DR"),
            {"text": "Whoever prescribes today"},
            {
                "owner": {
                    "identifier": {"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "9900002"},
                    "display": "Dr Lena Osei",
                }
            },
            ours("deputy", valueCode="clinical-lead"),
            {"reason": {"text": "default 1.0.0: assess (S0 more than 3)"}},
            {"restriction": {"period": {"end": "2026-03-19"}}},
        ],
    },
    "alert-asked-of-the-practice": {
        ("Communication", ALERT): [ours("alert-status", valueCode="due"), coded("care-action", "health-check-due")],
        ("Task", ALERT): [{"status": "requested"}, coded("care-team-role", "gp"), ours("deputy", valueCode="care-coordinator")],
    },
    "alert-withdrawn": {
        ("Communication", BACK): [
            {"status": "completed"},
            ours("alert-status", valueCode="withdrawn"),
            {
                "url": f"{R4}Communication.inResponseTo",
                "valueReference": {"identifier": {"system": f"{OURS}Id/care-alert", "value": ALERT}},
            },
            ours("consecutive-missed", valueRange=days(0, 0)),
        ],
        ("Task", ALERT): [{"status": "cancelled"}, {"restriction": {"period": {"end": "2026-03-19"}}}],
    },
    "alert-asked-of-others": {
        ("Communication", ALERT): [
            {"url": "unknown", "valueBoolean": True},
            ours("consecutive-missed", valueRange={"low": days(5, 5)["low"]}),
        ],
        ("Task", ALERT): [{"status": "requested"}, coded("care-team-role", "pharmacist")],
    },
    "alert-that-says-little": {
        ("Communication", ALERT): [
            ours("consecutive-missed", valueRange={"high": days(6, 6)["high"]}),
            {
                "payload": [
                    {"contentReference": {"identifier": {"system": "https://pmr.willowlane.example/dose", "value": "D-13"}}},
                    {
                        "contentReference": {
                            "identifier": {
                                "system": "urn:ietf:rfc:3986",
                                "value": "urn:uuid:00000000-0000-4000-8000-000000000001",
                            }
                        }
                    },
                ]
            },
        ],
    },
    "alert-of-nobody-in-particular": {("Task", ALERT): [{"performerType": [{"text": "Whoever sees them next"}]}]},
    "alert-of-another-system": {("Communication", ALERT): [other("codes", "CALL"), {"text": "Call them in"}]},
    "alert-entered-in-error": {
        ("Communication", ALERT): [{"status": "entered-in-error"}, ours("alert-status", valueCode="due")],
    },
    "alert-withdrawal-in-error": {
        ("Communication", BACK): [{"status": "entered-in-error"}, ours("alert-status", valueCode="withdrawn")],
    },
}


def letter(case: str, ost: adapter.Adapter) -> Document:
    return Document(ost, decode((FIXTURES / NAME / case / "bundle.json").read_bytes()))


@pytest.mark.parametrize("case", LETTERS)
def test_the_sentences_are_those_worked_out_by_hand(case: str, ost: adapter.Adapter) -> None:
    title, told, asked = LETTERS[case]
    document = letter(case, ost)
    said, whom = (text(section["text"]["div"]).splitlines() for section in document.composition["section"])
    assert document.composition["title"] == title
    assert said == told
    assert whom == asked
    [impression] = document.of("ClinicalImpression")
    assert impression["summary"].splitlines() == told + asked, "the free text is the whole of the letter"


@pytest.mark.parametrize("case", CODES)
def test_the_codes_are_those_worked_out_by_hand(case: str, ost: adapter.Adapter) -> None:
    document = letter(case, ost)
    for (kind, value), rows in CODES[case].items():
        [made] = [r for r in document.of(kind) if value in str(r.get("identifier"))]
        for row in rows:
            assert holds(made, row), f"{kind} {value}: {row}"


def test_every_letter_of_the_fixtures_has_its_rows() -> None:
    cases = {d.name for d in (FIXTURES / NAME).iterdir() if d.name.split("-")[0] in EVENTS}
    assert cases == set(LETTERS) == set(CODES)


#: Letters of which somebody at the practice is, may be or was asked: sent for action. https://fhir.nhs.uk/STU3/CodeSystem/ITK-RecipientType-1
FOR_ACTION = {case for case in LETTERS if case.startswith("alert-")} - {"alert-asked-of-others"}
RECIPIENT = "https://fhir.nhs.uk/STU3/CodeSystem/ITK-RecipientType-1"


@pytest.mark.parametrize("case", LETTERS)
def test_a_letter_is_marked_as_local_and_as_no_consultation(case: str, ost: adapter.Adapter) -> None:
    document = letter(case, ost)
    event = EVENTS[case.split("-", maxsplit=1)[0]]
    coding = {"system": f"{OURS}CodeSystem/hub-event", "code": event}
    assert document.composition["type"]["coding"] == [coding]
    kind, asked = ("FA", "action") if case in FOR_ACTION else ("FI", "information")
    assert document.composition["type"]["text"].endswith(f"(local document, for {asked})")
    assert holds(
        document.message,
        {"url": "RecipientType", "valueCoding": {"system": RECIPIENT, "code": kind, "display": f"For {asked.title()}"}},
    )
    assert document.composition["meta"]["tag"] == [coding]
    assert holds(document.message, {"reference": f"{OURS}MessageDefinition/{event}"})
    own = next(r for r in document.of("Encounter") if "hub-event" not in str(r["meta"]))
    assert own["type"] == [{"text": "Report from another organisation; not a consultation with the patient"}]
    for made in document.resources:
        if made["resourceType"] not in ("Composition", "ClinicalImpression", "Patient", "Organization", "Practitioner",
                                        "PractitionerRole", "Observation") and made is not own:  # fmt: skip
            assert "profile" not in made["meta"], "no published use case has it"
            assert made["meta"]["tag"] == [coding]


# what no table of fixtures can show ---------------------------------------------------------------------------------------
WORDS: list[tuple[dict[str, Any], str]] = [
    (gp_contact_words.ATTENDANCE, "attendance"),
    (gp_contact_words.MEDIA, "consultation-medium"),
    (gp_letter_words.CERTAINTY, "dose-certainty"),
    (gp_referral_words.CONSENT, "referral-consent"),
    (gp_consent_words.DECISIONS, "consent-decision"),
]
#: Codes of FHIR that have no CodeSystem here. https://hl7.org/fhir/R4/valueset-request-status.html and its neighbours.
OF_FHIR: list[tuple[dict[str, Any], str]] = [
    (gp_contact_words.STATUS, "planned in-progress finished cancelled entered-in-error unknown"),
    (gp_contact_words.DELIVERED, "completed not-done entered-in-error"),
    (gp_letter_words.REQUEST, "draft active on-hold revoked completed entered-in-error unknown"),
    (gp_plan_words.GOALS, "proposed planned accepted active on-hold completed cancelled entered-in-error rejected"),
    (
        gp_plan_words.ACHIEVEMENT,
        "in-progress improving worsening no-change achieved sustaining not-achieved no-progress not-attainable",
    ),
    (gp_plan_words.PRIORITIES, "high-priority medium-priority low-priority"),
    (
        gp_plan_words.ACTIVITIES,
        "not-started scheduled in-progress on-hold completed cancelled stopped unknown entered-in-error",
    ),
    (gp_plan_words.TEAMS, "proposed active suspended inactive entered-in-error"),
    (gp_referral_words.PRIORITIES, "routine urgent asap stat"),
    (
        gp_referral_words.TASKS,
        "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed entered-in-error",
    ),
    (gp_referral_words.CONDITIONS, "active recurrence relapse inactive remission resolved"),
    (gp_referral_words.HISTORIES, "active completed stopped on-hold unknown entered-in-error"),
]


@pytest.mark.parametrize(("words", "system"), WORDS, ids=[name for _, name in WORDS])
def test_every_code_of_the_hub_has_words_of_its_own(words: Json, system: str) -> None:
    assert set(words) == set(terms(system))
    assert len(set(words.values())) == len(words)


@pytest.mark.parametrize(("words", "codes"), OF_FHIR)
def test_every_code_of_fhir_has_words(words: Json, codes: str) -> None:
    assert set(words) == set(codes.split())


@pytest.mark.parametrize("medium", sorted(terms("consultation-medium")))
def test_nothing_but_a_meeting_counts_as_face_to_face(medium: str, ost: adapter.Adapter) -> None:
    source = decode((FIXTURES / NAME / "contact-by-telephone/bundle.json").read_bytes())
    encounter = next(e["resource"] for e in source["entry"] if e["resource"]["resourceType"] == "Encounter")
    encounter["extension"][1]["valueCode"] = medium
    encounter["class"]["code"] = {"face-to-face": "AMB", "home-visit": "HH"}.get(medium, "VR")
    [how] = [line for line in Document(ost, source).words.splitlines() if line.startswith("It was: ")]
    said = how.split(". It began")[0]
    if medium in ("face-to-face", "home-visit"):
        assert said.startswith("It was: face to face")
    else:
        assert any(no in said for no in ("not face to face", "not seen", "does not count as face to face"))


@pytest.mark.parametrize(
    ("case", "kind", "put"),
    [
        ("contact-missed", "Encounter", lambda r, words: r["extension"][4]["valueAnnotation"].update(text=words)),
        ("plan-with-own-priorities", "Goal", lambda r, words: r["description"].update(text=words)),
        ("plan-with-own-priorities", "CarePlan", lambda r, words: r["activity"][0]["detail"].update(description=words)),
        ("restart-urgent", "ServiceRequest", lambda r, words: r["note"][0].update(text=words)),
        ("restart-urgent", "Task", lambda r, words: r["note"][0].update(text=words)),
        ("alert-every-element", "Communication", lambda r, words: r["payload"][0].update(contentString=words)),
    ],
)
def test_nothing_is_cut(case: str, kind: str, put: Callable[[Json, str], None], ost: adapter.Adapter) -> None:
    words = "Ä {0} %s <p>&amp; " + "I want my own words, all of them. " * 2000 + "The end"
    source = decode((FIXTURES / NAME / case / "bundle.json").read_bytes())
    put(next(e["resource"] for e in source["entry"] if e["resource"]["resourceType"] == kind), words)
    document = Document(ost, source)
    assert f"“{words}”" in document.words
    assert f"“{words}”" in document.of("ClinicalImpression")[0]["summary"]


def test_a_person_s_words_are_theirs_alone(ost: adapter.Adapter) -> None:
    """The same goal, expressed by the keyworker: it is not marked as the person's, and does not stand among their priorities."""
    source = decode((FIXTURES / NAME / "plan-with-own-priorities/bundle.json").read_bytes())
    goal = next(e["resource"] for e in source["entry"] if e["resource"]["id"] == "Goal.1")
    goal["expressedBy"] = {"display": "Jo Marsh"}
    said = Document(ost, source).words.splitlines()
    own = [n for n, line in enumerate(said) if line.startswith("THE PERSON'S OWN WORDS")]
    [other] = [
        n for n, line in enumerate(said) if line.startswith("Goal, number 1 of what matters most to the person, in the words of")
    ]
    assert len(own) == 1
    assert other > max(own)


def test_a_restart_without_a_last_dose_is_refused(ost: adapter.Adapter) -> None:
    source = decode((FIXTURES / NAME / "restart-last-dose-unknown/bundle.json").read_bytes())
    request = next(e["resource"] for e in source["entry"] if e["resource"]["resourceType"] == "ServiceRequest")
    del request["extension"][0]
    with pytest.raises(adapter.Refused) as refused:
        ost.translate(encode(source), read="fhir", write=NAME)
    assert {rule_of(i) for i in refused.value.issues} == {"ost-referral-last-dose"}


# alerts -------------------------------------------------------------------------------------------------------------------
#: Roles that nobody at a practice has. A prescriber may be one of its doctors, and `other` anybody.
OTHERS = {
    "care-coordinator",
    "deputy",
    "keyworker",
    "pharmacist",
    "clinical-lead",
    "mental-health-worker",
    "social-worker",
    "carer",
}


@pytest.mark.parametrize("deputy", [None, *terms("care-team-role")])
@pytest.mark.parametrize("role", [None, *terms("care-team-role")])
def test_an_alert_is_for_information_only_where_others_alone_are_asked(
    role: str | None, deputy: str | None, ost: adapter.Adapter
) -> None:
    source = decode((FIXTURES / NAME / "alert-asked-of-the-practice/bundle.json").read_bytes())
    task = next(e["resource"] for e in source["entry"] if e["resource"]["resourceType"] == "Task")
    del task["performerType"], task["extension"]
    if role:
        task["performerType"] = [{"coding": [coded("care-team-role", role)]}]
    if deputy:
        task["extension"] = [ours("deputy", valueCode=deputy)]
    document = Document(ost, source)
    informs = role in OTHERS and (deputy is None or deputy in OTHERS)
    assert (FOR_INFORMATION in document.words) == informs
    assert holds(document.message, {"display": "For Information"}) == informs
    assert ("ASKED OF THE PRACTICE" in document.words) == (role == "gp")
    assert ("ASKED, and it may be of somebody at the practice" in document.words) == (role != "gp" and not informs)
    assert document.composition["title"].startswith("FOR ACTION") != informs


def test_two_alerts_in_one_letter_are_refused(ost: adapter.Adapter) -> None:
    body = (FIXTURES / "nebula/alert/write-refused-two-alerts/bundle.json").read_bytes()
    with pytest.raises(adapter.Refused) as refused:
        ost.translate(body, read="fhir", write=NAME)
    second = {
        "status",
        "subject.reference",
        "topic.coding[0].system",
        "topic.coding[0].code",
        "extension[0].url",
        "extension[0].value",
    }
    lost = {i["expression"][0] for i in refused.value.issues if rule_of(i) == "unread-safety"}
    assert lost == {f"Bundle.entry[4].resource.{element}" for element in second}


@pytest.mark.parametrize("withdrawn", [False, True], ids=["due", "withdrawn"])
@pytest.mark.parametrize("code", terms("care-action"))
def test_what_the_ledger_raises_is_told(code: str, withdrawn: bool, ost: adapter.Adapter) -> None:
    """Every action of the shared care; the counts, days and doses are those of the case in tests/care/test_messages.py."""
    [source, *_] = messages(
        with_actions(action(code, withdrawn=withdrawn)), sender=Sender("YZ901", "Reset", "01632 960144"), made=MADE
    )
    said = Document(ost, source).words.splitlines()
    name = terms("care-action")[code]
    assert sum(line.startswith("ALERT") for line in said) == (not withdrawn)
    assert sum("WHAT IT ASKED IS NOT TO BE DONE." in line for line in said) == withdrawn
    assert (
        "MISSED IN A ROW: exactly 4 dose-days. Missed in the time on which the policy looks back: exactly 4 dose-days. WITHOUT A DOSE "
        "THAT IS EVIDENCED: at least 4 days, at most 5."
    ) in said
    [last] = [line for line in said if line.startswith("LAST DOSE: Thursday 5 March 2026, 60 mg, Methadone 1mg/ml oral solution")]
    assert last.endswith(
        ". OBSERVED: somebody saw it swallowed or gave it. A dose MAY HAVE BEEN TAKEN as late as Friday 6 March 2026."
    )
    asked = "NO LONGER ASKED" if withdrawn else "ASKED, and it may be of somebody at the practice"
    by = ", by Wednesday 11 March 2026." if withdrawn else ". TO BE DONE BY Wednesday 11 March 2026."
    [task] = [line for line in said if line.startswith(f"{asked}: {name}{by} Role: Prescriber.")]
    assert "By the policy: default 1.0.0: said." in task
    assert "WHOM TO RING ABOUT IT: Reset (YZ901). To reach them: telephone 01632 960144." in said
    assert FOR_INFORMATION not in said


def test_handles_of_the_source_become_uuids() -> None:
    """A reference that is an object (the actor of a Consent) is no text to be re-pointed."""
    uuid = "urn:uuid:9990a1b0-0000-4000-8000-000000000001"
    actor = {"reference": {"identifier": {"value": "x"}}}
    entries: list[Json] = [
        {"fullUrl": "PractitionerRole.1", "resource": {"resourceType": "PractitionerRole"}},
        {"fullUrl": uuid, "resource": {"resourceType": "Consent", "actor": [actor], "for": {"reference": "PractitionerRole.1"}}},
        {"resource": {"resourceType": "Bundle"}},
    ]
    role, consent, shell = with_uuids(entries)
    assert role["fullUrl"].startswith("urn:uuid:")
    assert consent == {
        "fullUrl": uuid,
        "resource": {"resourceType": "Consent", "actor": [actor], "for": {"reference": role["fullUrl"]}},
    }
    assert shell == entries[2]
