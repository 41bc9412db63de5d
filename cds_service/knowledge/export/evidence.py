"""Evidence resources (R4B): every limit with its population, performance and weakness, and every
statement of the starting documents with the truth about its evidence.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.rendering.disclaimer import disclaimer
from cds_service.core.schema import LimitRow, StatementRow
from cds_service.knowledge.export.artifact import Artifacts, Resource, narrative
from cds_service.knowledge.export.citing import cited
from cds_service.knowledge.page.limits import measured
from cds_service.knowledge.page.statements import NOT_LOCATED

_ROLE = "http://terminology.hl7.org/CodeSystem/variable-role"


def evidence(artifacts: Artifacts) -> list[Resource]:
    """Limits first, then statements."""
    knowledge = artifacts.knowledge
    return [
        *(_limit(artifacts, row) for row in knowledge.limits.values()),
        *(_statement(artifacts, row) for row in knowledge.statements),
    ]


def _frame(
    artifacts: Artifacts,
    parts: tuple[str, ...],
    title: str,
    description: str,
    notes: Iterable[str],
) -> Resource:
    about = artifacts.knowledge.identity
    said = disclaimer(artifacts.knowledge)
    return {
        "resourceType": "Evidence",
        "id": artifacts.id(*parts),
        "text": narrative(title, description, said),
        "url": artifacts.url("Evidence", *parts),
        "version": about.version,
        "title": title,
        "status": "draft",
        "date": about.released.isoformat(),
        "publisher": about.publisher,
        "description": description,
        "note": [{"text": text} for text in (*notes, said) if text],
    }


def _variable(role: str, description: str) -> Resource:
    return {
        "description": description,
        "variableRole": {"coding": [{"system": _ROLE, "code": role}]},
    }


def _limit(artifacts: Artifacts, row: LimitRow) -> Resource:
    knowledge = artifacts.knowledge
    specimen = knowledge.specimens[row.specimen].words
    words = f"{measured(row, knowledge)} {row.words}, {specimen}"
    return {
        **_frame(artifacts, ("limit", row.id), words, row.performance, ()),
        "relatedArtifact": cited(artifacts, row.all_sources),
        "variableDefinition": [
            _variable("population", row.population),
            _variable("measuredVariable", f"{words}. {row.assay}"),
        ],
        "certainty": [{"description": row.weakness}],
    }


def _statement(artifacts: Artifacts, row: StatementRow) -> Resource:
    """A statement whose source was not located cites nothing; what lies near it is only a note."""
    knowledge = artifacts.knowledge
    names = dict.fromkeys((*row.sources_for, *row.sources_against))
    near = "; ".join(knowledge.sources[name].short for name in names)
    located = row.status != NOT_LOCATED
    notes = (
        f"Statement of starting document {row.document}: {row.status}.",
        f"Nearest study: {near}." if near and not located else "",
        f"Our words: {row.our_words}",
    )
    frame = _frame(
        artifacts,
        ("statement", row.id.lower()),
        f"{row.id}: {row.status}",
        f"Statement: {row.claim}",
        notes,
    )
    frame["assertion"] = row.evidence
    if located and names:
        frame["relatedArtifact"] = cited(artifacts, names)
    return {**frame, "variableDefinition": [_variable("measuredVariable", row.specimen)]}
