"""`suggestions.toml` and `orders.toml`: what is suggested, and what is said of draft orders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cds_service.core.schema.row import AdviceId, Gates, Id, Row, Text


class SuggestionRow(Row):
    """`[[suggestion]]`: a draft ServiceRequest or a contact; never a therapy."""

    id: Id
    label: Text
    text: Text
    kind: Literal["order", "contact"]
    system: str = ""
    code: str = ""
    display: str = ""
    tests: tuple[Id, ...] = ()
    """The companion tests that it orders, beside the one that its code stands for."""
    sources: tuple[Id, ...]


class AdviceRow(Row):
    """`[[advice]]`: what to say to whoever drafts an order; the words are in the template `id`."""

    id: AdviceId
    when: Gates
    rank: int = Field(ge=0, le=999)
    """Which advice speaks in the summary, and the order on the card: the highest rank first."""
    claim: Text
    found: Text | None = None
    """What was found, as a sentence, where the rows of one id differ in it: `{found.<id>}`."""
    sources: tuple[Id, ...] = Field(min_length=1)


class OwnOrderRow(Row):
    """`[[order]]`: a suggestion that orders this analyte itself, and the specimen it is for."""

    suggestion: Id
    specimen: Id | Literal["from-specimen"]


class SwapRow(Row):
    """`[[swap]]`: the order to put in the place of one for a look-alike, if this analyte was meant.

    `order` is the `[[order]]` whose words, and site code, are used; `loinc` the accepted code of
    the same specimen and property. Without them the order is in words alone.
    """

    refused: Text
    order: Id | Literal[""] = ""
    loinc: str = ""


class PairingRow(Row):
    """`[[pairing]]`: what belongs beside an order for this specimen, by suggestion id."""

    specimen: Id
    suggestions: tuple[Id, ...] = Field(min_length=1)
