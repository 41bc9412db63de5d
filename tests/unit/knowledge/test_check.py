"""`knowledge check` lists every fault, with a site file and an approval file or without."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds_service.knowledge.check import check_knowledge
from tests import toy
from tests.documentation import ROOT


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A folder of knowledge with two faults in its words."""
    texts = toy.files()
    for name, old, new in (
        ("disclaimer.md", ", {review},", ""),
        ("wording.toml", "read by {reviewer} on {date}", "read"),
    ):
        texts = {**texts, name: toy.edited(name, old, new)[name]}
    for name, text in texts.items():
        file = tmp_path / "cards" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "cards"


def test_a_site_file_hides_none_of_the_faults_and_nothing_of_what_was_checked(
    faulty: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site.toml"
    site.write_text("[policy]\nlook_back_days = 30\n", encoding="utf-8")
    alone, with_site = check_knowledge(faulty, None), check_knowledge(faulty, site)
    assert len(alone.faults) == 2
    assert with_site.faults == alone.faults
    assert with_site.checked == alone.checked
    assert alone.checked["findings"] > 0
    assert all(name.isalpha() for name in alone.checked), "each is a member of the JSON document"


def test_a_site_or_approval_file_with_a_fault_is_told_beside_the_others(
    faulty: Path, tmp_path: Path
) -> None:
    site, approval = tmp_path / "site.toml", tmp_path / "approval.toml"
    site.write_text("colour = 1\n", encoding="utf-8")
    report = check_knowledge(faulty, site, approval)
    told = [line.partition(":")[0] for line in report.faults]
    assert sum("site.toml" in line for line in told) == 1
    assert sum("approval.toml" in line for line in told) == 1
    assert report.faults[2:] == check_knowledge(faulty, None).faults


@pytest.mark.parametrize(
    ("expected", "otherwise"),
    [
        pytest.param('"sap-high"', '"sap-not-high"', id="its findings"),
        pytest.param("expect = { outcome", 'expect = { indicator = "info", outcome', id="its card"),
    ],
)
def test_a_worked_case_that_comes_out_otherwise_is_a_fault_by_its_id(
    expected: str, otherwise: str, tmp_path: Path
) -> None:
    for name, text in toy.edited("toy/cases.toml", expected, otherwise).items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    report = check_knowledge(tmp_path, None)
    assert report.faults
    assert all(line.startswith("toy/cases.toml (") for line in report.faults)
    assert list(report.lines())[: len(report.faults)] == report.faults


def test_a_worked_case_that_cannot_be_run_is_a_fault_by_its_id(tmp_path: Path) -> None:
    """A slip of the pen ended the check without a word about which case it was in."""
    for name, text in toy.edited("toy/cases.toml", '["sunlight"]', '["sunligth"]').items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (fault,) = check_knowledge(tmp_path, None).faults
    told = "CDS-5001 toy/cases.toml (sunlight-below): 'sunligth' does not exist."
    assert fault == f"{told} Known: moonlight, sunlight."


def test_what_was_checked_is_counted_by_its_kind() -> None:
    checked = check_knowledge(None, None).checked
    assert set(checked) == {
        "codes", "units", "limits", "findings", "contexts", "templates", "sources", "cases",
    }  # fmt: skip
    assert all(checked.values())


def test_each_fault_of_a_site_file_is_a_line_of_its_own(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        "colour = 1\n"
        '[[code]]\nsystem = "urn:x"\ncode = "A"\nloinc = "9654-4"\nnote = "n"\n'
        '[[code]]\nsystem = "urn:x"\ncode = "B"\nloinc = "9654-5"\n',
        encoding="utf-8",
    )
    report = check_knowledge(None, site)
    assert [line.partition(":")[0] for line in report.faults] == [
        "CDS-5001 site.toml (code 2 note)",
        "CDS-5001 site.toml ([[code]] A)",
        "CDS-5001 site.toml (colour)",
    ]
    assert list(report.lines())[-1] == "3 faults."


@pytest.mark.parametrize(
    "policy",
    [
        'muted_findings = ["ohi-index-positive"]',
        'muted_findings = ["no-laboratory-limit"]',
        "interpret_preliminary = true",
        "look_back_days = 1",
        'order_intent = "order"',
    ],
)
def test_what_a_site_may_decide_is_no_fault(policy: str, tmp_path: Path) -> None:
    """A finding that is muted because a card was wrong must not stop the next check."""
    site = tmp_path / "site.toml"
    site.write_text(f"[policy]\n{policy}\n", encoding="utf-8")
    assert check_knowledge(None, site).faults == []


@pytest.mark.parametrize(
    ("unit", "family", "factor"), [("PG/ML", "mass", "1"), ("U/L", "U", "0.001")]
)
def test_a_unit_that_a_site_makes_known_is_no_fault_where_a_worked_case_does_not_know_it(
    unit: str, family: str, factor: str, tmp_path: Path
) -> None:
    site = tmp_path / "site.toml"
    row = {"text": unit, "family": family, "factor": factor, "note": "Laboratory, 2026-11-23"}
    lines = "\n".join(f'{key} = "{value}"' for key, value in row.items())
    site.write_text(f"[[unit]]\n{lines}\n", encoding="utf-8")
    report = check_knowledge(None, site)
    assert report.faults == []
    assert report.checked["units"] == check_knowledge(None, None).checked["units"] + 1


def test_a_worked_case_about_a_unit_of_the_site_is_checked_without_it(tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    shutil.copytree(ROOT / "cards", folder)
    cases = folder / "sil2r/cases.toml"
    wrong = cases.read_text().replace('reason = "unit-unknown"', 'reason = "unit-mole"')
    cases.write_text(wrong, encoding="utf-8")
    site = tmp_path / "site.toml"
    row = 'text = "U/L"\nfamily = "U"\nfactor = "0.001"\nnote = "x"'
    site.write_text(f"[[unit]]\n{row}\n", encoding="utf-8")
    told = "sil2r/cases.toml (unit-unknown-per-litre): not-interpretable unit-unknown"
    faults = check_knowledge(folder, site).faults
    assert sorted(faults) == sorted(check_knowledge(folder, None).faults)
    assert sum(fault.startswith(told) for fault in faults) == 1


@pytest.mark.parametrize(
    ("muted", "told"),
    [
        (
            "hlh-2004-criterion-met",
            "is muted: no card gives this warning, one that would have had it only names it",
        ),
        (
            "context-dialysis",
            "is muted: a card that says less because of this caveat only names it",
        ),
        ("context-hlh", "is muted: a card that says less because of this caveat only names it"),
        ("context-child", "is muted: no card tells this caveat"),
        ("no-laboratory-limit", "is muted"),
    ],
)
def test_what_a_site_mutes_is_told_with_what_its_cards_lack_then(
    muted: str, told: str, tmp_path: Path
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(f'[policy]\nmuted_findings = ["{muted}"]\n', encoding="utf-8")
    report = check_knowledge(None, site)
    (line,) = report.muted
    assert line.startswith("sil2r@")
    assert line.endswith(f": {muted} {told}.")
    assert line in report.lines()
    assert report.as_json()["muted"] == [line]
    assert check_knowledge(None, None).muted == []
