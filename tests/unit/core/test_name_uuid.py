"""UUIDs of names are those of the standard library, of whatever parts a name is made."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from cds_service.core.name_uuid import Names

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.uuids(), NAMES, NAMES)
def test_the_uuid_of_a_name_is_that_of_the_standard_library(
    namespace: UUID, beginning: str, ending: str
) -> None:
    made = Names(str(namespace), beginning).uuid(ending)
    assert made == str(uuid5(namespace, beginning + ending))


def test_names_that_begin_alike_do_not_run_into_each_other() -> None:
    names = Names(str(NAMESPACE_URL), "urn:x")
    first = names.uuid("1")
    names.uuid("2")
    assert names.uuid("1") == first
    assert names.uuid() == str(uuid5(NAMESPACE_URL, "urn:x"))
