"""`cds-service knowledge show --json`: all that the page tells, for machines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import fhir_fixtures
from cds_service.cli import cli
from cds_service.knowledge.files import Library, with_site
from cds_service.knowledge.page.page import page
from cds_service.knowledge.show import as_json


@pytest.fixture(scope="module")
def written(library: Library) -> str:
    return page(library.bases["sil2r"], library.digests["sil2r"])


def test_the_command_gives_the_same_content_to_machines(library: Library) -> None:
    printed = CliRunner().invoke(cli, ["knowledge", "show", "--json"])
    assert json.loads(printed.output) == as_json(library)
    (shown,) = as_json(library)["knowledge"]
    base = library.bases["sil2r"]
    assert shown["reviewStatus"] == "pending clinical review"
    assert [row["id"] for row in shown["findings"]] == [row.id for row in base.findings]
    assert shown["findings"][0]["inWords"]
    assert len(shown["cases"]) == len(base.cases)
    assert len(shown["sourceAttributes"]) == 13


# What a reader finds under each heading of the page, and the members that tell it to a machine.
MEMBERS = {
    "What this is, and its state of review": ("tag", "stateOfReview", "sha256", "policy"),
    "Intended use": ("identity",),
    "Source attributes": ("sourceAttributes",),
    "Laboratory codes": ("accepted", "refused", "specimens", "specimenCodes"),
    "Units": ("families", "units"),
    "Other laboratory tests": ("companions",),
    "Limits": ("limits", "panels", "ratios"),
    "Findings": ("findings", "groups", "templates"),
    "Contexts": ("contexts", "ages"),
    "Conditions and medications of the record": ("conditions", "medications"),
    "Reasons for not interpreting": ("reasons",),
    "Advice on draft orders": ("orderAdvice", "ownOrders", "swaps", "pairings"),
    "Notes": ("notes",),
    "Suggestions": ("suggestions",),
    "Statements of the starting documents": ("documents", "statements"),
    "Worked cases": ("cases",),
    "Bibliography": ("sources",),
    "Copyright": ("copyright",),
    "Disclaimer": ("disclaimer",),
    "Signing off": ("reviewStatus",),
}


def test_each_part_of_the_page_has_its_members_for_machines(library: Library, written: str) -> None:
    (shown,) = as_json(library)["knowledge"]
    assert re.findall(r"^## (.+)$", written, re.MULTILINE) == list(MEMBERS)
    told = {member for members in MEMBERS.values() for member in members}
    assert told | {"localCodes", "assays", "siteOrders"} == set(shown)
    assert [member for member in told if not shown[member]] == []


def strings(node: Any) -> Iterator[str]:
    """Every name and text of a JSON document."""
    match node:
        case dict():
            yield from node
            yield from strings(list(node.values()))
        case list():
            yield from (found for one in node for found in strings(one))
        case _:
            yield str(node)


def test_every_code_and_id_that_the_page_shows_is_there_for_machines(
    library: Library, written: str
) -> None:
    (shown,) = as_json(library)["knowledge"]
    told = set(strings(shown)) | {"CDS_APPROVAL", "cds-service knowledge check"}
    on_page = {span.removesuffix("\u2026") for span in re.findall(r"`([^`\n]+)`", written)}
    assert len(on_page) > 400
    assert {name for name in on_page if not {name, f"note-{name}"} & told} == set()


def test_copyright_documents_and_codes_of_a_site_are_told_to_machines_as_on_the_page(
    library: Library, written: str
) -> None:
    (shown,) = as_json(with_site(library, fhir_fixtures.site_path()))["knowledge"]
    assert f"\n## Copyright\n\n{shown['copyright']}\n\n## Disclaimer" in written
    assert "Regenstrief Institute" in shown["copyright"]
    assert shown["localCodes"] == [
        {"system": "urn:oid:2.999.2", "code": "SIL2R-S", "loinc": "9654-5"}
    ]
    assert {row["kind"] for row in shown["specimenCodes"]} == {"blood", "csf", "not-covered"}
    assert all(group["inWords"] for group in shown["groups"] if group["where"])


def test_a_reader_of_the_site_sees_the_factor_and_the_order_codes_that_would_serve(
    library: Library, tmp_path: Path
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[assay]\nlaboratory = "Laboratory A"\nfamily = "U"\nfactor = "0.810"\n'
        'source = "Letter of 2026-02-01"\n'
        '[orders.ferritin]\nsystem = "urn:oid:2.999.2"\ncode = "FERR"\ndisplay = "Ferritin"\n',
        encoding="utf-8",
    )
    served = with_site(library, site)
    shown_page = page(served.bases["sil2r"], served.digests["sil2r"])
    (shown,) = as_json(served)["knowledge"]
    assert "Laboratory A: 0.810 in family U (Letter of 2026-02-01)" in shown_page
    assert "`ferritin` as `FERR` of urn:oid:2.999.2 (Ferritin)" in shown_page
    assert [row["factor"] for row in shown["assays"]] == ["0.810"]
    assert shown["siteOrders"]["ferritin"]["code"] == "FERR"
