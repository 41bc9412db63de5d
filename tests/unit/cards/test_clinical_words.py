"""What the words of the cards may say: claims, never facts about a patient; tests, never therapy.

Read beside `cards/`: these are the promises a clinician relies on when reading a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from cds_service.core.disclaimer import disclaimer
from cds_service.core.loinc import check_digit_is_right
from cds_service.core.note import NoteKind
from cds_service.core.verdict import Reason
from tests.packaged import SIL2R
from tests.public_words import CONTEXTS, FINDINGS, MISSING, WARNINGS

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


@cache
def words() -> dict[str, str]:
    """Template -> all its wording, placeholders by name."""
    return {
        name: "\n".join("".join(wording.parts) for wording in template.values())
        for name, template in SIL2R.templates.items()
    }


def section(template: str, name: str) -> str:
    return "".join(SIL2R.templates[template][name].parts)


def everything_said() -> Iterator[tuple[str, str]]:
    """Every text that can reach a card, with where it stands."""
    yield from words().items()
    yield "disclaimer", "".join(SIL2R.wording.disclaimer.parts)
    for finding in SIL2R.findings:
        yield f"claim of {finding.id}", finding.claim
    for context in SIL2R.contexts:
        yield f"claim of {context.id}", context.claim
    for reason in SIL2R.reasons.values():
        yield f"claim of {reason.id}", reason.claim
    for advice in SIL2R.order_table.advice:
        yield f"claim of {advice.id}", advice.claim
    for suggestion in SIL2R.suggestions.values():
        yield f"suggestion {suggestion.id}", f"{suggestion.label}. {suggestion.text}"
    for statement in SIL2R.statements:
        yield f"our words on {statement.id}", statement.our_words


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
        "11 patients with untreated neurosarcoidosis",
        "accuracy of 93% against non-infectious CNS disease",
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


# ---------------------------------------------------------------- sources and statements


def test_identifiers_are_well_formed() -> None:
    for source in SIL2R.sources.values():
        assert re.fullmatch(r"(10\.\d{4,9}/\S+[^\s.,;])?", source.doi), source.id
        assert re.fullmatch(r"([1-9]\d{6,7})?", source.pmid), source.id


def test_no_identifier_stands_twice() -> None:
    for field in ("doi", "pmid"):
        known = [value for s in SIL2R.sources.values() if (value := getattr(s, field))]
        assert len(known) == len(set(known)), field


@pytest.mark.parametrize("unverified", ["10.1002/art.38690", "NXI.0000000000000725", "24705932"])
def test_identifiers_that_nobody_verified_are_left_out(unverified: str) -> None:
    rows = [source.model_dump_json() for source in SIL2R.sources.values()]
    assert not [row for row in rows if unverified in row]


def test_a_title_that_was_not_read_says_so() -> None:
    for source in SIL2R.sources.values():
        described = source.title.startswith("(")
        assert described == source.note.startswith("Title not verified"), source.id


def test_every_source_carries_something_that_is_said_or_says_that_it_does_not() -> None:
    rows = [row.all_sources for row in (*SIL2R.findings, *SIL2R.contexts, *SIL2R.notes.values())]
    rows += [row.sources for row in SIL2R.ages.values()]
    rows += [row.all_sources for row in SIL2R.limits.values()]
    rows += [row.sources for row in SIL2R.panels.values()]
    rows += [row.sources for row in SIL2R.ratios.values()]
    rows += [row.sources for row in SIL2R.suggestions.values()]
    rows += [row.sources for row in SIL2R.reasons.values()]
    rows += [row.sources for row in SIL2R.order_table.advice]
    used = {name for names in rows for name in names}
    used |= {n for row in SIL2R.statements for n in (*row.sources_for, *row.sources_against)}
    idle = {name for name, row in SIL2R.sources.items() if "Behind nothing that is" in row.note}
    assert set(SIL2R.sources) - used == idle


def test_all_statements_of_both_documents_are_there() -> None:
    expected = [f"S{n}" for n in range(1, 19)] + [f"T{n}" for n in range(1, 4)]
    assert [row.id for row in SIL2R.statements] == expected


def test_the_truth_about_the_contested_statements_is_told() -> None:
    status = {row.id: row.status for row in SIL2R.statements}
    assert status["S4"] == status["S6"] == "contradicted"
    assert status["S7"] == "source not located"
    assert status["S9"] == "supported in part"
    for row in SIL2R.statements:
        assert row.status != "supported" or row.sources_for, row.id
        assert row.status != "contradicted" or row.sources_against, row.id


# ---------------------------------------------------------------- steps, feedback, attributes


def test_a_code_of_a_suggestion_is_a_loinc_code_and_a_contact_has_none() -> None:
    for row in SIL2R.suggestions.values():
        if row.code:
            assert row.kind == "order"
            assert row.system == "http://loinc.org"
            assert row.display
            assert check_digit_is_right(row.code)
        else:
            assert (row.system, row.display) == ("", ""), row.id
        assert len(row.label) <= 32, row.id


def test_every_suggestion_is_offered_somewhere() -> None:
    offered = {name for row in SIL2R.findings for name in row.suggestions}
    offered |= {name for row in SIL2R.contexts for name in row.suggestions}
    offered |= {name for row in SIL2R.reasons.values() for name in row.suggestions}
    offered |= {name for row in SIL2R.order_table.pairings.values() for name in row.suggestions}
    offered |= {row.order for row in SIL2R.order_table.swaps.values() if row.order}
    assert offered == set(SIL2R.suggestions)


def test_the_13_source_attributes_are_there_and_only_birth_is_used() -> None:
    attributes = SIL2R.attributes
    assert len({row.id for row in attributes}) == 13
    assert [row.id for row in attributes if row.used is True] == ["date-of-birth"]
    assert [row.used for row in attributes[:4]] == ["not-applicable"] * 4


def test_a_limit_says_for_whom_how_well_and_what_is_weak() -> None:
    for limit in SIL2R.limits.values():
        for text in (limit.population, limit.assay, limit.performance, limit.weakness):
            assert len(text) > 4, limit.id
        assert limit.sources, limit.id


def test_there_are_at_least_150_worked_cases_and_every_reason_that_a_case_can_give_has_one() -> (
    None
):
    cases = SIL2R.cases
    beyond_a_case = {
        Reason.VALUE_NOT_NUMERIC,
        Reason.CODE_CONFLICT,
        Reason.SUBJECT_MISMATCH,
        Reason.FHIR_INVALID,
        Reason.STATUS_WITHDRAWN,
    }
    assert len({case.id for case in cases}) >= 150
    assert {case.expect.reason for case in cases} - {""} == {
        r.value for r in set(Reason) - beyond_a_case
    }
