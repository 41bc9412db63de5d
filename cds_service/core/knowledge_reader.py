"""From the texts of `cards/` to a `KnowledgeBase`, or a KnowledgeError with file, row and remedy.

Each row's shape is checked here; that the rows fit each other is proved in `proof`. Files are read
elsewhere: this module only sees text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from cds_service.core import schema
from cds_service.core.concepts import ConceptIndex
from cds_service.core.knowledge import CardWording, CompanionTest, KnowledgeBase, OrderTable
from cds_service.core.quantity import UnitTable
from cds_service.core.schema import Row
from cds_service.core.template import Template, Wording, parse_template
from cds_service.errors import KnowledgeError

R = TypeVar("R", bound=Row)


class _Reader:
    """Reads one file after another; every complaint names the file and the row."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def text(self, name: str) -> str:
        if name not in self._files:
            raise KnowledgeError("the file is missing.", where=name, remedy="Create it.")
        return self._files[name]

    def toml(self, name: str, known: set[str]) -> Mapping[str, Any]:
        """A TOML file whose top-level names must all be known; a missing file is empty."""
        if name not in self._files:
            return {}
        try:
            document = tomllib.loads(self._files[name])
        except tomllib.TOMLDecodeError as error:
            raise KnowledgeError(
                f"this is not TOML: {error}.", where=name, remedy="Mend the syntax."
            ) from error
        for key in document:
            if key not in known:
                raise KnowledgeError(
                    f"unknown table '{key}'.",
                    where=name,
                    remedy=f"Known here: {', '.join(sorted(known))}.",
                )
        return document

    def rows(
        self, name: str, document: Mapping[str, Any], table: str, row: type[R]
    ) -> tuple[R, ...]:
        """All rows of `[[table]]`, each as its closed type."""
        found = document.get(table, [])
        if not isinstance(found, list):
            raise KnowledgeError(
                "this must be a list of rows.",
                where=f"{name} {table}",
                remedy=f"Write [[{table}]].",
            )
        return tuple(
            self.row(f"{name} [[{table}]] {number}", content, row)
            for number, content in enumerate(found, start=1)
        )

    def row(self, where: str, content: object, row: type[R]) -> R:
        try:
            return row.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            label = _label(content)
            raise KnowledgeError(
                f"{path}: {first['msg']}.",
                where=f"{where}{label}",
                remedy="Correct the row: the others of its table show the known keys.",
            ) from error


def _label(content: object) -> str:
    """What a reader would call the row: its id, code or text."""
    if isinstance(content, dict):
        for key in ("id", "name", "loinc", "text", "code"):
            if isinstance(content.get(key), str):
                return f" ({content[key]})"
    return ""


def _by(rows: Sequence[R], key: str, where: str) -> dict[str, R]:
    """Rows by their id. Raises KnowledgeError when one appears twice."""
    found: dict[str, R] = {}
    for row in rows:
        name = getattr(row, key)
        if name in found:
            raise KnowledgeError(
                f"'{name}' stands here twice.", where=where, remedy="Remove one of the rows."
            )
        found[name] = row
    return found


def _merged(
    rows: Sequence[schema.Concept], more: Sequence[schema.Concept], where: str
) -> tuple[schema.Concept, ...]:
    """Concepts with further codes (another terminology) added to them by name."""
    merged = dict(_by(rows, "name", where))
    for addition in more:
        if addition.name not in merged:
            raise KnowledgeError(
                f"'{addition.name}' adds codes to a concept that does not exist.",
                where=where,
                remedy="Add the concept to conditions.toml or medications.toml first.",
            )
        base = merged[addition.name]
        merged[addition.name] = base.model_copy(update={"code": base.code + addition.code})
    return tuple(merged.values())


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


def _wording(reader: _Reader) -> CardWording:
    name = "wording.toml"
    known = {"headings", "missing", "series", "phrases", "override_reason"}
    reader.text(name)
    document = reader.toml(name, known)
    try:
        words = {
            key: TypeAdapter(dict[str, str]).validate_python(document.get(key, {}))
            for key in ("headings", "missing", "series", "phrases")
        }
        reasons = TypeAdapter(list[dict[str, str]]).validate_python(
            document.get("override_reason", [])
        )
    except ValidationError as error:
        raise KnowledgeError(
            "headings, missing, series and phrases map names to words.",
            where=name,
            remedy="Write every value as text.",
        ) from error
    return CardWording(
        words["headings"],
        words["missing"],
        words["series"],
        words["phrases"],
        tuple(reasons),
        _disclaimer(reader),
    )


def _disclaimer(reader: _Reader) -> Wording:
    name = "disclaimer.md"
    try:
        return Wording.of(" ".join(reader.text(name).split()))
    except ValueError as error:
        raise KnowledgeError(
            f"{error}.", where=name, remedy="Write braces around placeholders only."
        ) from error


def read_knowledge(
    files: Mapping[str, str], analyte: str, *, terminologies: frozenset[str]
) -> KnowledgeBase:
    """Read the folder `analyte` of `files` (relative name -> text).

    `terminologies` names the optional code files to add (`snomed`). Raises KnowledgeError.
    """
    reader = _Reader(files)

    def table(name: str, *tables: str) -> Mapping[str, Any]:
        return reader.toml(f"{analyte}/{name}", set(tables))

    def rows(name: str, document: Mapping[str, Any], key: str, row: type[R]) -> tuple[R, ...]:
        return reader.rows(f"{analyte}/{name}", document, key, row)

    about_file = f"{analyte}/knowledge.toml"
    reader.text(about_file)
    about = table("knowledge.toml", "knowledge", "policy", "source_attribute")
    codes = table("codes.toml", "accept", "refuse", "specimen", "specimen_code")
    units = table("units.toml", "family", "unit")
    limits = table("limits.toml", "limit", "panel", "ratio")
    findings = table("findings.toml", "finding", "group")
    context = table("context.toml", "age", "context")
    statements = table("statements.toml", "document", "statement")
    reasons = table("reasons.toml", "reason", "note")
    more: Mapping[str, Any] = {}
    if "snomed" in terminologies:
        more = table("snomed.toml", "notice", "condition", "medication", "specimen_code")
    conditions = table("conditions.toml", "condition")
    medications = table("medications.toml", "medication")
    companions = rows(
        "companions.toml", table("companions.toml", "companion"), "companion", schema.Companion
    )
    specimen_codes = (
        *rows("codes.toml", codes, "specimen_code", schema.SpecimenCode),
        *rows("snomed.toml", more, "specimen_code", schema.SpecimenCode),
    )
    unit_rows = rows("units.toml", units, "unit", schema.RowUnit)
    _by(unit_rows, "text", f"{analyte}/units.toml")
    sources = reader.rows(
        "sources.toml", reader.toml("sources.toml", {"source"}), "source", schema.SourceRow
    )
    where = f"{analyte}/"
    return KnowledgeBase(
        identity=reader.row(f"{about_file} [knowledge]", about.get("knowledge"), schema.Identity),
        policy=reader.row(f"{about_file} [policy]", about.get("policy"), schema.Policy),
        attributes=rows("knowledge.toml", about, "source_attribute", schema.SourceAttribute),
        specimens=_by(
            rows("codes.toml", codes, "specimen", schema.SpecimenKind), "id", where + "codes.toml"
        ),
        specimen_codes={(row.system, row.code): row.kind for row in specimen_codes},
        accepted=_by(
            rows("codes.toml", codes, "accept", schema.AcceptedCode), "loinc", where + "codes.toml"
        ),
        refused=_by(
            rows("codes.toml", codes, "refuse", schema.RefusedCode), "loinc", where + "codes.toml"
        ),
        families=_by(
            rows("units.toml", units, "family", schema.UnitFamily), "id", where + "units.toml"
        ),
        unit_rows=unit_rows,
        units=UnitTable(unit_rows),
        companions={
            name: CompanionTest(
                row, {code.loinc: code.family for code in row.code}, UnitTable(row.unit)
            )
            for name, row in _by(companions, "name", where + "companions.toml").items()
        },
        conditions=ConceptIndex(
            _merged(
                rows("conditions.toml", conditions, "condition", schema.Concept),
                rows("snomed.toml", more, "condition", schema.Concept),
                where + "snomed.toml",
            )
        ),
        medications=ConceptIndex(
            _merged(
                rows("medications.toml", medications, "medication", schema.Concept),
                rows("snomed.toml", more, "medication", schema.Concept),
                where + "snomed.toml",
            )
        ),
        ages=_by(rows("context.toml", context, "age", schema.AgeRow), "id", where + "context.toml"),
        limits=_by(
            rows("limits.toml", limits, "limit", schema.LimitRow), "id", where + "limits.toml"
        ),
        panels=_by(
            rows("limits.toml", limits, "panel", schema.PanelRow), "id", where + "limits.toml"
        ),
        ratios=_by(
            rows("limits.toml", limits, "ratio", schema.RatioRow), "id", where + "limits.toml"
        ),
        findings=rows("findings.toml", findings, "finding", schema.FindingRow),
        contexts=rows("context.toml", context, "context", schema.ContextRow),
        groups=rows("findings.toml", findings, "group", schema.GroupRow),
        reasons=_by(
            rows("reasons.toml", reasons, "reason", schema.ReasonRow), "id", where + "reasons.toml"
        ),
        notes=_by(
            rows("reasons.toml", reasons, "note", schema.NoteRow), "id", where + "reasons.toml"
        ),
        sources=_by(sources, "id", "sources.toml"),
        suggestions=_by(
            rows(
                "suggestions.toml",
                table("suggestions.toml", "suggestion"),
                "suggestion",
                schema.SuggestionRow,
            ),
            "id",
            where + "suggestions.toml",
        ),
        statements=rows("statements.toml", statements, "statement", schema.StatementRow),
        documents=rows("statements.toml", statements, "document", schema.DocumentRow),
        cases=rows("cases.toml", table("cases.toml", "case"), "case", schema.CaseRow),
        templates=_templates(files, analyte),
        wording=_wording(reader),
        order_table=_order_table(reader, analyte),
    )


def _order_table(reader: _Reader, analyte: str) -> OrderTable:
    """`orders.toml`, which an analyte may do without."""
    name = f"{analyte}/orders.toml"
    document = reader.toml(name, {"advice", "order", "swap", "pairing"})
    advice = reader.rows(name, document, "advice", schema.AdviceRow)
    return OrderTable(
        advice=tuple(sorted(advice, key=lambda row: -row.rank)),
        own=_by(reader.rows(name, document, "order", schema.OwnOrderRow), "suggestion", name),
        swaps=_by(reader.rows(name, document, "swap", schema.SwapRow), "refused", name),
        pairings=_by(reader.rows(name, document, "pairing", schema.PairingRow), "specimen", name),
    )
