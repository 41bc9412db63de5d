"""Text from outside, made harmless: for a plain summary, and for Markdown without HTML.

Cards are rendered by clients we do not know, some with raw HTML enabled, so nothing that came from
a FHIR resource may act as markup, link itself, or hide what it says (bidirectional and zero-width
characters).
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
_LOOKED_AT = 4_096
"""Characters of a text. What a card shows is shorter, and a text may be megabytes long."""
_MARKUP = re.compile(r"([\\`*_\[\]|~#])")
_LINKS_ITSELF = re.compile(r"://|www\.|@", re.IGNORECASE)
_is_harmless = re.compile(r"(?:[0-9A-Za-z.,;:()%+/-]+(?: [0-9A-Za-z.,;:()%+/-]+)*)?").fullmatch
"""Words of characters that mean nothing to Markdown, one space between them: most values, units,
dates and references."""
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ESCAPED = re.compile(r"\\([\\`*_\[\]|~#])")
_LINK = re.compile(r"(?<!\\)\[([^\[\]]+)\]\(https://(?:[^()\s]|\([^()\s]*\))+\)")


def plain(text: str, longest: int = LONGEST) -> str:
    """One line of visible characters, cut with an ellipsis at `longest`."""
    start = text[:_LOOKED_AT]
    line = " ".join((start if _is_plain(start) else _visible(start)).split())
    is_whole = len(line) <= longest and len(text) <= _LOOKED_AT
    return line if is_whole else f"{line[: longest - 1].rstrip()}…"


def _is_plain(text: str) -> bool:
    """Whether a text is printable ASCII, as most texts are."""
    return text.isascii() and text.isprintable()


def _visible(text: str) -> str:
    return "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char)[0] not in "CZ"
    )


def markdown(text: str, longest: int = LONGEST) -> str:
    """The same line as Markdown text that stays text: no markup, no HTML, no automatic link."""
    if (
        len(text) <= longest
        and _is_harmless(text)
        and "://" not in text
        and "www." not in text.lower()
    ):
        return text
    line = _LINKS_ITSELF.sub(lambda found: f"{' '.join(found.group())} ", plain(text, longest))
    return _MARKUP.sub(r"\\\1", line.translate(_ENTITIES))


def unescaped(detail: str) -> str:
    """The Markdown of our own cards as plain text, for an element that is shown unrendered: there a
    reader would see `&lt;50 U/mL`.
    """
    bare = _ESCAPED.sub(r"\1", _LINK.sub(r"\1", detail).replace("**", ""))
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
