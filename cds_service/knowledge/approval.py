"""Approval by a named reviewer: who signed which content, and whether that still holds.

An approval names the knowledge (`sil2r@2026.1`) and the SHA-256 of its texts. It holds only while
both match: any change of the content voids it, and the knowledge is pending review again. The file
is only ever added to, so it also tells who approved what before.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

from pydantic import StringConstraints, ValidationError

from cds_service.core.review import Approved, Pending, ReviewState
from cds_service.core.schema import Row
from cds_service.core.slips import first_slip
from cds_service.errors import InputError, KnowledgeError

SHORTEST_NAME, LONGEST_NAME = 2, 80
_TAG = r"^[a-z0-9-]+@\d{4}\.\d+$"
_DIGEST = r"^[0-9a-f]{64}$"
_PATTERNS: Final = {
    _TAG: ("this names no version of a knowledge.", "Write it as sil2r@2026.1."),
    _DIGEST: ("this is no digest.", "It has 64 hexadecimal digits."),
}
_Tag = Annotated[str, StringConstraints(pattern=_TAG)]
_Name = Annotated[str, StringConstraints(min_length=SHORTEST_NAME, max_length=LONGEST_NAME)]
_Digest = Annotated[str, StringConstraints(pattern=_DIGEST)]


class Approval(Row):
    """`[[approval]]`: one signature."""

    knowledge: _Tag
    sha256: _Digest
    reviewer: _Name
    role: Annotated[str, StringConstraints(max_length=LONGEST_NAME)] = ""
    date: dt.date


class _Approvals(Row):
    approval: tuple[Approval, ...] = ()


def content_digest(files: Mapping[str, str], analyte: str) -> str:
    """SHA-256 of everything an analyte may say: the texts of its folder and those all share.

    Line ends, trailing blanks and the Unicode form (NFC) are evened out first, so that a checkout
    on another system is the same content.
    """
    texts = {
        name: _evened(text)
        for name, text in files.items()
        if "/" not in name or name.startswith(f"{analyte}/")
    }
    written = json.dumps(texts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(written.encode("utf-8")).hexdigest()


def _evened(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def read_approvals(file: Path) -> tuple[Approval, ...]:
    """All signatures of a file, oldest first. Raises KnowledgeError with file, row and remedy."""
    try:
        text = file.read_text(encoding="utf-8")
        return _Approvals.model_validate(tomllib.loads(text)).approval
    except (OSError, UnicodeDecodeError):
        raise KnowledgeError(
            "the approval file cannot be read.",
            where=file.name,
            remedy="Check path and permissions; `cds-service knowledge approve` writes one.",
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(
            f"this is not TOML: {error}.", where=file.name, remedy="Mend the syntax."
        ) from error
    except ValidationError as error:
        slip = first_slip(error, _Approvals, _PATTERNS)
        raise KnowledgeError(
            slip.text,
            where=f"{file.name} ({slip.place_in_words})",
            remedy="Rows are written by `cds-service knowledge approve`; do not edit them.",
        ) from error


def review_state(tag: str, digest: str, approvals: Sequence[Approval]) -> ReviewState:
    """The state of this content: the newest signature that is of exactly it, else pending."""
    for approval in reversed(approvals):
        if (approval.knowledge, approval.sha256) == (tag, digest):
            return Approved(approval.reviewer, approval.date, approval.role)
    analyte = tag.partition("@")[0]
    for approval in reversed(approvals):
        if approval.knowledge.partition("@")[0] == analyte:
            return Pending(void=_why_void(approval, tag))
    return Pending()


def _why_void(approval: Approval, tag: str) -> str:
    signed = f"the approval by {approval.reviewer} of {approval.date.isoformat()}"
    if approval.knowledge != tag:
        return f"{signed} is of {approval.knowledge}, not of {tag}"
    return f"{signed} is of {tag} with other content: it has changed since"


def sign(tag: str, digest: str, *, reviewer: str, role: str, on: dt.date) -> Approval:
    """A new signature. Raises InputError for a name that is none."""
    try:
        return Approval(
            knowledge=tag, sha256=digest, reviewer=_line(reviewer), role=_line(role), date=on
        )
    except ValidationError:
        raise InputError(
            "This is not the name of a reviewer.",
            where="--reviewer",
            remedy=f"Give a name of {SHORTEST_NAME} to {LONGEST_NAME} characters, and a role of at "
            f"most {LONGEST_NAME}.",
        ) from None


def _line(text: str) -> str:
    """One line of visible characters: the name will stand on cards."""
    visible = (" " if char.isspace() else char for char in text if _is_visible(char))
    return " ".join("".join(visible).split())


def _is_visible(char: str) -> bool:
    return char.isspace() or unicodedata.category(char)[0] != "C"


_HEADER = """\
# Who has approved which content of the knowledge, oldest first. Written by
# `cds-service knowledge approve`; any later change of the content voids a row.
"""


def add_approval(file: Path, approval: Approval) -> None:
    """Add a signature at the end of the file, which is made if it is not there.

    The file is only appended to, so neither a crash nor a second signer at the same time can lose a
    signature. Raises KnowledgeError if the file is there and is no approval file, InputError if it
    cannot be written.
    """
    if file.exists():
        read_approvals(file)
    row = "\n".join(
        f"{key} = {_toml(value)}" for key, value in approval.model_dump().items() if value
    )
    try:
        with file.open("ab") as end:
            header = "" if end.tell() else _HEADER
            end.write(f"{header}\n[[approval]]\n{row}\n".encode())
            end.flush()
            os.fsync(end.fileno())
    except OSError:
        raise InputError(
            "The approval file cannot be written.",
            where=file.name,
            remedy="Check folder and permissions.",
        ) from None


def _toml(value: str | dt.date) -> str:
    match value:
        case dt.date():
            return value.isoformat()
        case str():
            # For one line without control characters a JSON string is a TOML string.
            return json.dumps(value, ensure_ascii=False)
