"""T-49: when a token is used, for what, and that nobody gets to see it."""

from __future__ import annotations

import copy
import pickle
import string
import traceback

import pytest

from cds_service.fhir.calls.authorization import (
    AccessToken,
    Action,
    Coverage,
    TokenFlaw,
    Unusable,
    Usable,
    scope_covers,
    usable,
)

SECRET = "canary-7f3a.b_c~d+e/f=="
GIVEN = {
    "access_token": SECRET,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/Observation.read",
    "subject": "cds-service",
}


def test_a_sound_authorization_gives_the_token_and_its_scope() -> None:
    judged = usable({**GIVEN, "patient": "1288992"}, "1288992")
    assert isinstance(judged, Usable)
    assert judged.token.header() == f"Bearer {SECRET}"
    assert judged.scope == "patient/Observation.read"


@pytest.mark.parametrize(
    "secret", [string.ascii_letters + string.digits + "-._~+/==", "a", "a" * 8192]
)
def test_a_token_of_every_allowed_character_is_used_as_it_is(secret: str) -> None:
    """RFC 6750, section 2.1."""
    judged = usable({**GIVEN, "access_token": secret, "expires_in": 1}, "1")
    assert isinstance(judged, Usable)
    assert judged.token.header() == f"Bearer {secret}"


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_the_token_type_is_read_without_regard_to_case(token_type: str) -> None:
    judged = usable({**GIVEN, "token_type": token_type}, "1")
    assert isinstance(judged, Usable)
    assert judged.token.header() == f"Bearer {GIVEN['access_token']}"


def test_the_patient_of_the_token_may_be_written_as_a_reference() -> None:
    assert isinstance(usable({**GIVEN, "patient": "Patient/1"}, "1"), Usable)


def test_a_patient_that_is_null_counts_as_absent_as_anywhere_in_a_request() -> None:
    """Many writers of JSON say `null` for a token that is bound to no patient."""
    judged = usable({**GIVEN, "patient": None, "scope": "user/Observation.read"}, "1")
    assert isinstance(judged, Usable)


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"access_token": ""}, TokenFlaw.TOKEN_ABSENT),
        ({"access_token": None}, TokenFlaw.TOKEN_ABSENT),
        ({"access_token": 7}, TokenFlaw.TOKEN_ABSENT),
        ({"access_token": "two words"}, TokenFlaw.TOKEN_MALFORMED),
        ({"access_token": "a\r\nX-Injected: 1"}, TokenFlaw.TOKEN_MALFORMED),
        ({"access_token": "tökén"}, TokenFlaw.TOKEN_MALFORMED),
        ({"access_token": "a" * 8193}, TokenFlaw.TOKEN_MALFORMED),
        ({"token_type": "MAC"}, TokenFlaw.NOT_BEARER),
        ({"token_type": None}, TokenFlaw.NOT_BEARER),
        ({"expires_in": 0}, TokenFlaw.EXPIRED),
        ({"expires_in": -1}, TokenFlaw.EXPIRED),
        ({"expires_in": "300"}, TokenFlaw.EXPIRY_ABSENT),
        ({"expires_in": True}, TokenFlaw.EXPIRY_ABSENT),
        ({"expires_in": None}, TokenFlaw.EXPIRY_ABSENT),
        ({"patient": "2"}, TokenFlaw.ANOTHER_PATIENT),
        ({"patient": ""}, TokenFlaw.ANOTHER_PATIENT),
        ({"patient": ["1"]}, TokenFlaw.ANOTHER_PATIENT),
        ({"scope": ""}, TokenFlaw.SCOPE_ABSENT),
        ({"scope": " \t"}, TokenFlaw.SCOPE_ABSENT),
        ({"scope": ["patient/*.read"]}, TokenFlaw.SCOPE_ABSENT),
        ({"scope": "patient/*.read " * 2_185}, TokenFlaw.SCOPE_TOO_LONG),
    ],
)
def test_t49_a_flawed_authorization_is_not_used(change: dict[str, object], flaw: TokenFlaw) -> None:
    assert usable({**GIVEN, **change}, "1") == Unusable(flaw)


COVERED = [
    "patient/Observation.read",
    "user/Observation.read",
    "system/Observation.read",
    "patient/*.read",
    "patient/*.*",
    "user/Observation.*",
    "patient/Observation.rs",
    "patient/Observation.cruds",
    "user/*.cruds",
    "launch openid patient/Patient.read patient/Observation.rs",
]


@pytest.mark.parametrize("scope", COVERED)
@pytest.mark.parametrize("action", Action)
def test_both_scope_syntaxes_are_understood(scope: str, action: Action) -> None:
    assert scope_covers(scope, "Observation", action) is Coverage.YES


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "launch openid profile online_access",
        "patient/Observation.write",
        "patient/Observation.cud",
        "patient/Patient.read",
        "patient/Patient.rs",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.sr",
        "patient/Observation.reads",
        "patient/Observation.READ",
        "patient/Observation.read,patient/Patient.read",
        "patient/Observation.rs#all",
        "patient/Observation:read",
        "other/Observation.read",
        "xpatient/Observation.read",
        "patient/ObservationX.read",
        "patient/observation.read",
        "Observation.read",
    ],
)
def test_t49_what_does_not_name_the_type_and_the_action_does_not_cover_it(scope: str) -> None:
    assert scope_covers(scope, "Observation", Action.SEARCH) is Coverage.NO


def test_read_and_search_are_two_things_in_smart_2() -> None:
    assert scope_covers("patient/Patient.r", "Patient", Action.READ) is Coverage.YES
    assert scope_covers("patient/Patient.r", "Patient", Action.SEARCH) is Coverage.NO
    assert scope_covers("patient/Patient.s", "Patient", Action.READ) is Coverage.NO
    assert scope_covers("patient/Patient.s", "Patient", Action.SEARCH) is Coverage.YES


def test_a_scope_with_a_query_covers_only_a_part_unless_another_covers_all() -> None:
    part = "patient/Observation.rs?category=laboratory"
    assert scope_covers(part, "Observation", Action.SEARCH) is Coverage.RESTRICTED
    whole = f"{part} patient/Observation.rs"
    assert scope_covers(whole, "Observation", Action.SEARCH) is Coverage.YES


def test_t30_a_token_shows_itself_in_no_text() -> None:
    token = AccessToken(SECRET)
    judged = usable(GIVEN, "1")
    shown = "".join(traceback.format_exception(RuntimeError(token)))
    for text in (repr(token), str(token), f"{token}", f"{token!s:>40}", repr([judged]), shown):
        assert SECRET not in text


def test_a_token_is_neither_stored_nor_copied() -> None:
    for take_away in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not stored"):
            take_away(AccessToken(SECRET))
    with pytest.raises(TypeError):
        vars(AccessToken(SECRET))
