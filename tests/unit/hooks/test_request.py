"""What is a hook request, what is refused and where, and what is let pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest, HookMismatch
from cds_service.fhir.reference import Literal, NotAnAddress, target_of
from cds_service.hooks.request import (
    HookRequest,
    LabResultContext,
    OrderContext,
    PatientViewContext,
    Trigger,
    read_request,
)
from tests.unit.hooks.contexts import BUNDLE, CONTEXTS

HOOK = "org.example.result-create"


def body(trigger: Trigger = Trigger.PATIENT_VIEW, **more: object) -> dict[str, Any]:
    return {"hook": HOOK, "hookInstance": "u", "context": CONTEXTS[trigger], **more}


def read(given: dict[str, Any], trigger: Trigger = Trigger.PATIENT_VIEW) -> HookRequest:
    return read_request(given, trigger, HOOK, ("patient", "sil2r"))


def refused(given: dict[str, Any], trigger: Trigger = Trigger.PATIENT_VIEW) -> str:
    with pytest.raises(BadRequest) as caught:
        read(given, trigger)
    assert caught.value.remedy
    return caught.value.where


def without(trigger: Trigger, name: str) -> dict[str, Any]:
    return {key: value for key, value in CONTEXTS[trigger].items() if key != name}


def test_each_hook_brings_its_own_context() -> None:
    result = read(body(Trigger.LAB_RESULT), Trigger.LAB_RESULT).context
    view = read(body(Trigger.PATIENT_VIEW), Trigger.PATIENT_VIEW).context
    select = read(body(Trigger.ORDER_SELECT), Trigger.ORDER_SELECT).context
    sign = read(body(Trigger.ORDER_SIGN), Trigger.ORDER_SIGN).context
    assert isinstance(result, LabResultContext)
    assert result.results == BUNDLE
    assert isinstance(view, PatientViewContext)
    assert isinstance(select, OrderContext)
    assert select.selections == ("ServiceRequest/1",)
    assert isinstance(sign, OrderContext)
    assert (sign.selections, sign.draft_orders) == ((), BUNDLE)


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_r02_a_missing_member_is_named(name: str) -> None:
    given = body()
    del given[name]
    assert refused(given) == name


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
@pytest.mark.parametrize("value", [None, 1, True, [], "", "  "])
def test_r02_j06_a_required_member_of_the_wrong_kind_is_named(name: str, value: object) -> None:
    assert refused({**body(), name: value}) == name


@pytest.mark.parametrize(
    ("trigger", "name"),
    [(trigger, name) for trigger, context in CONTEXTS.items() for name in context],
)
@pytest.mark.parametrize("value", [None, 1, {"a": 1}, [1], True])
def test_r02_a_required_member_of_the_context_is_named(
    trigger: Trigger, name: str, value: object
) -> None:
    given = body(trigger, context={**CONTEXTS[trigger], name: value})
    assert refused(given, trigger) == f"context.{name}"
    assert refused(body(trigger, context=without(trigger, name)), trigger) == f"context.{name}"


def test_tr03_another_hook_than_the_services_is_refused() -> None:
    with pytest.raises(HookMismatch) as caught:
        read(body(hook="order-sign"))
    assert caught.value.where == "hook"
    assert HOOK in caught.value.remedy


@pytest.mark.parametrize("given", ["p1", "Patient/p1"])
def test_r04_a_patient_id_is_bare_or_a_reference(given: str) -> None:
    assert read(body(context={"patientId": given})).context.patient_id == "p1"


@pytest.mark.parametrize("given", ["smart-1288992", "a.b-c-D9", "x" * 64])
def test_r04_every_fhir_id_is_taken_bare_or_as_a_reference(given: str) -> None:
    for sent in (given, f"Patient/{given}"):
        assert read(body(context={"patientId": sent})).context.patient_id == given
        assert target_of({"reference": f"Patient/{given}"}) == Literal("", "Patient", given, "")


@pytest.mark.parametrize("given", ["pat_1", "x" * 65])
def test_r04_an_id_that_no_reference_could_name_is_refused_and_not_another_patients(
    given: str,
) -> None:
    for sent in (given, f"Patient/{given}"):
        assert refused(body(context={"patientId": sent})) == "context.patientId"
    assert target_of({"reference": f"Patient/{given}"}) == NotAnAddress()


@pytest.mark.parametrize(
    "given",
    [
        "",
        ".",
        "..",
        "Patient/",
        "Patient/a/b",
        "Practitioner/p1",
        "https://fhir.example/Patient/p1",
        "p1&_count=1",
        "p1?x",
        "p 1",
        "p1\n",
        "p\u0661",
        "-",
        "urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    ],
)
def test_what_could_change_a_query_is_no_id(given: str) -> None:
    assert refused(body(context={"patientId": given})) == "context.patientId"


@pytest.mark.parametrize("trigger", Trigger)
def test_user_and_encounter_of_any_form_change_nothing_under_any_hook(trigger: Trigger) -> None:
    given = {**CONTEXTS[trigger], "userId": "somebody", "encounterId": "e1"}
    assert read(body(context=given), trigger) == read(body(context=CONTEXTS[trigger]), trigger)


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("name", ["userId", "encounterId"])
def test_an_optional_member_of_the_wrong_kind_is_named(name: str, trigger: Trigger) -> None:
    given = {**CONTEXTS[trigger], name: 7}
    assert refused(body(context=given), trigger) == f"context.{name}"


@pytest.mark.parametrize("instance", ["d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "42", "x" * 128])
def test_a_hook_instance_may_be_any_text(instance: str) -> None:
    assert read(body(hookInstance=instance)).hook_instance == instance


def test_a_hook_instance_has_an_end() -> None:
    assert refused(body(hookInstance="x" * 129)) == "hookInstance"


def test_r03_tr04_unknown_members_are_ignored_wherever_they_stand() -> None:
    given = body(context={"patientId": "p1", "encounterId": "e1", "new": [1]}, other={"x": None})
    assert read(given).context == PatientViewContext(patient_id="p1")


def test_tr05_an_extension_is_an_object() -> None:
    assert read(body(extension={"com.example.timestamp": "2026"})).hook_instance == "u"
    assert refused(body(extension=[{"url": "x"}])) == "extension"


def test_tr12_no_prefetch_at_all_is_no_prefetch() -> None:
    assert read(body()).prefetch == {}
    assert read(body(prefetch=None)).prefetch == {}


def test_tr13_f02_null_under_a_prefetch_key_is_kept_apart_from_no_key() -> None:
    assert read(body(prefetch={"patient": None, "sil2r": {}})).prefetch == {
        "patient": None,
        "sil2r": {},
    }


@pytest.mark.parametrize("value", ["{}", 1, [], [{}], True])
def test_j02_a_prefetched_resource_is_an_object_never_a_text(value: object) -> None:
    assert refused(body(prefetch={"patient": value})) == "prefetch.patient"


@pytest.mark.parametrize("value", ["{}", 1, [], None, {"resourceType": "Patient"}])
def test_f05_a_key_of_another_service_may_hold_anything(value: object) -> None:
    """One EHR sends what several services asked for; the others' keys are not ours to judge."""
    assert read(body(prefetch={"Zyx Garten": value, "sil2r": {}})).prefetch == {"sil2r": {}}


@pytest.mark.parametrize("value", [[], "x", 1])
def test_prefetch_of_another_kind_is_refused(value: object) -> None:
    assert refused(body(prefetch=value)) == "prefetch"


def test_fhir_access_is_passed_on_as_claimed_and_never_shown() -> None:
    authorization = {"access_token": "secret-token"}
    request = read(body(fhirServer="https://f.example", fhirAuthorization=authorization))
    assert request.fhir.server == "https://f.example"
    assert request.fhir.authorization == authorization
    assert "secret-token" not in repr(request)


@pytest.mark.parametrize("trigger", Trigger)
def test_what_is_said_of_a_patient_stands_in_no_text_of_a_request(trigger: Trigger) -> None:
    """Such a text may end in a traceback on somebody's screen."""
    entry = {"resource": {"resourceType": "Observation", "note": [{"text": "Zyx Garten"}]}}
    told = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    context = {
        name: told if value is BUNDLE else value for name, value in CONTEXTS[trigger].items()
    }
    given = body(trigger, prefetch={"sil2r": told}) | {"context": context}
    assert "Zyx Garten" not in repr(read(given, trigger))


@pytest.mark.parametrize(
    ("member", "longest"), [("hookInstance", 128), ("fhirServer", 2048), ("hook", 128)]
)
def test_a_name_has_128_characters_at_most_and_an_address_2048(member: str, longest: int) -> None:
    fits, too_long = ("x" * length for length in (longest, longest + 1))
    if member != "hook":
        read(body() | {member: fits})
    assert refused(body() | {member: too_long}) == member


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_what_is_missing_is_said_to_be_missing(member: str) -> None:
    without_it = {name: value for name, value in body().items() if name != member}
    for sent in (body() | {member: None}, without_it):
        with pytest.raises(BadRequest, match="A required member is missing") as caught:
            read(sent)
        assert caught.value.where == member


def test_fhir_authorization_without_a_server_is_refused() -> None:
    assert refused(body(fhirAuthorization={"access_token": "t"})) == "fhirServer"
    assert refused(body(fhirAuthorization="t")) == "fhirAuthorization"
    assert refused(body(fhirServer=7)) == "fhirServer"


@pytest.mark.parametrize(
    ("bundle", "where"),
    [
        ({}, "context.results"),
        ([{"resourceType": "Observation"}], "context.results"),
        ({"resourceType": "Observation"}, "context.results"),
        ({"resourceType": "Bundle", "entry": {}}, "context.results.entry"),
        ({"resourceType": "Bundle", "entries": [{"resource": {}}]}, "context.results.entry"),
        ({"resourceType": "Bundle", "entry": [{}, 7]}, "context.results.entry[1]"),
        (
            {"resourceType": "Bundle", "entry": [{"resource": "{}"}]},
            "context.results.entry[0].resource",
        ),
    ],
)
def test_results_are_a_bundle_in_outline(bundle: object, where: str) -> None:
    given = body(context={"patientId": "p1", "results": bundle})
    assert refused(given, Trigger.LAB_RESULT) == where


@pytest.mark.parametrize("sent", [None, "Observation/1", [{"resourceType": "Observation"}], {}])
def test_who_sends_no_bundle_is_told_to_send_one(sent: object) -> None:
    given = body(context={"patientId": "p1", "results": sent})
    with pytest.raises(BadRequest) as caught:
        read(given, Trigger.LAB_RESULT)
    assert caught.value.remedy == "Send a FHIR Bundle."


def test_an_invalid_resource_in_the_bundle_is_not_judged_here() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": 7}}, {}]}
    context = {"patientId": "p1", "results": bundle}
    assert isinstance(read(body(context=context), Trigger.LAB_RESULT).context, LabResultContext)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(
    st.sampled_from(Trigger),
    st.fixed_dictionaries(
        {"hook": st.just(HOOK), "hookInstance": st.just("u")},
        optional={
            "context": JSON
            | st.sampled_from([*CONTEXTS.values()])
            | st.dictionaries(st.sampled_from([*CONTEXTS[Trigger.ORDER_SELECT]]), JSON),
            "prefetch": JSON,
            "fhirServer": JSON,
            "fhirAuthorization": JSON,
            "extension": JSON,
        },
    ),
)
def test_arbitrary_json_is_read_or_refused_with_its_place(
    trigger: Trigger, given: dict[str, Any]
) -> None:
    try:
        request = read(given, trigger)
    except BadRequest as error:
        place = error.where
    else:
        place = request.context.patient_id
    assert place
