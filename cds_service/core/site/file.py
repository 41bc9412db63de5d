"""The site file: what a hospital may change without touching the product (docs/site-file.md).

It adds codes and units and sets the policy; it never changes a limit, a wording or a source. Every
row is checked as strictly as our own: unknown keys, a LOINC code with a wrong check digit or a
factor without a source are refused with file, row and remedy, all of them at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema.row import PATTERNS
from cds_service.core.schema.site import Site
from cds_service.core.site.additions import with_additions
from cds_service.core.site.faults import SiteFault, refusal, site_faults
from cds_service.core.slips import Place, Said, Slip, slips
from cds_service.errors import KnowledgeError


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site file: the rows that could be read, and what is wrong with the others."""

    name: str
    rows: Site
    faults: tuple[SiteFault, ...] = ()


def read_site(text: str, name: str = "site.toml") -> SiteFile:
    """The site file as its closed type. Raises KnowledgeError for a text that is not TOML."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        marked = text.startswith("\ufeff")
        remedy = "Save it as UTF-8 without a byte order mark." if marked else "Mend the syntax."
        raise KnowledgeError(f"this is not TOML: {error}.", where=name, remedy=remedy) from error
    try:
        return SiteFile(name, Site.model_validate(document))
    except ValidationError as error:
        found = list(slips(error, Site, PATTERNS))
    faults = tuple(
        SiteFault(str(slip.place[0]), slip.place_in_words, *_said(slip)) for slip in found
    )
    places = [slip.place for slip in found]
    return SiteFile(name, Site.model_validate(_without(places, document)), faults)


def apply_site(bases: Mapping[str, KnowledgeBase], site: SiteFile) -> dict[str, KnowledgeBase]:
    """Every analyte's knowledge, by id, with those rows of the site that name something of it.

    Raises one KnowledgeError for all rows that cannot be used, such as one that no analyte knows.
    """
    if faults := (*site.faults, *site_faults(tuple(bases.values()), site.rows)):
        raise refusal(site.name, faults)
    return {analyte: with_additions(base, site.rows) for analyte, base in bases.items()}


def _said(slip: Slip) -> Said:
    """What is wrong, and what would be right. For a whole table: how its heading is written."""
    match slip.place, slip.kind:
        case (table,), "tuple_type":
            return (
                f"each row of this table is headed [[{table}]].",
                f"Write [[{table}]] above each row.",
            )
        case ("orders", *_), "dict_type" | "model_type":
            return (
                "each row of this table is headed [orders.<id>].",
                "Write [orders.<id>] above each row, with the id of a suggestion.",
            )
        case (table,), "model_type":
            return f"this table stands once, headed [{table}].", f"Write [{table}] above it, once."
        case _:
            return slip.text, slip.remedy


def _without(places: Sequence[Place], document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without the parts that hold these places: a whole table, one row of a list, or
    one member of a table. `[assay]` is left out as a whole, since its members need each other.
    """
    wrong = {place[:1] if place[0] == "assay" else place[:2] for place in places}
    rest: dict[str, Any] = {}
    for table, content in document.items():
        if (table,) in wrong:
            continue
        if isinstance(content, list):
            kept = [row for number, row in enumerate(content) if (table, number) not in wrong]
            rest[table] = kept
        else:
            rest[table] = {
                member: value for member, value in content.items() if (table, member) not in wrong
            }
    return rest
