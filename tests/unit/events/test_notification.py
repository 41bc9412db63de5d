"""Reading notifications: three dialects, one set of types, and ids only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest
from cds_service.events.notification import (
    About,
    Content,
    Focus,
    Happened,
    NotSaid,
    NumberedEvent,
    ResourceSent,
    Sign,
    SignKind,
    SomethingChanged,
    read_notification,
)

TOPIC = "http://example.org/topics/lab-result"
BASE = "https://ehr.example.org/fhir"


def parameters(kind: str, *events: dict[str, Any], so_far: Any = "0", **more: str) -> Any:
    """A Backport status of R4, with names in kebab case."""
    members: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{BASE}/Subscription/s1"}},
        {"name": "topic", "valueCanonical": f"{TOPIC}|1.0"},
        {"name": "status", "valueCode": more.get("status", "active")},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": so_far},
    ]
    for event in events:
        parts: list[dict[str, Any]] = [
            {"name": "event-number", "valueString": str(event["number"])}
        ]
        if "focus" in event:
            parts.append({"name": "focus", "valueReference": {"reference": event["focus"]}})
        members.append({"name": "notification-event", "part": parts})
    return {"resourceType": "Parameters", "parameter": members}


def status(kind: str, *events: dict[str, Any], so_far: Any = "0") -> Any:
    """The SubscriptionStatus of R4B and R5."""
    return {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": kind,
        "eventsSinceSubscriptionStart": so_far,
        "subscription": {"reference": "Subscription/s1"},
        "topic": TOPIC,
        "notificationEvent": [
            {
                "eventNumber": str(event["number"]),
                **({"focus": {"reference": event["focus"]}} if "focus" in event else {}),
            }
            for event in events
        ],
    }


def bundle(*resources: Any, kind: str = "history") -> Any:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"resource": resource} for resource in resources],
    }


BOTH = pytest.mark.parametrize("dialect", [parameters, status])


def test_no_body_says_that_something_has_changed() -> None:
    assert read_notification({}) == SomethingChanged()


def test_a_resource_is_read_as_its_type_and_id_and_nothing_more() -> None:
    sent = {"resourceType": "Observation", "id": "o1", "valueString": "whatever"}
    assert read_notification(sent) == ResourceSent(Focus("Observation", "o1"))


@BOTH
def test_t80_handshake_heartbeat_and_query_status_are_told_apart(dialect: Any) -> None:
    about = About("s1", TOPIC, "active", 7)
    for kind, expected in (
        ("handshake", Sign(SignKind.HANDSHAKE, about)),
        ("heartbeat", Sign(SignKind.HEARTBEAT, about)),
        ("query-status", Sign(SignKind.STATUS, about)),
    ):
        assert read_notification(bundle(dialect(kind, so_far="7"))) == expected


@BOTH
@pytest.mark.parametrize("kind", ["event-notification", "query-event"])
def test_events_keep_their_numbers_and_foci(dialect: Any, kind: str) -> None:
    events = {"number": 21, "focus": f"{BASE}/Observation/o1"}, {"number": 22, "focus": "Patient/p"}
    read = read_notification(bundle(dialect(kind, *events, so_far=22)))
    assert read == Happened(
        About("s1", TOPIC, "active", 22),
        (
            NumberedEvent(21, (Focus("Observation", "o1"),)),
            NumberedEvent(22, (Focus("Patient", "p"),)),
        ),
        Content.ID_ONLY,
        kind == "query-event",
    )


def test_an_event_may_name_more_than_one() -> None:
    sent = bundle(parameters("event-notification", {"number": 21, "focus": "Observation/o1"}))
    (event,) = (each for each in sent["entry"][0]["resource"]["parameter"] if "part" in each)
    event["part"].append({"name": "focus", "valueReference": {"reference": "Observation/o2"}})
    read = read_notification(sent)
    assert isinstance(read, Happened)
    both = Focus("Observation", "o1"), Focus("Observation", "o2")
    assert read.events == (NumberedEvent(21, both),)


@BOTH
def test_an_event_that_names_nothing_is_an_empty_one(dialect: Any) -> None:
    read = read_notification(bundle(dialect("event-notification", {"number": 1})))
    assert isinstance(read, Happened)
    assert (read.content, read.events) == (Content.EMPTY, (NumberedEvent(1, ()),))


def test_an_entry_without_a_resource_sends_nothing_along() -> None:
    sent = bundle(status("event-notification", {"number": 1}))
    sent["entry"].append({"fullUrl": f"{BASE}/Observation/o1"})
    read = read_notification(sent)
    assert isinstance(read, Happened)
    assert (read.content, read.events) == (Content.EMPTY, (NumberedEvent(1, ()),))


def test_one_event_that_names_something_is_enough_to_go_by_the_names() -> None:
    """What a server sends beside named events may be what they refer to, and no event itself."""
    events = {"number": 1}, {"number": 2, "focus": "Observation/o2"}
    ids_only = read_notification(bundle(status("event-notification", *events)))
    full = read_notification(
        bundle(status("event-notification", *events), {"resourceType": "Patient", "id": "p"})
    )
    assert isinstance(ids_only, Happened)
    assert isinstance(full, Happened)
    assert (ids_only.content, full.content) == (Content.ID_ONLY, Content.FULL_RESOURCE)
    named = (NumberedEvent(1, ()), NumberedEvent(2, (Focus("Observation", "o2"),)))
    assert ids_only.events == full.events == named


def test_resources_that_stand_for_events_leave_every_number_where_it_is() -> None:
    """A number that went missing here would be taken for an event that never came."""
    events = {"number": 4}, {"number": 5}
    observation = {"resourceType": "Observation", "id": "o9"}
    read = read_notification(bundle(status("event-notification", *events), observation))
    assert isinstance(read, Happened)
    assert [event.number for event in read.events] == [4, 5]


def test_r5_bundles_have_a_type_of_their_own() -> None:
    sent = bundle(status("heartbeat", so_far=3), kind="subscription-notification")
    assert read_notification(sent) == Sign(SignKind.HEARTBEAT, About("s1", TOPIC, "active", 3))


@pytest.mark.parametrize("count", [0, "0", 10**18 - 1, "9" * 18])
def test_a_count_is_a_number_or_the_text_of_one(count: Any) -> None:
    """R5 writes an integer64 as a text; the largest that is read still fits our database."""
    read = read_notification(bundle(status("heartbeat", so_far=count)))
    assert read == Sign(SignKind.HEARTBEAT, About("s1", TOPIC, "active", int(count)))


@pytest.mark.parametrize(
    "count", ["many", "-1", -1, True, 1.5, None, "", 10**18, "1" + "0" * 18, "7x"]
)
def test_a_count_that_is_none_was_not_said(count: Any) -> None:
    read = read_notification(bundle(status("heartbeat", so_far=count)))
    assert read == Sign(SignKind.HEARTBEAT, About("s1", TOPIC, "active", NotSaid()))


def test_a_resource_sent_along_makes_it_full_and_names_what_the_status_does_not() -> None:
    observation = {"resourceType": "Observation", "id": "o9"}
    named = bundle(status("event-notification", {"number": 4}), observation)
    read = read_notification(named)
    assert isinstance(read, Happened)
    assert read.content is Content.FULL_RESOURCE
    assert read.events == (NumberedEvent(4, (Focus("Observation", "o9"),)),)


@pytest.mark.parametrize("state", ["error", "off"])
def test_t90_a_failed_subscription_is_trouble_whatever_the_type_says(state: str) -> None:
    read = read_notification(bundle(parameters("heartbeat", status=state)))
    assert isinstance(read, Sign)
    assert read.kind is SignKind.TROUBLE
    assert read.about.state == state


@pytest.mark.parametrize(
    ("reference", "subscription"),
    [
        (f"{BASE}/Subscription/s1/_history/2", "s1"),
        ("s1", "s1"),
        ("urn:uuid:7f3d5a52-0a3c-4f7e-9f5b-6a1f0f2c9b11", ""),
        ("Observation/s1", ""),
        ("../s1", ""),
    ],
)
def test_a_subscription_is_named_by_its_reference_or_its_bare_id(
    reference: str, subscription: str
) -> None:
    sent = status("heartbeat") | {"subscription": {"reference": reference}}
    read = read_notification(bundle(sent))
    assert isinstance(read, Sign)
    assert read.kind is SignKind.HEARTBEAT
    assert read.about.subscription == subscription


@BOTH
def test_t90_an_error_is_trouble_while_the_state_is_still_active(dialect: Any) -> None:
    sent = dialect("heartbeat")
    coded = {"coding": [{"code": "unreachable"}]}
    if "parameter" in sent:
        sent["parameter"].append({"name": "error", "valueCodeableConcept": coded})
    else:
        sent["error"] = [coded]
    assert read_notification(bundle(sent)) == Sign(
        SignKind.TROUBLE, About("s1", TOPIC, "active", 0)
    )


@BOTH
def test_t90_a_notification_that_calls_itself_an_error_is_trouble(dialect: Any) -> None:
    """FHIR has no such type; an alarm must not be lost because its sender took it for one."""
    assert read_notification(bundle(dialect("error"))) == Sign(
        SignKind.TROUBLE, About("s1", TOPIC, "active", 0)
    )


@pytest.mark.parametrize("state", ["requested", "active", "entered-in-error", "paused"])
def test_a_state_is_a_code_of_fhir_or_was_not_said(state: str) -> None:
    read = read_notification(bundle(parameters("heartbeat", status=state)))
    assert isinstance(read, Sign)
    assert read.kind is SignKind.HEARTBEAT
    assert read.about.state == ("" if state == "paused" else state)


@pytest.mark.parametrize(
    "sent",
    [
        {"id": "o1"},
        {"resourceType": "Observation"},
        {"resourceType": "Observation", "id": "../secret"},
        bundle(parameters("heartbeat"), kind="collection"),
        {**bundle(parameters("heartbeat")), "type": {"text": "history"}},
        bundle(),
        bundle({"resourceType": "Observation", "id": "o1"}),
        bundle(parameters("birthday")),
    ],
)
def test_what_is_no_notification_is_refused(sent: Any) -> None:
    with pytest.raises(BadRequest):
        read_notification(sent)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "type", "entry", "resource", "parameter", "name", "part", "id"]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["Bundle", "history", "Parameters", "SubscriptionStatus"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=12), JSON, max_size=4), JSON)
def test_any_json_is_read_or_refused(members: dict[str, Any], first: Any) -> None:
    refusals = []
    of_any_type = {**bundle(members), "type": first}
    for sent in (members, bundle(first), bundle(members), of_any_type):
        try:
            read_notification(sent)
        except BadRequest as refused:
            refusals.append(refused.text)
    assert all(refusals)


@pytest.mark.parametrize("kind", ["event-notification", "query-event"])
@pytest.mark.parametrize("state", ["active", "error", "off"])
def test_t90_events_are_told_whatever_is_wrong_with_their_subscription(
    kind: str, state: str
) -> None:
    sent = status(kind, {"number": 4, "focus": "Observation/o1"}) | {"status": state}
    sent["error"] = [{"coding": [{"code": "unreachable"}]}]
    read = read_notification(bundle(sent))
    assert isinstance(read, Happened)
    assert read.about.state == state
    assert read.events == (NumberedEvent(4, (Focus("Observation", "o1"),)),)


@pytest.mark.parametrize("kind", ["event-notification", "query-event"])
def test_t90_a_failure_that_lists_no_event_is_trouble(kind: str) -> None:
    read = read_notification(bundle(status(kind) | {"status": "error"}))
    assert isinstance(read, Sign)
    assert read.kind is SignKind.TROUBLE
