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
from cds_service.core.schema import Site
from cds_service.core.site_additions import with_additions
from cds_service.core.site_faults import SiteFault, refusal, site_faults
from cds_service.errors import KnowledgeError

_AS_DESCRIBED = (
    "See docs/site-file.md: unknown keys are refused, and every row needs its note, [assay] its"
    " source."
)
_Place = tuple[str | int, ...]
"""Table, row or member, member: `("code", 0, "note")`."""


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
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
    places = [each["loc"] for each in wrong]
    faults = tuple(
        SiteFault(
            str(place[0]), _in_words(place), _said(place, each["type"], each["msg"]), _AS_DESCRIBED
        )
        for place, each in zip(places, wrong, strict=True)
    )
    return SiteFile(name, Site.model_validate(_without(places, document)), faults)


def apply_site(bases: Mapping[str, KnowledgeBase], site: SiteFile) -> dict[str, KnowledgeBase]:
    """Every analyte's knowledge, by id, with those rows of the site that name something of it.

    Raises one KnowledgeError for all rows that cannot be used, such as one that no analyte knows.
    """
    if faults := (*site.faults, *site_faults(tuple(bases.values()), site.rows)):
        raise refusal(site.name, faults)
    return {analyte: with_additions(base, site.rows) for analyte, base in bases.items()}


def _said(place: _Place, kind: str, message: str) -> str:
    """What is wrong there; where a table has the wrong brackets, how it is headed."""
    match place, kind:
        case (table,), "tuple_type":
            return f"each row of this table is headed [[{table}]]."
        case ("orders",), "dict_type":
            return "each row of this table is headed [orders.<id>]."
        case (table,), "model_type":
            return f"this table stands once, headed [{table}]."
        case _, "tuple_type":
            return "this is a list, in square brackets."
        case _:
            return f"{message}."


def _in_words(place: _Place) -> str:
    return " ".join(str(part + 1) if isinstance(part, int) else part for part in place)


def _without(places: Sequence[_Place], document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what is wrong there: a table, a row of it, or a member of a table whose
    members stand by themselves, as those of `[assay]` do not.
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
