"""Comments: sealed so that only the right key, for the right feedback, opens them (B-06)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import ConfigurationError
from cds_service.store.comments import NO_COMMENT, CommentCipher, Sealed
from cds_service.store.pseudonym import DataKey
from tests.kept import KEY

CIPHER = CommentCipher(KEY)


@given(comment=st.text(st.characters(), min_size=1), bound_to=st.text())
def test_a_comment_opens_as_it_was_sealed(comment: str, bound_to: str) -> None:
    assert CIPHER.open(CIPHER.seal(comment, bound_to=bound_to), bound_to=bound_to) == comment


def test_what_an_earlier_release_has_sealed_opens() -> None:
    data = bytes.fromhex(
        "d11ec4e49eb280aa45fe7032bad660536c17ab21b411bc993d2bfa9d8a41d57b9082f59026934e7f"
    )
    assert CIPHER.open(Sealed("8505a4d6", data), bound_to="item") == "said in 2026"


def test_the_same_comment_never_looks_the_same_twice() -> None:
    sealed = {CIPHER.seal("known already", bound_to="item").data for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"known" in data for data in sealed)


def test_no_comment_stays_none() -> None:
    assert CIPHER.seal("", bound_to="item") == NO_COMMENT
    assert CIPHER.open(NO_COMMENT, bound_to="item") == ""


@given(position=st.integers(0, 12 + 5 + 16 - 1), bit=st.integers(0, 7))
def test_a_comment_with_one_bit_changed_does_not_open(position: int, bit: int) -> None:
    sealed = CIPHER.seal("canny", bound_to="item")
    data = bytearray(sealed.data)
    data[position] ^= 1 << bit
    with pytest.raises(ConfigurationError):
        CIPHER.open(replace(sealed, data=bytes(data)), bound_to="item")


def test_a_comment_moved_to_other_feedback_does_not_open() -> None:
    with pytest.raises(ConfigurationError):
        CIPHER.open(CIPHER.seal("known already", bound_to="item"), bound_to="another")


def test_a_former_key_opens_and_an_unknown_one_is_named_by_its_id() -> None:
    sealed = CIPHER.seal("known already", bound_to="item")
    now = DataKey.random()
    assert CommentCipher(now, (KEY,)).open(sealed, bound_to="item") == "known already"
    with pytest.raises(ConfigurationError) as caught:
        CommentCipher(now).open(sealed, bound_to="item")
    assert KEY.id() in caught.value.remedy
    assert "known" not in caught.value.one_line()
