"""What holds for every reachable card, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cds_service.core.rendering.citations import citation, url_of
from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.verdict import Answer, Interpreted, Outcome, Reason, WrongAnalyte
from tests.contract.specification import CARD, conforms, empty_values
from tests.public_words import MISSING, WARNINGS
from tests.safety.conftest import DraftAdvice, ReachableCard, Walked

DOI = re.compile(r"\b10\.\d{4,9}/[^\s)\]]+")
PMID = re.compile(r"PMID (\d+)|pubmed\.ncbi\.nlm\.nih\.gov/(\d+)")


def breaking(walked: Walked, holds: Callable[[ReachableCard], bool]) -> list[str]:
    """The first few cards for which it does not hold."""
    return [f"{each.label}: {each.card.summary}" for each in walked.cards if not holds(each)][:5]


def test_the_walk_is_long_enough_to_mean_something(walked: Walked) -> None:
    assert len({each.card.detail for each in walked.results}) > 5_000
    assert len({each.card.detail for each in walked.orders}) > 100


def test_t26_every_card_is_what_the_specification_asks_for(walked: Walked) -> None:
    for each in walked.cards[::7]:
        conforms(each.json, CARD)
        assert list(empty_values(each.json)) == [], each.label


def test_t104_a_summary_is_one_short_line(walked: Walked) -> None:
    def holds(each: ReachableCard) -> bool:
        summary = each.card.summary
        return 0 < len(summary) <= 139 and "\n" not in summary and not summary.endswith("…")

    assert breaking(walked, holds) == []


def test_t104_the_summary_of_an_interpreted_result_names_value_unit_and_specimen(
    walked: Walked,
) -> None:
    words = {kind.id: kind.words for kind in walked.knowledge.specimens.values()}

    def holds(each: ReachableCard) -> bool:
        match each.about:
            case Answer(verdict=Interpreted()) as answer:
                named = f"sIL-2R {answer.value.text} {answer.value.unit} ({words[answer.specimen]}"
                day = r"(, 20[0-9]{2}-[01][0-9]-[0-3][0-9])?"  # of an old result
                return re.match(rf"{re.escape(named)}{day}\): ", each.card.summary) is not None
            case _:
                return True

    assert breaking(walked, holds) == []


def test_only_the_four_findings_warn_and_nothing_is_critical(walked: Walked) -> None:
    def holds(each: ReachableCard) -> bool:
        wanted = "warning" if each.findings & WARNINGS else "info"
        return each.card.indicator.value == wanted

    assert breaking(walked, holds) == []


def test_t31_no_card_holds_html(walked: Walked) -> None:
    """Markdown without HTML: every angle bracket of a value is written as an entity."""
    assert breaking(walked, lambda each: not re.search(r"[<>]", each.card.detail)) == []


def test_t104_the_disclaimer_is_the_last_word(walked: Walked) -> None:
    last = f"\n\n{disclaimer(walked.knowledge)}"
    assert breaking(walked, lambda each: each.card.detail.endswith(last)) == []


def test_t104_every_card_cites_and_cites_only_what_stands_in_the_bibliography(
    walked: Walked,
) -> None:
    sources = walked.knowledge.sources.values()
    own = f"{walked.knowledge.identity.title} {walked.knowledge.identity.version}"
    published = {source.short for source in sources if source.opened != "web page"}
    urls = {url_of(source) for source in sources}
    dois = {source.doi for source in sources}
    pmids = {source.pmid for source in sources}

    def holds(each: ReachableCard) -> bool:
        detail = each.card.detail
        cited = detail.partition("**Sources**")[2]
        found = {one or other for one, other in PMID.findall(detail)}
        return (
            "\n1. " in cited
            and each.card.source["label"] in {*published, own}
            and {link["url"] for link in each.card.links} <= urls
            and set(DOI.findall(detail)) <= dois
            and found <= pmids
        )

    assert breaking(walked, holds) == []


def test_every_source_in_the_text_can_be_opened_by_a_link_and_the_reverse(walked: Walked) -> None:
    def holds(each: ReachableCard) -> bool:
        in_text = re.findall(r"\]\((https://[^)]+)\)", each.card.detail)
        return in_text == [link["url"] for link in each.card.links]

    assert breaking(walked, holds) == []


def test_c08_every_card_names_its_knowledge_and_what_it_looked_at(walked: Walked) -> None:
    def holds(each: ReachableCard) -> bool:
        said = each.said
        is_of_another = said.get("reason") == Reason.SUBJECT_MISMATCH.value
        return (
            said["knowledge"] == walked.knowledge.tag
            and walked.knowledge.tag in each.card.detail
            and ("inputs" in said) is not is_of_another
            and ("**Used**" in each.card.detail) is not is_of_another
        )

    assert breaking(walked, holds) == []


def test_outcome_reason_findings_and_missing_are_public_words(walked: Walked) -> None:
    knowledge = walked.knowledge
    ids = {row.id for row in knowledge.findings} | {row.id for row in knowledge.contexts}
    ids.add("threshold-indeterminate")
    advice = {row.id for row in knowledge.order_table.advice}
    reasons = {reason.value for reason in Reason}

    def holds(each: ReachableCard) -> bool:
        said: dict[str, Any] = each.said
        withheld = said["outcome"] == Outcome.NOT_INTERPRETABLE.value
        return (
            said["outcome"] in {outcome.value for outcome in Outcome}
            and ("reason" in said) is withheld
            and said.get("reason", "fhir-invalid") in reasons
            and each.findings <= (advice if isinstance(each.about, DraftAdvice) else ids)
            and set(said.get("missing", ())) <= MISSING
        )

    assert breaking(walked, holds) == []


def test_interleukin_2_is_never_called_its_receptor(walked: Walked) -> None:
    """Its number stands under its own name, and under no other."""

    def holds(each: ReachableCard) -> bool:
        match each.about:
            case Answer(verdict=WrongAnalyte()) as answer:
                first = each.card.detail.partition("\n")[0]
                shown = f"{answer.value.text} {answer.value.unit}".strip()
                wanted = f"Interleukin 2: {shown}**" if shown else "Interleukin 2**"
                headed = f"Interleukin 2 ({shown}): " if shown else "Interleukin 2: "
                return (
                    first.startswith(f"**{wanted}")
                    and each.card.summary.startswith(headed)
                    and not re.search(r"sIL-2R[^.]{0,3}\d", each.card.summary)
                    and not each.findings
                )
            case _:
                return True

    assert breaking(walked, holds) == []


def test_a_result_of_another_patient_shows_nothing_of_itself(walked: Walked) -> None:
    found = [each for each in walked.cards if each.said.get("reason") == "subject-mismatch"]
    assert {type(each.about) for each in found} == {Answer, DraftAdvice}
    for each in found:
        shown = each.card.summary + each.card.detail
        assert "3000" not in shown
        assert "Observation/" not in shown
        assert "ServiceRequest/" not in shown


def test_t35_b07_suggestions_only_draft_and_links_lead_to_sources_only(walked: Walked) -> None:
    """Drafts that a clinician may take or leave; nothing acts by itself."""

    def is_draft(action: dict[str, Any]) -> bool:
        made = action["resource"]
        return (
            made["resourceType"] == "ServiceRequest"
            and made["status"] == "draft"
            and made["intent"] == "proposal"
            and "id" not in made
            and made["subject"] == {"reference": "Patient/p"}
        )

    cited = {url_of(source): citation(source) for source in walked.knowledge.sources.values()}

    def leads_to_a_source(link: Mapping[str, str], detail: str) -> bool:
        return link["type"] == "absolute" and cited.get(link["url"], "no source of ours") in detail

    def holds(each: ReachableCard) -> bool:
        acts = [a for suggestion in each.card.suggestions for a in suggestion["actions"]]
        kinds = {action["type"] for action in acts}
        may = {"create", "delete"} if isinstance(each.about, DraftAdvice) else {"create"}
        removed = {a["resourceId"] for a in acts if a["type"] == "delete"}
        return (
            kinds <= may
            and all(is_draft(action) for action in acts if action["type"] == "create")
            and removed <= {"ServiceRequest/1", "ServiceRequest/2"}
            and all("isRecommended" not in suggestion for suggestion in each.card.suggestions)
            and all(leads_to_a_source(link, each.card.detail) for link in each.card.links)
        )

    assert breaking(walked, holds) == []
