"""A second analyte, as the texts of its folder: small, complete, and provable.

Its specimens (sap, dew), unit families, limits and words are its own, so a test that passes with it
shows that no line of the service knows the first analyte. Its LOINC codes have right check digits
and do not exist. The tables stand in `toy_cards/`; the templates, of which a card needs one for
each finding, reason and note, are made here.

`folder()` is what a new folder under `cards/` holds; `files()` adds the texts all analytes share.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.knowledge_reader import read_knowledge
from cds_service.core.note import NoteKind
from cds_service.core.proof.words import NOTE_VALUES, NOTES_THAT_LEAD
from cds_service.core.verdict import Reason

SAP_POINTS, SAP_MASS, DEW_MASS = "9000001-9", "9000002-7", "9000003-5"
ANY_MASS, SAP_MOLE = "9000004-3", "9000005-0"
LOOK_ALIKE, LOOK_ALIKE_TO_IGNORE = "9000011-8", "9000012-6"
SPECIMENS = "urn:oid:2.999.10"
CONCEPTS = "urn:oid:2.999.11"
SOURCE = "toy-2020"

_TABLES = Path(__file__).parent / "toy_cards"


@cache
def _tables(folder: str) -> Mapping[str, str]:
    """The texts of one folder of `toy_cards`, by file name."""
    files = sorted(file for file in (_TABLES / folder).iterdir() if file.is_file())
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def _ids(table: str, name: str) -> list[str]:
    """Ids of the rows of a table, in order, each once."""
    rows = tomllib.loads(_tables("toy")[table])[name]
    return list(dict.fromkeys(row["id"] for row in rows))


def _template(**sections: str) -> str:
    return "".join(f"## {name}\n\n{text}\n\n" for name, text in sections.items())


_SAYS = {
    "above-laboratory-limit": "{multiple} times the limit of {range}.",
    "within-laboratory-limit": "Within {range}.",
    "below-laboratory-limit": "Below {range}.",
    "sap-high": "{value} in {specimen} against {limit.sap-100}.",
    "toy-item-count": "Counted:{panel.toy-items}",
    "toy-pair": "Beside {other}, index {ratio.toy-index}.",
    "threshold-indeterminate": "On both sides of {limits}.",
}
_WEAKENED = {"sap-high", "above-laboratory-limit", "within-laboratory-limit"}


def _finding(name: str) -> str:
    headline, no = f"{name} it is", f"Is not {name}."
    says = _SAYS.get(name, f"Says {name}.")
    if name == "toy-item-count":
        return _template(
            headline=headline, alert="{met.toy-items} in all", says=says, **{"not": no}
        )
    if name in _WEAKENED:
        return _template(headline=headline, says=says, weakly=f"Weakly {name}.", **{"not": no})
    return _template(headline=headline, says=says, **{"not": no})


def _note(kind: NoteKind) -> str:
    values = " ".join(f"{{{name}}}" for name in sorted(NOTE_VALUES.get(kind, set())))
    headline = {"headline": f"{kind.value} leads"} if kind in NOTES_THAT_LEAD else {}
    return _template(**headline, says=f"Note {kind.value} {values}.")


@cache
def _templates() -> Mapping[str, str]:
    reasons = {
        f"reason-{reason.value}": _template(
            headline=reason.value, says=f"Because {reason.value}: {{detail}}.", next="Ask."
        )
        for reason in Reason
    }
    return {
        **{name: _finding(name) for name in _ids("findings.toml", "finding")},
        **{name: _template(says=f"Says {name}.") for name in _ids("context.toml", "context")},
        **reasons,
        "threshold-indeterminate": _finding("threshold-indeterminate"),
        "wrong-analyte": _template(headline="no toyin", says="{loinc} is {name}.", next="Order."),
        **{f"note-{kind.value}": _note(kind) for kind in NoteKind},
    }


def folder(source: str = SOURCE) -> dict[str, str]:
    """The files of the folder `toy`; its one source may be one of another bibliography."""
    templates = {f"templates/{name}.md": text for name, text in _templates().items()}
    return {
        f"toy/{name}": text.replace(f'"{SOURCE}"', f'"{source}"')
        for name, text in {**_tables("toy"), **templates}.items()
    }


def files() -> dict[str, str]:
    """The toy with the texts that all analytes share."""
    return {**folder(), **_tables(".")}


def edited(name: str, old: str, new: str) -> dict[str, str]:
    """The toy's files with one passage of one file replaced; the passage must be there."""
    texts = files()
    if old not in texts[name]:
        raise LookupError(f"{name} does not hold {old!r}")
    return {**texts, name: texts[name].replace(old, new, 1)}


def read(texts: Mapping[str, str]) -> KnowledgeBase:
    """The toy knowledge of these texts, not proved."""
    return read_knowledge(texts, "toy", terminologies=frozenset())


@cache
def knowledge() -> KnowledgeBase:
    """The toy knowledge as it stands."""
    return read(files())
