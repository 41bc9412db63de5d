"""Wording: Markdown files with `## sections` and {named} placeholders, and nothing cleverer.

A placeholder is replaced by text; there are no conditions, loops or expressions, so a clinician can
read a template as the sentence it will become.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{([a-z0-9]+(?:[.-][a-z0-9]+)*)\}")
_SECTION = re.compile(r"^## ([a-z-]+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wording:
    """One piece of text: literal parts alternate with placeholder names, literal first."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Wording:
        """Split a text at its placeholders. Raises ValueError on a stray brace."""
        parts = tuple(_PLACEHOLDER.split(text))
        if any("{" in literal or "}" in literal for literal in parts[::2]):
            raise ValueError("a brace that is no placeholder")
        return cls(parts)

    @property
    def placeholders(self) -> frozenset[str]:
        """The names it needs."""
        return frozenset(self.parts[1::2])

    @property
    def source(self) -> str:
        """The text as it is written in its file, placeholders in braces."""
        return self.fill({name: f"{{{name}}}" for name in self.placeholders})

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with every placeholder replaced. Raises KeyError for a value not given."""
        if len(self.parts) == 1:
            return self.parts[0]
        said = list(self.parts)
        said[1::2] = [values[name] for name in self.parts[1::2]]
        return "".join(said)


Template = Mapping[str, Wording]
"""Section name -> wording, of one file."""


def parse_template(text: str) -> Template:
    """Read one template file. Raises ValueError for text outside sections or an empty section."""
    pieces = _SECTION.split(text)
    if pieces[0].strip():
        raise ValueError("text before the first '## section'")
    sections: dict[str, Wording] = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if name in sections:
            raise ValueError(f"section '{name}' twice")
        if not body.strip():
            raise ValueError(f"section '{name}' is empty")
        sections[name] = Wording.of(body.strip())
    if not sections:
        raise ValueError("no '## section'")
    return sections
