"""Our own addresses: systems of codes, and canonical URLs of the knowledge as it is exported.

They are names: nothing has to answer there.
"""

from __future__ import annotations

from typing import Final

OURS: Final = "https://sil2r-cds.org"
"""Where all of them begin."""
OUR_BASE: Final = f"{OURS}/fhir"
"""Where those of the knowledge begin; a site may export under its own."""
DECISION_TABLE: Final = "table"
"""What tells the PlanDefinition of the decision table apart from others of the same analyte."""


def artifact_id(analyte: str, *parts: str) -> str:
    """`sil2r-condition-sarcoidosis`: the analyte, then what tells the artifact apart."""
    return "-".join((analyte, *parts))


def canonical_url(kind: str, artifact: str, base: str = OUR_BASE) -> str:
    """The canonical URL of an artifact, by its id; without a version."""
    return f"{base}/{kind}/{artifact}"


def of_version(url: str, version: str) -> str:
    """One version of it (https://hl7.org/fhir/R4/references.html#canonical)."""
    return f"{url}|{version}"


def decision_table(analyte: str, version: str) -> str:
    """The PlanDefinition that holds a decision table as it stood in one version."""
    table = artifact_id(analyte, DECISION_TABLE)
    return of_version(canonical_url("PlanDefinition", table), version)
