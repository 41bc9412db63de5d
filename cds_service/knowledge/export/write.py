"""All artifacts of a knowledge base, and the files they are written to."""

from __future__ import annotations

import json
from pathlib import Path

from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import InputError
from cds_service.fhir.canonical import OUR_BASE
from cds_service.knowledge.export.artifact import Artifacts, Resource
from cds_service.knowledge.export.citing import citations
from cds_service.knowledge.export.evidence import evidence
from cds_service.knowledge.export.library import library
from cds_service.knowledge.export.plan import activities, plan
from cds_service.knowledge.export.units import concept_maps, unit_system
from cds_service.knowledge.export.value_sets import value_sets
from cds_service.knowledge.files import Library

R4B_ONLY = "r4b"
"""Folder of the resources that FHIR R4 does not have in this form: Evidence and Citation."""


def r4_resources(knowledge: KnowledgeBase, digest: str, base: str = OUR_BASE) -> list[Resource]:
    """Valid in FHIR R4 (4.0.1) and R4B (4.3.0). The same knowledge gives the same resources."""
    artifacts = Artifacts(knowledge, digest, base)
    members = [
        plan(artifacts),
        *activities(artifacts),
        *value_sets(artifacts),
        unit_system(artifacts),
        *concept_maps(artifacts),
    ]
    return [library(artifacts, members), *members]


def r4b_resources(knowledge: KnowledgeBase, digest: str, base: str = OUR_BASE) -> list[Resource]:
    """Citation, which came with R4B, and Evidence, which R4B changed."""
    artifacts = Artifacts(knowledge, digest, base)
    return [*evidence(artifacts), *citations(artifacts)]


def export_fhir(loaded: Library, folder: Path, base: str = OUR_BASE) -> int:
    """Write every resource as `<type>-<id>.json`; those of R4B only in a folder of their own.

    Returns how many were written. Raises InputError if the folder cannot be written.
    """
    written = 0
    try:
        for name, knowledge in loaded.bases.items():
            digest = loaded.digests[name]
            written += _write(r4_resources(knowledge, digest, base), folder)
            written += _write(r4b_resources(knowledge, digest, base), folder / R4B_ONLY)
    except OSError:
        raise InputError(
            "The folder cannot be written.",
            where=str(folder),
            remedy="Check path and permissions.",
        ) from None
    return written


def _write(resources: list[Resource], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for resource in resources:
        file = folder / f"{resource['resourceType']}-{resource['id']}.json"
        text = json.dumps(resource, ensure_ascii=False, indent=2)
        file.write_text(f"{text}\n", encoding="utf-8")
    return len(resources)
