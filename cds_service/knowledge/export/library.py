"""The Library: what holds the other artifacts together, with source attributes and content hash."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from cds_service.core.rendering.disclaimer import review_status
from cds_service.fhir.canonical import of_version
from cds_service.knowledge.export.artifact import Artifacts, Resource
from cds_service.knowledge.export.citing import cited
from cds_service.knowledge.page.page import page
from cds_service.knowledge.source_attributes import source_attributes

_TYPE = "http://terminology.hl7.org/CodeSystem/library-type"


def library(artifacts: Artifacts, members: Iterable[Resource]) -> Resource:
    """The Library of these artifacts."""
    knowledge = artifacts.knowledge
    composed = [
        {"type": "composed-of", "resource": of_version(member["url"], member["version"])}
        for member in members
    ]
    attributes = json.dumps(source_attributes(knowledge), ensure_ascii=False, indent=2)
    return {
        **artifacts.frame(
            "Library",
            (),
            title=knowledge.identity.title,
            description=f"{knowledge.identity.intended_use} State of review: "
            f"{review_status(knowledge)}.",
        ),
        "identifier": [_digest(artifacts.digest)],
        "type": {"coding": [{"system": _TYPE, "code": "asset-collection"}]},
        "relatedArtifact": [*composed, *cited(artifacts, knowledge.sources)],
        "content": [
            _attached("Source attributes", "application/json", attributes),
            _attached(
                "The knowledge as a page", "text/markdown", page(knowledge, artifacts.digest)
            ),
        ],
    }


def _digest(sha256: str) -> Resource:
    """The hash of the content as a named-information URI (RFC 6920), and in hexadecimal."""
    encoded = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode("ascii").rstrip("=")
    return {
        "type": {"text": f"SHA-256 of the knowledge content: {sha256}"},
        "system": "urn:ietf:rfc:3986",
        "value": f"ni:///sha-256;{encoded}",
    }


def _attached(title: str, content_type: str, text: str) -> Resource:
    return {
        "contentType": content_type,
        "title": title,
        "data": base64.b64encode(text.encode("utf-8")).decode("ascii"),
    }
