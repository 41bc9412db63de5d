"""Reading the members of a JSON object that somebody else wrote, with the exact path of a fault.

A member whose value is `null` counts as absent: the specification forbids `null` (J-03), but a
client that writes it for "none" means nothing else. Unknown members are ignored (R-03).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.core.json_object import JsonObject
from cds_service.errors import BadRequest

BLANK = " \t\r\n"
"""What is blank in a text: the white space of JSON, so that every JSON Schema reader agrees."""
LONGEST_TEXT = 128
"""Characters of a name or an id."""


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one object, and where in the request it stands."""

    json: JsonObject
    path: str = ""

    def has(self, name: str) -> bool:
        """Whether the member is there and not `null`."""
        return self.json.get(name) is not None

    def where(self, name: str) -> str:
        """The path of a member: `context.patientId`."""
        return f"{self.path}.{name}" if self.path else name

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """A required text, not blank and of at most `longest` characters."""
        value: str = self._required(name, str, "a text")
        if not value.strip(BLANK):
            raise self.fault(name, "The text is empty.", "Send a value.")
        if len(value) > longest:
            raise self.fault(name, "The text is too long.", f"Send at most {longest} characters.")
        return value

    def optional_text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """An optional text; empty when it is absent."""
        return self.text(name, longest=longest) if self.has(name) else ""

    def object(self, name: str, words: str = "an object") -> Members:
        """A required object; `words` say what is to be sent."""
        return Members(self._required(name, dict, words), self.where(name))

    def optional_object(self, name: str) -> Members:
        """An optional object; without members when it is absent."""
        return self.object(name) if self.has(name) else Members({}, self.where(name))

    def array(self, name: str) -> list[Any]:
        """A required array."""
        return list(self._required(name, list, "an array"))

    def objects(self, name: str) -> Iterator[Members]:
        """The objects of a required array, each with its own path: `feedback[0]`."""
        for number, value in enumerate(self.array(name)):
            entry = f"{self.where(name)}[{number}]"
            if not isinstance(value, dict):
                raise _fault(entry, "This is not an object.", "Send an object.")
            yield Members(value, entry)

    def fault(self, name: str, text: str, remedy: str) -> BadRequest:
        """The error that refuses one member."""
        return _fault(self.where(name), text, remedy)

    def _required(self, name: str, kind: type, words: str) -> Any:
        value = self.json.get(name)
        if value is None:
            raise self.fault(name, "A required member is missing.", f"Send {words}.")
        if not isinstance(value, kind):
            raise self.fault(name, f"This is not {words}.", f"Send {words}.")
        return value


def _fault(where: str, text: str, remedy: str) -> BadRequest:
    return BadRequest(text, where=where, remedy=remedy)
