"""`knowledge.toml`: what this knowledge is, for whom, and what a site may change."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cds_service.core.schema.row import Id, Row, Text, Version


class SourceAttribute(Row):
    """One of the 13 source attributes of 45 CFR 170.315(b)(11)(iv)(A)."""

    id: Id
    title: Text
    used: bool | Literal["not-applicable"] = "not-applicable"
    """For attributes 5 to 13: whether the rule set uses this data element."""
    text: Text


class Identity(Row):
    """`[knowledge]`: what this knowledge is, for whom, and in what state of review."""

    id: Id
    version: Version
    title: Text
    analyte: Text
    short_name: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    other_results: Text
    """The words for further results of the analyte on a card that names them as missing."""
    intended_use: Text
    released: date
    review_by: date
    review_status: Literal["pending clinical review"]
    service_title: Text
    service_description: Text
    order_service_title: Text
    order_service_description: Text
    publisher: Text
    copyright: Text
    pair_within_days: int = Field(default=7, ge=0, le=90)
    companion_within_days: int = Field(default=7, ge=0, le=90)
    summary_dated_after_days: int = Field(default=14, ge=0, le=3650)
    """The summary names the day of a result that is older than this."""


class Policy(Row):
    """What a site may change; these are the defaults."""

    look_back_days: int = Field(ge=1, le=3650)
    interpret_preliminary: bool
    muted_findings: tuple[Id, ...] = ()
    order_intent: Literal["proposal", "order"] = "proposal"
