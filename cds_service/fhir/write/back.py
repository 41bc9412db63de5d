"""The one transaction that brings what we wrote on a FHIR server up to date, or takes it back.

What we wrote before is found by its tag: `_tag` is a search parameter of every resource, unlike
`identifier` (https://hl7.org/fhir/R4/search.html#all). Creates are conditional and updates
version-aware, so a repeat changes nothing and nobody's change is overwritten unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid5

from cds_service.core.json_object import JsonObject
from cds_service.fhir.calls.query import Search
from cds_service.fhir.reference import Literal, target_of
from cds_service.fhir.shape import a_text, an_object, objects, resources_of, type_of, version_of
from cds_service.fhir.write.resources import (
    EVALUATION_SYSTEM,
    PER_EVALUATION,
    TAG_SYSTEM,
    Said,
    provenance,
)

_WITHDRAWN: Final = "entered-in-error"
"""The status of what is taken back, in each type of resource that we write."""


_DONE: Final[Mapping[str, tuple[str, ...]]] = {"POST": ("201",), "PUT": ("200", "201")}


@dataclass(frozen=True, slots=True)
class Existing:
    """The resources that we wrote on the server for one result, by type."""

    by_type: Mapping[str, Sequence[JsonObject]] = field(default_factory=dict)

    def of(self, resource_type: str, evaluation: str) -> JsonObject:
        """The resource to be kept up to date, `{}` when there is none."""
        found = self.by_type.get(resource_type, ())
        if resource_type in PER_EVALUATION:
            found = [each for each in found if is_of_evaluation(each, evaluation)]
        return found[0] if found else {}

    def standing(self) -> list[JsonObject]:
        """All that was not taken back."""
        every = chain.from_iterable(self.by_type.values())
        return [each for each in every if each.get("status") != _WITHDRAWN]


def search_of(resource_type: str, result: str) -> Search:
    """The search for what was written about one result."""
    return Search(resource_type, f"{_tag(result)}&_count=50")


def ours(bundle: JsonObject, resource_type: str, result: str) -> list[JsonObject]:
    """The resources in a search's answer that really carry the tag: servers may ignore parameters
    they do not know, and then answer with everything.
    """
    return [
        resource
        for resource in resources_of(bundle)
        if type_of(resource) == resource_type
        and any(
            (tag.get("system"), tag.get("code")) == (TAG_SYSTEM, result)
            for tag in objects(an_object(resource.get("meta")).get("tag"))
        )
    ]


def is_of_evaluation(resource: JsonObject, evaluation: str) -> bool:
    """Whether a resource was written for this very evaluation."""
    return any(
        (each.get("system"), each.get("value")) == (EVALUATION_SYSTEM, evaluation)
        for each in objects(resource.get("identifier"))
    )


def writing(said: Said, resources: Iterable[JsonObject], existing: Existing) -> JsonObject:
    """The transaction that makes the server say this and nothing else of the result, `{}` when it
    does already.
    """
    entries, targets, in_place = [], [], []
    for resource in resources:
        kind = type_of(resource)
        there = existing.of(kind, said.evaluation)
        if there:
            in_place.append(there)
            targets.append(f"{kind}/{there['id']}")
            if not _stands(there, said.evaluation):
                entries.append(_update({**resource, "id": there["id"]}, there))
        else:
            tag = said.evaluation if kind in PER_EVALUATION else said.result
            entry = _create(resource, uuid5(UUID(said.evaluation), kind), tag)
            targets.append(entry["fullUrl"])
            entries.append(entry)
    if entries:
        about = provenance(said, targets)
        entries.append(_create(about, uuid5(UUID(said.evaluation), "Provenance"), said.evaluation))
    entries += [
        _taken_back(each)
        for each in existing.standing()
        if each not in in_place and not _was_told(each, said)
    ]
    return _transaction(entries)


def all_done(transaction: JsonObject, answer: JsonObject) -> bool:
    """Whether a server says that it created and updated each resource that it was to; it does not
    if one to be created was there already. Its entries stand in our order
    (https://hl7.org/fhir/R4/http.html#transaction-response).
    """
    entries = zip_longest(objects(transaction.get("entry")), objects(answer.get("entry")))
    return all(
        a_text(an_object(an_object(told).get("response")).get("status")).startswith(
            _DONE.get(an_object(an_object(asked).get("request")).get("method", ""), "")
        )
        for asked, told in entries
    )


def withdrawing(existing: Existing) -> JsonObject:
    """The transaction that takes back what was written, `{}` when nothing stands."""
    return _transaction([_taken_back(each) for each in existing.standing()])


def _stands(resource: JsonObject, evaluation: str) -> bool:
    return is_of_evaluation(resource, evaluation) and resource.get("status") != _WITHDRAWN


def _create(resource: JsonObject, full_url: UUID, tag: str) -> JsonObject:
    request = {"method": "POST", "url": type_of(resource), "ifNoneExist": _tag(tag)}
    return {"fullUrl": f"urn:uuid:{full_url}", "resource": resource, "request": request}


def _update(resource: JsonObject, there: JsonObject) -> JsonObject:
    """A PUT that is carried out only if nobody has changed the resource since it was read."""
    request = {"method": "PUT", "url": f"{type_of(resource)}/{there['id']}"}
    if version := version_of(there):
        request["ifMatch"] = f'W/"{version}"'
    resource["meta"] = {"tag": an_object(resource.get("meta")).get("tag", [])}
    return {"resource": resource, "request": request}


def _taken_back(resource: JsonObject) -> JsonObject:
    return _update({**resource, "status": _WITHDRAWN}, resource)


def _was_told(resource: JsonObject, said: Said) -> bool:
    """Whether it stays as what a clinician was told before of the same patient."""
    if type_of(resource) not in PER_EVALUATION:
        return False
    match target_of(an_object(resource.get("subject"))):
        case Literal(type="Patient", id=patient):
            return patient == said.patient_id
        case _:
            return not said.patient_id


def _transaction(entries: list[JsonObject]) -> JsonObject:
    if not entries:
        return {}
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _tag(value: str) -> str:
    return f"_tag={quote(TAG_SYSTEM, safe='')}%7C{value}"
