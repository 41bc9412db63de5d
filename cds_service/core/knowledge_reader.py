"""From the texts of `cards/` to a `KnowledgeBase`, or a KnowledgeError with file, row and remedy.

Each row's shape is checked here; that the rows fit each other is proved in `proof`. Files are read
elsewhere: this module only sees text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from cds_service.core import schema
from cds_service.core.concepts import ConceptIndex
from cds_service.core.knowledge import CardWording, CompanionTest, KnowledgeBase, OrderTable
from cds_service.core.quantity import UnitTable
from cds_service.core.schema import Concept
from cds_service.core.template import Template, Wording, parse_template
from cds_service.core.toml_rows import TomlRows, rows_by, stands_twice
from cds_service.errors import KnowledgeError

_TABLES: Final = {
    "cases.toml": frozenset({"case"}),
    "codes.toml": frozenset({"accept", "refuse", "specimen", "specimen_code"}),
    "companions.toml": frozenset({"companion"}),
    "conditions.toml": frozenset({"condition"}),
    "context.toml": frozenset({"age", "context"}),
    "findings.toml": frozenset({"finding", "group"}),
    "knowledge.toml": frozenset({"knowledge", "policy", "source_attribute"}),
    "limits.toml": frozenset({"limit", "panel", "ratio"}),
    "medications.toml": frozenset({"medication"}),
    "orders.toml": frozenset({"advice", "order", "swap", "pairing"}),
    "reasons.toml": frozenset({"reason", "note"}),
    "snomed.toml": frozenset({"notice", "condition", "medication", "specimen_code"}),
    "statements.toml": frozenset({"document", "statement"}),
    "suggestions.toml": frozenset({"suggestion"}),
    "units.toml": frozenset({"family", "unit"}),
}
"""The files of an analyte, and the tables each may have."""
_SHARED: Final = {
    "sources.toml": frozenset({"source"}),
    "wording.toml": frozenset(
        {"headings", "missing", "series", "phrases", "details", "override_reason"}
    ),
}
"""The files of all analytes."""
_SNOMED: Final = "snomed.toml"


def read_knowledge(
    files: Mapping[str, str], analyte: str, *, terminologies: frozenset[str]
) -> KnowledgeBase:
    """Read the folder `analyte` of `files` (relative name -> text).

    `terminologies` names the optional code files to add (`snomed`). Raises KnowledgeError.
    """
    left_out = "" if "snomed" in terminologies else f"{analyte}/{_SNOMED}"
    used = {name: text for name, text in files.items() if name != left_out}
    own, shared = TomlRows(used, f"{analyte}/", _TABLES), TomlRows(files, "", _SHARED)
    own.require("knowledge.toml")
    identity = own.one("knowledge.toml", "knowledge", schema.Identity)
    return KnowledgeBase(
        identity=identity,
        policy=own.one("knowledge.toml", "policy", schema.Policy),
        attributes=own.rows("knowledge.toml", "source_attribute", schema.SourceAttribute),
        specimens=own.by("id", "codes.toml", "specimen", schema.SpecimenKind),
        specimen_codes=_specimen_codes(own),
        accepted=own.by("loinc", "codes.toml", "accept", schema.AcceptedCode),
        refused=own.by("loinc", "codes.toml", "refuse", schema.RefusedCode),
        families=own.by("id", "units.toml", "family", schema.UnitFamily),
        units=UnitTable(own.by("text", "units.toml", "unit", schema.RowUnit).values()),
        companions=_companions(own),
        conditions=_concepts(own, "conditions.toml", "condition"),
        medications=_concepts(own, "medications.toml", "medication"),
        ages=own.by("id", "context.toml", "age", schema.AgeRow),
        limits=own.by("id", "limits.toml", "limit", schema.LimitRow),
        panels=own.by("id", "limits.toml", "panel", schema.PanelRow),
        ratios=own.by("id", "limits.toml", "ratio", schema.RatioRow),
        findings=own.rows("findings.toml", "finding", schema.FindingRow),
        contexts=own.rows("context.toml", "context", schema.ContextRow),
        groups=own.rows("findings.toml", "group", schema.GroupRow),
        reasons=own.by("id", "reasons.toml", "reason", schema.ReasonRow),
        notes=own.by("id", "reasons.toml", "note", schema.NoteRow),
        sources=shared.by("id", "sources.toml", "source", schema.SourceRow),
        suggestions=own.by("id", "suggestions.toml", "suggestion", schema.SuggestionRow),
        statements=own.rows("statements.toml", "statement", schema.StatementRow),
        documents=own.rows("statements.toml", "document", schema.DocumentRow),
        cases=own.rows("cases.toml", "case", schema.CaseRow),
        templates=_templates(files, analyte),
        wording=_wording(shared, identity),
        order_table=_order_table(own),
    )


def _specimen_codes(own: TomlRows) -> dict[tuple[str, str], str]:
    """The kind that each specimen code means. A code with two rows is refused: one might mean CSF
    and the other blood.
    """
    kinds: dict[tuple[str, str], str] = {}
    for file in ("codes.toml", _SNOMED):
        for row in own.rows(file, "specimen_code", schema.SpecimenCode):
            if (row.system, row.code) in kinds:
                raise stands_twice(row.code, own.name(file))
            kinds[row.system, row.code] = row.kind
    return kinds


def _companions(own: TomlRows) -> dict[str, CompanionTest]:
    file = "companions.toml"
    rows = own.by("name", file, "companion", schema.Companion)
    return {name: _companion(row, f"{own.name(file)} ({name})") for name, row in rows.items()}


def _companion(row: schema.Companion, where: str) -> CompanionTest:
    codes, units = rows_by("loinc", row.code, where), rows_by("text", row.unit, where)
    families = {loinc: code.family for loinc, code in codes.items()}
    return CompanionTest(row, families, UnitTable(units.values()))


def _concepts(own: TomlRows, file: str, table: str) -> ConceptIndex:
    """The concepts of a file, with the codes of another terminology added to them by name."""
    concepts = own.by("name", file, table, Concept)
    for addition in own.rows(_SNOMED, table, Concept):
        if addition.name not in concepts:
            raise KnowledgeError(
                f"'{addition.name}' adds codes to a concept that does not exist.",
                where=own.name(_SNOMED),
                remedy="Add the concept to conditions.toml or medications.toml first.",
            )
        base = concepts[addition.name]
        concepts[addition.name] = base.model_copy(update={"code": base.code + addition.code})
    return ConceptIndex(concepts.values())


def _order_table(own: TomlRows) -> OrderTable:
    """The table of `orders.toml`, a file that an analyte need not have."""
    name = "orders.toml"
    advice = own.rows(name, "advice", schema.AdviceRow)
    return OrderTable(
        advice=tuple(sorted(advice, key=lambda row: -row.rank)),
        own=own.by("suggestion", name, "order", schema.OwnOrderRow),
        swaps=own.by("refused", name, "swap", schema.SwapRow),
        pairings=own.by("specimen", name, "pairing", schema.PairingRow),
    )


def _templates(files: Mapping[str, str], folder: str) -> dict[str, Template]:
    found: dict[str, Template] = {}
    prefix = f"{folder}/templates/"
    for name, text in files.items():
        if name.startswith(prefix) and name.endswith(".md"):
            try:
                found[name.removeprefix(prefix).removesuffix(".md")] = parse_template(text)
            except ValueError as error:
                raise KnowledgeError(
                    f"{error}.", where=name, remedy="Use '## section' headings and {placeholders}."
                ) from error
    return found


def _wording(shared: TomlRows, identity: schema.Identity) -> CardWording:
    """The words that all analytes share, and the name of this analyte's further results."""
    name = "wording.toml"
    shared.require(name)
    document = shared.document(name)
    try:
        words = {
            key: TypeAdapter(dict[str, str]).validate_python(document.get(key, {}))
            for key in ("headings", "missing", "series", "phrases", "details")
        }
        reasons = TypeAdapter(list[dict[str, str]]).validate_python(
            document.get("override_reason", [])
        )
    except ValidationError as error:
        raise KnowledgeError(
            "headings, missing, series, phrases and details map names to words.",
            where=name,
            remedy="Write every value as text.",
        ) from error
    return CardWording(
        words["headings"],
        {**words["missing"], identity.id: identity.other_results},
        words["series"],
        words["phrases"],
        words["details"],
        tuple(reasons),
        _disclaimer(shared),
    )


def _disclaimer(shared: TomlRows) -> Wording:
    name = "disclaimer.md"
    try:
        return Wording.of(" ".join(shared.text(name).split()))
    except ValueError as error:
        raise KnowledgeError(
            f"{error}.", where=name, remedy="Write braces around placeholders only."
        ) from error
