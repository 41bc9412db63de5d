"""Small pieces of Markdown: our own texts made literal, tables and lists. No HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


def text(words: str) -> str:
    """One line that stays text: `10*9/L` is no emphasis and `<150` no tag."""
    return _MARKUP.sub(r"\\\1", " ".join(words.split()))


def code(words: str) -> str:
    """A code span; fit for a table cell."""
    return f"`{words.replace('|', chr(92) + '|')}`"


def codes(words: Iterable[str]) -> str:
    """Several code spans."""
    return ", ".join(code(word) for word in words)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; nothing for no rows."""
    lines = [_row(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_row(headings), _row(["---"] * len(headings)), *lines])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell or '-' for cell in cells)} |"


def bullets(items: Iterable[str]) -> str:
    """A list; nothing for no items."""
    return "\n".join(f"- {item}" for item in items if item)


def described(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of `**name**: text`, without what has no text."""
    return bullets(f"**{name}**: {said}" for name, said in pairs if said)


def section(level: int, heading: str, *blocks: str) -> str:
    """A heading and its blocks, those without content left out."""
    return "\n\n".join([f"{'#' * level} {heading}", *filter(None, blocks)])
