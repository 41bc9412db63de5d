"""`cds-service knowledge show`, and the same page as `docs/knowledge.md`.

`python -m cds_service.knowledge.show --write docs/knowledge.md` writes the page of the packaged
knowledge, as it is without a site file or an approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.disclaimer import disclaimer, review_status
from cds_service.core.rendering.gate_words import conditions_in_words
from cds_service.core.schema import Gates
from cds_service.knowledge.files import Library, load_library
from cds_service.knowledge.page.identity import state_of_review
from cds_service.knowledge.page.notices import copyrights
from cds_service.knowledge.page.page import page

_GENERATED = (
    "<!-- Generated from cards/ by `make docs`. Change the knowledge, not this page. -->\n\n"
)


def pages(library: Library) -> str:
    """Every knowledge base of the library as one Markdown text."""
    return "\n".join(page(base, library.digests[name]) for name, base in library.bases.items())


def as_json(library: Library) -> dict[str, Any]:
    """The same content for machines."""
    return {
        "knowledge": [_one(base, library.digests[name]) for name, base in library.bases.items()]
    }


def _one(base: KnowledgeBase, digest: str) -> dict[str, Any]:
    return {
        "tag": base.tag,
        "reviewStatus": review_status(base),
        "stateOfReview": state_of_review(base),
        "sha256": digest,
        "disclaimer": disclaimer(base),
        "copyright": copyrights(base),
        "identity": _plain(base.identity),
        "policy": _plain(base.policy),
        "assays": _rows(base.assays.values()),
        "siteOrders": {name: _plain(row) for name, row in base.orders.items()},
        "sourceAttributes": _rows(base.attributes),
        "accepted": _rows(base.accepted.values()),
        "refused": _rows(base.refused.values()),
        "localCodes": _codes(base.local_codes, "loinc"),
        "specimens": _rows(base.specimens.values()),
        "specimenCodes": _codes(base.specimen_codes, "kind"),
        "families": _rows(base.families.values()),
        "units": _rows(base.unit_rows),
        "companions": [_plain(test.row) for test in base.companions.values()],
        "conditions": _rows(base.conditions.concepts.values()),
        "medications": _rows(base.medications.concepts.values()),
        "ages": _rows(base.ages.values()),
        "limits": _rows(base.limits.values()),
        "panels": _rows(base.panels.values()),
        "ratios": _rows(base.ratios.values()),
        "findings": [_in_words(row, row.when, base) for row in base.findings],
        "contexts": [_in_words(row, row.when, base) for row in base.contexts],
        "groups": [_in_words(row, row.where, base) for row in base.groups],
        "reasons": _rows(base.reasons.values()),
        "notes": _rows(base.notes.values()),
        "orderAdvice": [_in_words(row, row.when, base) for row in base.order_table.advice],
        "ownOrders": _rows(base.order_table.own.values()),
        "swaps": _rows(base.order_table.swaps.values()),
        "pairings": _rows(base.order_table.pairings.values()),
        "templates": {
            name: {part: wording.source for part, wording in template.items()}
            for name, template in base.templates.items()
        },
        "suggestions": _rows(base.suggestions.values()),
        "documents": _rows(base.documents),
        "statements": _rows(base.statements),
        "cases": _rows(base.cases),
        "sources": _rows(base.sources.values()),
    }


def _plain(row: BaseModel) -> dict[str, Any]:
    return row.model_dump(mode="json")


def _rows(rows: Iterable[BaseModel]) -> list[dict[str, Any]]:
    return [_plain(row) for row in rows]


def _in_words(row: BaseModel, gates: Gates, base: KnowledgeBase) -> dict[str, Any]:
    return {**_plain(row), "inWords": list(conditions_in_words(gates, base))}


def _codes(means: Mapping[tuple[str, str], str], name: str) -> list[dict[str, str]]:
    """The codes of a site, each with its meaning under the member `name`."""
    return [
        {"system": system, "code": code, name: meant} for (system, code), meant in means.items()
    ]


def document() -> str:
    """The text of `docs/knowledge.md`."""
    return _GENERATED + pages(load_library())


@click.command()
@click.option("--write", "file", required=True, type=click.Path(path_type=Path))
def main(*, file: Path) -> None:
    """Write the page of the packaged knowledge."""
    file.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
