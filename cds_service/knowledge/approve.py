"""`cds-service knowledge approve`: a named reviewer signs exactly the content that is loaded."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from cds_service.errors import InputError
from cds_service.knowledge.approval import add_approval, sign
from cds_service.knowledge.check import case_faults
from cds_service.knowledge.files import Library


def approve_content(
    library: Library, analyte: str, file: Path, *, reviewer: str, role: str, on: date
) -> str:
    """Add a signature to `file` and say what was signed.

    `analyte` may be empty where there is only one. Raises InputError, and KnowledgeError for a file
    that holds something else. Content whose worked cases fail cannot be signed.
    """
    name = _named(library, analyte)
    for fault in case_faults(library.bases[name]):
        raise InputError(
            f"A worked case fails: {fault}.",
            where=name,
            remedy="`cds-service knowledge check` lists all faults; sign when there is none.",
        )
    tag, digest = library.bases[name].tag, library.digests[name]
    approval = sign(tag, digest, reviewer=reviewer, role=role, on=on)
    add_approval(file, approval)
    return f"{tag} with content {digest} is approved by {approval.reviewer} on {on.isoformat()}."


def _named(library: Library, analyte: str) -> str:
    if not analyte and len(library.bases) == 1:
        return next(iter(library.bases))
    if analyte not in library.bases:
        raise InputError(
            "Say which knowledge is signed.",
            where="--analyte",
            remedy=f"Known: {', '.join(library.bases)}.",
        )
    return analyte
