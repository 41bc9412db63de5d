"""The rows of `clients.toml` as they are written: closed, frozen, one type per table.

An unknown key, a wrong type or an empty text is refused. What a row means, with its addresses and
paths resolved, is in `registry`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_TEXT = r"^\S+( \S+)*$"
_NAME = r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$"
Text = Annotated[str, StringConstraints(pattern=_TEXT, max_length=2048)]
"""Text without spaces around it, as one line."""
Name = Annotated[str, StringConstraints(pattern=_NAME)]
"""A name that may stand in logs, metrics and paths."""
PATTERNS: Final = {
    _TEXT: ("this is empty, or has too many blanks.", "Write one line without blanks around it."),
    _NAME: (
        "this is no name.",
        "Write letters and digits, with single points, hyphens or underscores between them.",
    ),
}
"""For each pattern: what is wrong with a text that does not match it, and what would be right."""
Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
"""RFC 7518, section 3.1, without `none` and without HMAC (S-04)."""


class Row(BaseModel):
    """Base of the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SmartAppRow(Row):
    """`[[client.smart_app]]`: an app that the client's EHR can launch, linked to on its cards."""

    label: Annotated[str, StringConstraints(pattern=_TEXT, max_length=80)]
    """What the link is called on the card."""
    url: Text
    """Its launch address (SMART App Launch, "EHR Launch")."""


class ClientRow(Row):
    """`[[client]]`: one organisation's EHR that may call."""

    name: Name
    issuer: Text
    """`iss` of its tokens, character by character."""
    tenants: list[Text] = Field(default=[], min_length=1)
    """When given, a token must name one of them."""
    jwks_url: Text | Literal[""] = ""
    """Where its public keys are published. Beside `jwks_file` only what `jku` may name."""
    jwks_file: Text | Literal[""] = ""
    """A JSON Web Key Set in a file."""
    algorithms: list[Algorithm] = Field(default=["ES384", "RS384"], min_length=1)
    fhir_servers: list[Text] = []
    """Base addresses that `fhirServer` may name; with none, only prefetched data are used."""
    services: list[Name] = Field(default=[], min_length=1)
    """The services granted; when left out, all."""
    rollout: Literal["live", "shadow"] = "live"
    """In shadow its calls are evaluated and recorded, and answered without cards."""
    smart_app: list[SmartAppRow] = []

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if not (self.jwks_url or self.jwks_file):
            raise ValueError("there are no keys; give jwks_url or jwks_file")
        return self


class EventSourceRow(Row):
    """`[[source]]`: a FHIR server that sends Subscription notifications to `/events/{name}`."""

    name: Name
    fhir_server: Text
    """Base address from which the current resource is fetched."""
    secret_file: Text
    """Holds the shared secret, so that the registry itself holds none."""
    proof: Literal["token", "hmac-sha256"] = "token"
    """How a notification shows that it knows the secret: as its bearer token, or by an
    `X-Hub-Signature` over the body."""
    payloads: list[Literal["empty", "id-only", "full-resource"]] = Field(
        default=["empty", "id-only", "full-resource"], min_length=1
    )
    """Kinds of content that are accepted (Subscriptions R5 Backport, "Payload Types")."""
    numbering: Literal["subscription", "bundle", "none"] = "subscription"
    """What event numbers count: some servers begin anew in every bundle, some send none."""
    topic: Text | Literal[""] = ""
    """Canonical of the SubscriptionTopic; empty for the classic R4 subscription."""
    credentials: Literal["none", "bearer", "basic", "backend-services"] = "none"
    """How we show the FHIR server who we are: a fixed token, a client id with a secret, or SMART
    Backend Services (an assertion signed with our key)."""
    credentials_file: Text | Literal[""] = ""
    """Holds the token, the client secret, or our private key as a JSON Web Key."""
    client_id: Text | Literal[""] = ""
    token_url: Text | Literal[""] = ""
    """When left out, the FHIR server is asked (`.well-known/smart-configuration`)."""
    scope: Text | Literal[""] = ""
    """When left out: reading what an evaluation looks at, and writing what is delivered."""
    delivery: Literal["record", "write-back", "hook"] = "record"
    """What is done with an answer beside recording it."""
    issue: Literal["DetectedIssue", "Flag"] = "DetectedIssue"
    """What a write-back writes."""
    notify: Literal["none", "Communication", "Task"] = "none"
    """What a write-back leaves for the clinician who ordered the test."""
    relay: Text | Literal[""] = ""
    """Where `hook` delivers to."""
    relay_secret_file: Text | Literal[""] = ""
    """Holds the bearer token for the relay."""
    heartbeat_seconds: int = Field(default=0, ge=0, le=86_400)
    """How often the server promises to be heard of; 0: never."""
    reactivate: bool = False
    """Whether a subscription that the server switched off is switched on again, after catch-up."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.credentials == "none") != (not self.credentials_file):
            raise ValueError(
                "the keys credentials and credentials_file go together; give both or none"
            )
        if self.credentials in ("basic", "backend-services") and not self.client_id:
            raise ValueError(
                "these credentials need a client_id; give the one we are registered with"
            )
        if (self.delivery == "hook") != bool(self.relay):
            raise ValueError('a relay and delivery = "hook" go together; give both or none')
        return self
