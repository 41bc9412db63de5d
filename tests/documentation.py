"""The documentation as tests read it: files, tables, examples and links of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LEFT_OUT = "[...]"
_DRAWN = re.compile(r"[\u2500-\u257f]+")


@cache
def text_of(name: str) -> str:
    """A file of the project, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def pages() -> list[str]:
    """Every page of Markdown that is documentation, by its path from the root."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(page.relative_to(ROOT)) for page in found)


def examples(name: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language, in order."""
    return [found[2] for found in _FENCE.finditer(text_of(name)) if found[1] == language]


def prose(name: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(name))


def section(name: str, heading: str) -> str:
    """The part of a page under one heading, up to the next heading of any level."""
    after = prose(name).split(f" {heading}\n", 1)[1]
    return re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(markdown: str) -> Iterator[Sequence[str]]:
    """The cells of each row of each table, without headings and rules."""
    lines = markdown.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        heads_a_table = after.startswith("|--")
        if line.startswith("| ") and not heads_a_table:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def first_words(markdown: str) -> list[str]:
    """What stands in backticks in the first cells of the tables."""
    return [word for row in rows(markdown) for word in re.findall(r"`([^`]+)`", row[0])]


def links(name: str) -> list[str]:
    """Where a page leads to inside the project."""
    found = _LINK.findall(prose(name))
    return [link for link in found if not link.startswith(("http://", "https://"))]


def anchors(name: str) -> frozenset[str]:
    """The anchors of a page's headings, as forges make them."""
    titles = (re.sub(r"[`*]", "", title).lower() for title in _HEADING.findall(prose(name)))
    return frozenset(re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles)


def even(text: str) -> str:
    """A text without line breaks and drawn lines, so that two widths compare."""
    return " ".join(_DRAWN.sub(" ", text).split())


def is_excerpt(excerpt: str, whole: str) -> bool:
    """Whether all parts of the excerpt stand in the whole, in this order."""
    rest = even(whole)
    for part in filter(None, map(even, excerpt.split(_LEFT_OUT))):
        _before, found, rest = rest.partition(part)
        if not found:
            return False
    return True
