"""Approval (D4): a signature holds for exactly one content, and the cards say the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service import wiring
from cds_service.config import Review, Settings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.proof import faults
from cds_service.core.rendering.disclaimer import disclaimer, review_status
from cds_service.core.review import Approved, Pending
from cds_service.errors import ConfigurationError, InputError, KnowledgeError
from cds_service.knowledge import approval
from cds_service.knowledge.approval import (
    Approval,
    add_approval,
    content_digest,
    read_approvals,
    review_state,
    sign,
)
from cds_service.knowledge.approve import approve_content
from cds_service.knowledge.check import check_knowledge
from cds_service.knowledge.files import Library, load_configured, load_library, with_approvals
from cds_service.logs import Event
from tests import toy

DAY = date(2026, 12, 1)
TAG = toy.knowledge().tag
PENDING_WORDS = "is pending clinical review"


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    """The texts as a folder of knowledge."""
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def signed(file: Path, library: Library, reviewer: str = "Dr. Ada Beispiel") -> Path:
    approve_content(library, "", file, reviewer=reviewer, role="clinical chemist", on=DAY)
    return file


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    return written(tmp_path / "cards", toy.files())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "approval.toml"


def test_d4_without_a_signature_every_card_says_pending_clinical_review(
    sil2r: KnowledgeBase,
) -> None:
    assert sil2r.review == Pending()
    assert review_status(sil2r) == "pending clinical review"
    assert PENDING_WORDS in disclaimer(sil2r)


def test_d4_a_signature_of_this_content_replaces_the_pending_words(cards: Path, file: Path) -> None:
    library = with_approvals(load_library(cards), signed(file, load_library(cards)))
    base = library.bases["toy"]
    assert base.review == Approved("Dr. Ada Beispiel", DAY, "clinical chemist")
    assert disclaimer(base) == (
        f"A toy ({TAG}), read by Dr. Ada Beispiel on 2026-12-01, and nothing else."
    )
    assert review_status(base) == "approved by Dr. Ada Beispiel on 2026-12-01"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("toy/limits.toml", '"100"', '"101"'),
        ("disclaimer.md", "A toy", "The toy"),
        ("toy/templates/sap-high.md", "Is not", "Is never"),
    ],
)
def test_any_change_of_the_content_voids_a_signature(
    name: str, old: str, new: str, cards: Path, file: Path
) -> None:
    signed(file, load_library(cards))
    written(cards, {name: toy.edited(name, old, new)[name]})
    review = with_approvals(load_library(cards), file).bases["toy"].review
    assert isinstance(review, Pending)
    assert "it has changed since" in review.void


def test_a_signature_of_another_version_does_not_hold(cards: Path, file: Path) -> None:
    signed(file, load_library(cards))
    version = toy.knowledge().identity.version
    newer = toy.edited("toy/knowledge.toml", f'"{version}"', '"2099.1"')
    review = with_approvals(load_library(written(cards, newer)), file).bases["toy"].review
    assert isinstance(review, Pending)
    assert f"is of {TAG}, not of toy@2099.1" in review.void


def test_a_signature_of_another_analyte_is_no_signature() -> None:
    other = sign("other@2026.1", "0" * 64, reviewer="Dr. Ada Beispiel", role="", on=DAY)
    assert review_state(TAG, "0" * 64, [other]) == Pending()


def test_what_was_signed_again_after_a_change_holds_again(cards: Path, file: Path) -> None:
    signed(file, load_library(cards))
    name = "disclaimer.md"
    written(cards, {name: toy.edited(name, "A toy", "The toy")[name]})
    signed(file, load_library(cards), "Dr. Bo Muster")
    review = with_approvals(load_library(cards), file).bases["toy"].review
    assert isinstance(review, Approved)
    assert review.reviewer == "Dr. Bo Muster"
    assert [row.reviewer for row in read_approvals(file)] == ["Dr. Ada Beispiel", "Dr. Bo Muster"]


def test_the_digest_does_not_depend_on_line_ends_blanks_or_the_unicode_form() -> None:
    texts = {"toy/a.md": "caf\u00e9\nb\n", "wording.toml": "x"}
    same = {"wording.toml": "x\n\n", "toy/a.md": "cafe\u0301  \r\nb"}
    assert content_digest(texts, "toy") == content_digest(same, "toy")


def test_the_digest_is_of_the_analyte_and_what_all_share() -> None:
    texts = {"toy/a.md": "a", "wording.toml": "x"}
    whole = content_digest(texts, "toy")
    assert content_digest({**texts, "other/a.md": "b"}, "toy") == whole
    for name in texts:
        assert content_digest({**texts, name: "changed"}, "toy") != whole
    assert content_digest({"toy/b.md": "a", "wording.toml": "x"}, "toy") != whole


def test_the_settings_name_the_approval_file(cards: Path, file: Path) -> None:
    signed(file, load_library(cards))
    pending = load_configured(Settings(knowledge=cards))
    approved = load_configured(Settings(knowledge=cards, approval=file))
    assert isinstance(pending.bases["toy"].review, Pending)
    assert isinstance(approved.bases["toy"].review, Approved)


def test_knowledge_check_says_the_state_and_why_a_signature_is_void(
    cards: Path, file: Path
) -> None:
    assert check_knowledge(cards, None).reviews == [f"{TAG}: pending clinical review."]
    signed(file, load_library(cards))
    assert check_knowledge(cards, None, file).reviews == [
        f"{TAG}: approved by Dr. Ada Beispiel on 2026-12-01."
    ]
    written(cards, toy.edited("disclaimer.md", "A toy", "The toy"))
    report = check_knowledge(cards, None, file)
    assert report.faults == []
    assert "it has changed since" in report.reviews[0]


def test_content_whose_worked_cases_fail_cannot_be_signed(cards: Path, file: Path) -> None:
    cases = toy.files()["toy/cases.toml"]
    written(cards, {"toy/cases.toml": cases.replace("sap-high", "sap-not-high", 1)})
    with pytest.raises(InputError, match="A worked case fails"):
        signed(file, load_library(cards))
    assert not file.exists()


def test_where_there_are_several_analytes_one_must_be_named(file: Path) -> None:
    base = toy.knowledge()
    library = Library({"toy": base, "other": base}, {"toy": "0" * 64, "other": "0" * 64})
    with pytest.raises(InputError, match="which knowledge"):
        approve_content(library, "", file, reviewer="Dr. Ada Beispiel", role="", on=DAY)


@pytest.mark.parametrize("name", ["", "  ", "\u200b\u202e", "x" * 81])
def test_a_reviewer_has_a_name(name: str) -> None:
    with pytest.raises(InputError, match="not the name of a reviewer"):
        sign(TAG, "0" * 64, reviewer=name, role="", on=DAY)


@given(st.text(), st.text())
def test_whatever_is_signed_is_read_back_as_it_was_signed(reviewer: str, role: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "approval.toml"
        try:
            approval = sign(TAG, "0" * 64, reviewer=reviewer, role=role, on=DAY)
        except InputError:
            return
        add_approval(file, approval)
        assert read_approvals(file) == (approval,)


def test_a_void_signature_is_logged_at_start_without_the_name(
    cards: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(file, load_library(cards))
    name = "disclaimer.md"
    written(cards, {name: toy.edited(name, "A toy", "The toy")[name]})
    database_url = f"sqlite:///{tmp_path}/cds.sqlite3"
    said: list[tuple[Event, Mapping[str, object]]] = []
    monkeypatch.setattr(wiring, "log", lambda event, **fields: said.append((event, fields)))
    wiring.prepared(Settings(knowledge=cards, approval=file, database_url=database_url))
    assert said == [(Event.APPROVAL_VOID, {"knowledge": TAG})]


@pytest.mark.parametrize("start", [wiring.prepared, wiring.open_events])
def test_t109_a_site_may_have_nothing_served_but_what_is_signed_exactly_as_it_is(
    start: Callable[[Settings], object], cards: Path, file: Path, tmp_path: Path
) -> None:
    strict = Settings(
        knowledge=cards,
        approval=file,
        review=Review.SIGNED,
        database_url=f"sqlite:///{tmp_path}/cds.sqlite3",
    )
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"Nobody has signed {TAG} as it is"):
        start(strict)
    assert not (tmp_path / "cds.sqlite3").exists(), "refused before anything was made"
    signed(file, load_library(cards))
    start(strict)
    written(cards, toy.edited("disclaimer.md", "A toy", "The toy"))
    with pytest.raises(ConfigurationError, match="Nobody has signed") as refused:
        start(strict)
    assert refused.value.where == "CDS_REVIEW"
    wiring.existing_events(strict)
    start(replace(strict, review=Review.ANY))


def test_a_name_cannot_act_as_markup_or_end_its_row(file: Path, sil2r: KnowledgeBase) -> None:
    name = 'Dr. "<b>[x](y)"\n[[approval]]'
    add_approval(file, sign(TAG, "0" * 64, reviewer=name, role="", on=DAY))
    (row,) = read_approvals(file)
    assert row.reviewer == 'Dr. "<b>[x](y)" [[approval]]'
    said = disclaimer(replace(sil2r, review=Approved(row.reviewer, DAY)))
    assert "<b>" not in said
    assert "](" not in said.replace("\\]", "")


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        '[[approval]]\nknowledge = "toy@2026.1"\n',
        "[[signature]]\n",
        '[[approval]]\nknowledge = "a@2026.1"\nsha256 = "0"\nreviewer = "A B"\ndate = 2026-12-01\n',
    ],
)
def test_a_file_that_is_no_approval_file_is_refused_and_left_alone(text: str, file: Path) -> None:
    file.write_text(text, encoding="utf-8")
    approval = Approval(knowledge=TAG, sha256="0" * 64, reviewer="A B", date=DAY)
    with pytest.raises(KnowledgeError) as refused:
        add_approval(file, approval)
    assert "approval.toml" in refused.value.one_line()
    assert file.read_text(encoding="utf-8") == text


def test_a_file_is_only_added_to_even_while_somebody_else_signs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (
        Approval(knowledge=TAG, sha256=digit * 64, reviewer="A B", date=DAY) for digit in "123"
    )
    add_approval(file, first)

    before = file.read_bytes().rstrip() + b" # kept as it is"
    file.write_bytes(before)
    as_toml = approval._toml

    def somebody_signs_while_our_row_is_written(value: str | date) -> str:
        monkeypatch.undo()
        add_approval(file, second)
        return as_toml(value)

    monkeypatch.setattr(approval, "_toml", somebody_signs_while_our_row_is_written)
    add_approval(file, third)
    assert read_approvals(file) == (first, second, third)
    assert file.read_bytes().startswith(before)


def test_a_signature_that_cannot_be_written_is_told_with_its_file(
    cards: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere" / "approval.toml"
    with pytest.raises(InputError, match="cannot be written") as refused:
        signed(nowhere, load_library(cards))
    assert refused.value.where == "approval.toml"


def test_a_missing_approval_file_stops_the_start(cards: Path, file: Path) -> None:
    with pytest.raises(KnowledgeError, match="cannot be read"):
        load_configured(Settings(knowledge=cards, approval=file))


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("disclaimer.md", ", {review},", "", "its state of review"),
        ("wording.toml", "read by {reviewer} on {date}", "read", "'review-approved' must name"),
        ("wording.toml", '"unread"', '"unread by {reviewer}"', "'review-pending' must name"),
        ("wording.toml", '"unread"', '"unread {"', "'review-pending' must name"),
    ],
)
def test_the_proof_demands_the_words_of_both_states(
    name: str, old: str, new: str, told: str
) -> None:
    found = [fault.one_line() for fault in faults(toy.read(toy.edited(name, old, new)))]
    assert [line for line in found if told in line]
