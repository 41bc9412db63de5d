"""Our own URLs: of code systems and identifiers, and canonical ones of the exported knowledge.

They are names: no server need answer there.
"""

from __future__ import annotations

from typing import Final

OURS: Final = "https://sil2r-cds.org"
"""The beginning of all our URLs."""
OUR_BASE: Final = f"{OURS}/fhir"
"""The beginning of the canonical URLs of the knowledge; a site may export under its own."""
DECISION_TABLE: Final = "table"
"""The part of an id that marks the PlanDefinition of the decision table."""


def artifact_id(analyte: str, *parts: str) -> str:
    """`sil2r-condition-sarcoidosis`: the analyte, then the parts that make the id unique."""
    return "-".join((analyte, *parts))


def canonical_url(kind: str, artifact: str, base: str = OUR_BASE) -> str:
    """The canonical URL of the artifact with this id, without a version."""
    return f"{base}/{kind}/{artifact}"


def of_version(url: str, version: str) -> str:
    """A canonical URL with a version (https://hl7.org/fhir/R4/references.html#canonical)."""
    return f"{url}|{version}"


def decision_table(analyte: str, version: str) -> str:
    """The PlanDefinition that holds a decision table as it stood in one version."""
    table = artifact_id(analyte, DECISION_TABLE)
    return of_version(canonical_url("PlanDefinition", table), version)
