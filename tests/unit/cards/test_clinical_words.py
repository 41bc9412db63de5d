"""What the words of the cards may say: claims, never facts about a patient; tests, never therapy.

Read beside `cards/`: these are the promises a clinician relies on when reading a card.
"""

from __future__ import annotations

import re

import pytest

from cds_service.core.note import NoteKind
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.verdict import Reason
from tests.packaged import SIL2R
from tests.public_words import CONTEXTS, FINDINGS, MISSING, WARNINGS
from tests.unit.cards.wording import everything_said, section, words

LONGEST_HEADLINE = 60
TOO_CERTAIN = re.compile(
    r"\b(normal(ly)?|confirm\w*|exclud\w*|safe(ly)?|reassur\w*|critical\w*|diagnosed|diagnostic|"
    r"proves?|establish\w*|indicates|consistent with|patient has|suffers from|rul\w+ (out|in))\b",
    re.IGNORECASE,
)
THERAPY = re.compile(
    r"\b(start|stop|begin|initiate|give|treat|administer|prescribe|taper|withhold|escalate|"
    r"etoposide|anakinra|ruxolitinib|emapalumab|infliximab|methotrexate|rituximab|tocilizumab|"
    r"ciclosporin|dexamethasone|prednisolone|prednisone|immunoglobulins)\b",
    re.IGNORECASE,
)
DRUG_CONTEXTS = {
    "basiliximab": {
        *("context-anti-cd25-therapy", "context-transplant", "order-anti-cd25-therapy")
    },
    "daclizumab": {"context-anti-cd25-therapy"},
    "denileukin": {"context-anti-cd25-therapy"},
    "aldesleukin": {"context-il2-therapy"},
    "muromonab": {"context-t-cell-depleting-therapy"},
}


def test_no_text_states_a_disease_as_fact_or_reassures() -> None:
    found = {
        where: m.group() for where, text in everything_said() if (m := TOO_CERTAIN.search(text))
    }
    assert not found


def test_no_text_recommends_a_treatment() -> None:
    found = {where: m.group() for where, text in everything_said() if (m := THERAPY.search(text))}
    assert not found


@pytest.mark.parametrize("drug", sorted(DRUG_CONTEXTS))
def test_a_drug_is_named_only_where_it_disturbs_the_assay(drug: str) -> None:
    named = {name for name, text in words().items() if drug in text.lower()}
    assert named == DRUG_CONTEXTS[drug]


def test_every_public_finding_and_context_has_a_row() -> None:
    assert {row.id for row in SIL2R.findings} == FINDINGS
    assert {row.id for row in SIL2R.contexts} == CONTEXTS


def test_every_finding_context_reason_and_note_has_its_template_and_there_is_no_other() -> None:
    needed = FINDINGS | CONTEXTS | {"threshold-indeterminate", "wrong-analyte"}
    needed |= {f"reason-{reason.value}" for reason in Reason}
    needed |= {f"note-{kind.value}" for kind in NoteKind}
    needed |= {"order-line", "order-swap"} | {row.id for row in SIL2R.order_table.advice}
    assert set(SIL2R.templates) == needed


def test_every_finding_says_what_it_does_not_mean() -> None:
    for name in FINDINGS | {"threshold-indeterminate"}:
        assert len(section(name, "not")) > 40, name


def test_headlines_are_short_plain_and_without_a_full_stop() -> None:
    for name, template in SIL2R.templates.items():
        if "headline" in template:
            parts = template["headline"].parts
            shown = "".join(p if i % 2 == 0 else "x" * 9 for i, p in enumerate(parts))
            assert len(shown) <= LONGEST_HEADLINE, name
            assert not re.search(r"[\n*_`.]$|[*`\n]", shown), name


def test_only_the_four_published_findings_warn() -> None:
    assert {row.id for row in SIL2R.findings if row.indicator == "warning"} == WARNINGS


def test_a_raised_csf_value_names_the_differential_with_infection_first() -> None:
    for wording in ("says", "weakly"):
        text = section("csf-above-150", wording)
        for cause in ("tubercul", "lymphoma", "CNS-HLH", "neurosarcoidosis"):
            assert 0 < text.index("nfection") < text.index(cause), (wording, cause)
    assert "no argument for multiple sclerosis" in section("csf-above-150", "not")
    assert "no argument for multiple sclerosis" in section("context-multiple-sclerosis", "says")


def test_the_93_percent_of_csf_is_never_shown_without_its_nature() -> None:
    shown = [name for name, text in words().items() if "accuracy of 93%" in text]
    assert shown == ["csf-above-150"]
    (sentence,) = re.findall(r"[^.]*93%[^.]*\.", words()["csf-above-150"])
    for condition in (
        "11 patients with neurosarcoidosis",
        "separated untreated ones from non-infectious CNS disease with an accuracy of 93%",
        "neither a sensitivity nor a specificity",
        "the comparison left infection out",
    ):
        assert condition in sentence
    assert "93%" in section("csf-above-150", "not")  # which full and weak cards both show


def test_the_hlh_criterion_is_always_one_of_eight() -> None:
    for wording in ("says", "weakly"):
        assert "one of eight, five are needed" in section("hlh-2004-criterion-met", wording)


def test_a_value_that_is_not_raised_leaves_disease_open() -> None:
    for name in ("hlh-adult-less-likely", "csf-not-above-150", "ohi-index-negative"):
        assert re.search(r"open|Not for use alone", section(name, "not")), name
    for name in ("within-laboratory-limit", "below-laboratory-limit"):
        assert "leaves HLH, lymphoma, sarcoidosis and CNS disease open" in section(name, "not")


OF_RAISED_BLOOD = {
    *("above-laboratory-limit", "hlh-2004-criterion-met", "hlh-adult-high-specificity"),
    *("ohi-index-positive", "sarcoidosis-supportive"),
    *("atl-indolent-risk-intermediate", "atl-indolent-risk-high"),
}
OF_LOW_BLOOD = {
    *("within-laboratory-limit", "below-laboratory-limit"),
    *("ohi-index-negative", "atl-indolent-risk-low"),
}


@pytest.mark.parametrize(
    ("contexts", "findings"),
    [
        ("renal-impairment dialysis il2-therapy t-cell-depleting-therapy car-t", OF_RAISED_BLOOD),
        ("infection hiv", OF_RAISED_BLOOD | {"csf-above-150"}),
        ("corticosteroids", OF_LOW_BLOOD | {"hlh-adult-less-likely", "csf-not-above-150"}),
        ("anti-cd25-therapy", OF_LOW_BLOOD),  # HLH is not called less likely at all
        ("age-over-65", {"above-laboratory-limit", "sarcoidosis-supportive"}),
        ("transplant", {"above-laboratory-limit"}),
    ],
)
def test_what_raises_or_lowers_the_value_weakens_every_finding_that_hangs_on_it(
    contexts: str, findings: set[str]
) -> None:
    for row in SIL2R.contexts:
        if row.id.removeprefix("context-") in contexts.split():
            assert set(row.weakens) == findings, row.id


def test_meningeal_spread_is_never_stated_as_a_fact() -> None:
    for name in ("context-atl-meningeal", "context-nhl-meningeal"):
        first = section(name, "says").split(".")[0]
        assert first.endswith("is recorded and this is CSF")
        assert "mening" not in first


def test_figures_whose_source_was_not_located_stand_on_no_card() -> None:
    for name in ("context-atl-meningeal", "context-nhl-meningeal", "csf-above-150"):
        assert not re.search(r"\b(100|23)%", words()[name]), name


def test_the_hscore_never_takes_in_sil2r() -> None:
    for name, text in words().items():
        for sentence in re.findall(r"[^.]*HScore[^.]*\.", text):
            assert re.search(r"no part|without sIL-2R", sentence), name


def test_a_card_that_cannot_interpret_says_what_to_do_next() -> None:
    for reason in Reason:
        assert len(section(f"reason-{reason.value}", "next")) > 30
    assert "urgently" in words()["note-urgent-if-ill"]


def test_a_result_that_may_have_no_value_yet_is_not_spoken_of_as_a_number() -> None:
    """A registered one has none: nobody can say how firm it is."""
    for name in ("says", "next"):
        assert "number" not in SIL2R.templates["reason-status-preliminary"][name].source


def test_a_contradiction_of_code_and_specimen_is_not_told_as_one_of_csf() -> None:
    """A serum code beside cord blood is one too."""
    assert "blood limit on CSF" not in SIL2R.templates["reason-specimen-conflict"]["says"].source


def test_the_disclaimer_covers_d1_to_d7_in_60_to_80_words() -> None:
    text = disclaimer(SIL2R)
    assert 60 <= len(text.split()) <= 80
    points = {
        "D1": "not for patients",
        "D2": "comes first",
        "D3": "linked papers",
        "D4": "pending clinical review",
        "D5": "no medical device",
        "D6": "no treatment advice",
        "D7": "missing from the record",
    }
    assert {point for point, said in points.items() if said not in text} == set()


def test_every_public_missing_word_has_words() -> None:
    assert set(SIL2R.wording.missing) == MISSING
