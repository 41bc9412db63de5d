"""Pseudonyms: the same id gives the same one, and without the key nothing is learnt from it."""

from __future__ import annotations

import base64
import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import ConfigurationError
from cds_service.store.pseudonym import DataKey, Pseudonymiser, load_or_create_key
from tests.kept import KEY, PSEUDONYMS

texts = st.text(st.characters(), max_size=20)


def test_a_pseudonym_is_stable_over_releases() -> None:
    # What was stored years ago is found again only if this never changes.
    assert PSEUDONYMS.of("north", "Patient", "123") == "ewgbpfh2cecu7odg7zmvbdftbzpto27b"


def test_the_secret_of_ids_is_stable_over_releases() -> None:
    # Feedback is for a card that an earlier release has sent; an answer that it wrote is replaced.
    secret = "1e6cafae8a350b2944014a4e9f6ef3c7f18156c165682e819f4529dfc2702b27"
    assert PSEUDONYMS.id_secret == secret


@given(client=texts, kind=texts, id_=texts.filter(bool))
def test_a_pseudonym_is_the_beginning_of_an_hmac(client: str, kind: str, id_: str) -> None:
    """RFC 2104 over the three parts, each after its length in 8 bytes."""
    parts = [part.encode("utf-8", "surrogatepass") for part in (client, kind, id_)]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    mac = hmac.digest(KEY.subkey("pseudonym"), message, "sha256")
    expected = base64.b32encode(mac[:20]).decode().lower()
    assert PSEUDONYMS.of(client, kind, id_) == expected


@given(id_=texts)
def test_a_pseudonym_is_short_plain_text_without_the_id(id_: str) -> None:
    pseudonym = PSEUDONYMS.of("north", "Patient", "canary-" + id_)
    assert len(pseudonym) == 32
    assert set(pseudonym) <= set("abcdefghijklmnopqrstuvwxyz234567")


@given(
    one=st.tuples(texts, texts, texts.filter(bool)),
    other=st.tuples(texts, texts, texts.filter(bool)),
)
def test_two_pseudonyms_are_equal_only_for_the_same_client_kind_and_id(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (PSEUDONYMS.of(*one) == PSEUDONYMS.of(*other)) == (one == other)


def test_parts_do_not_run_into_each_other() -> None:
    assert PSEUDONYMS.of("a", "bc", "d") != PSEUDONYMS.of("ab", "c", "d")


def test_another_key_gives_another_pseudonym() -> None:
    other = Pseudonymiser(DataKey.random())
    assert other.of("north", "Patient", "123") != PSEUDONYMS.of("north", "Patient", "123")


def test_no_id_has_no_pseudonym() -> None:
    assert PSEUDONYMS.of("north", "Patient", "") == ""


@pytest.mark.parametrize(
    "reference", ["Observation/7", "https://fhir.example.org/r4/Observation/7"]
)
def test_the_pseudonym_of_a_reference_keeps_its_type_and_nothing_else(reference: str) -> None:
    observation = PSEUDONYMS.of("north", "Observation", "7")
    assert PSEUDONYMS.of_reference("north", reference) == f"Observation/{observation}"


def test_a_uuid_stays_as_it_is_and_any_other_text_does_not() -> None:
    uuid = "D1577C69-dfbe-44ad-ba6d-3e05e953b2ea"
    assert PSEUDONYMS.unless_uuid("north", "card", uuid) == uuid.lower()
    for text in ("Anna", uuid + "\n", f"urn:uuid:{uuid}", "d1577c69dfbe44adba6d3e05e953b2ea"):
        expected = PSEUDONYMS.of("north", "card", text)
        assert PSEUDONYMS.unless_uuid("north", "card", text) == expected


def test_a_key_reads_back_as_it_was_written() -> None:
    key = DataKey.random()
    assert DataKey.from_base64(key.base64() + "\n") == key


def test_a_key_shows_itself_to_nobody() -> None:
    assert KEY.base64() not in f"{KEY!r} {KEY}"
    assert repr(KEY.secret) not in repr(KEY)


def test_each_purpose_has_its_own_key() -> None:
    assert len({KEY.subkey("pseudonym"), KEY.subkey("comments"), KEY.secret}) == 3
    assert KEY.id() != DataKey.random().id()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary",
        base64.b64encode(b"canary" * 5).decode(),
        base64.b64encode(bytes(33)).decode(),
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b"canarycanarycanarycanarycanaryca").decode(),
        base64.b64encode(b"a canary that somebody has typed").decode(),
        base64.b64encode(bytes(range(16)) * 2).decode(),
        KEY.base64() + "!canary",
        "käy-canary",
    ],
    ids=[
        *("empty", "short", "30 bytes", "33 bytes", "zeros"),
        *("a word", "a sentence", "twice a half", "rubbish after", "not ASCII"),
    ],
)
def test_what_is_not_a_key_is_refused_with_a_remedy_and_never_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DataKey.from_base64(text)
    assert caught.value.where == "CDS_DATA_KEY"
    assert "openssl rand -base64 32" in caught.value.remedy
    assert not text or text not in caught.value.one_line()
    assert "canary" not in caught.value.one_line()


def test_a_key_file_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "var" / "data.key"
    key = load_or_create_key(file)
    assert load_or_create_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["data.key"], "no draft is left"


def test_all_who_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    starters = 8
    barrier = Barrier(starters)

    def start(_: int) -> DataKey:
        barrier.wait(timeout=10)
        return load_or_create_key(tmp_path / "data.key")

    for _ in range(20):
        with ThreadPoolExecutor(max_workers=starters) as threads:
            assert len({key.secret for key in threads.map(start, range(starters))}) == 1
        (tmp_path / "data.key").unlink()


@pytest.mark.parametrize("held", ["canary", base64.b64encode(b"canary!!" * 4).decode()])
def test_a_key_file_that_holds_no_key_is_named_and_left_alone(tmp_path: Path, held: str) -> None:
    file = tmp_path / "data.key"
    file.write_text(held)
    with pytest.raises(ConfigurationError) as caught:
        load_or_create_key(file)
    assert caught.value.where == str(file)
    assert held not in caught.value.one_line()
    assert file.read_text() == held


def test_a_place_where_no_key_file_can_be_made_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError) as caught:
        load_or_create_key(tmp_path / "file" / "data.key")
    assert "CDS_DATA_KEY" in caught.value.remedy
