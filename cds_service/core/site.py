"""The site file: what a hospital may change without touching the product (docs/site-file.md).

It adds codes and units and sets the policy; it never changes a limit, a wording or a source. Every
row is checked as strictly as our own: unknown keys, a LOINC code with a wrong check digit or a
factor without a source are refused with file, row and remedy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from pydantic import ValidationError

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import Site
from cds_service.core.site_additions import with_additions
from cds_service.core.site_faults import site_faults
from cds_service.errors import KnowledgeError


def read_site(text: str, name: str = "site.toml") -> Site:
    """The site file as its closed type. Raises KnowledgeError naming file, row and remedy."""
    try:
        return Site.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(
            f"this is not TOML: {error}.", where=name, remedy="Mend the syntax."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = " ".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise KnowledgeError(
            f"{first['msg']}.",
            where=f"{name} ({place})",
            remedy="See docs/site-file.md: unknown keys are refused, and every row needs its note, "
            "[assay] its source.",
        ) from error


def apply_site(
    bases: Mapping[str, KnowledgeBase], site: Site, name: str = "site.toml"
) -> dict[str, KnowledgeBase]:
    """Every analyte's knowledge, by id, with those rows of the site that name something of it.

    Raises KnowledgeError for the first row that cannot be used, such as one that no analyte knows.
    """
    for fault in site_faults(tuple(bases.values()), site, name):
        raise fault
    return {analyte: with_additions(base, site) for analyte, base in bases.items()}
