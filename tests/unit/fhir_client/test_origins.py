"""T-41, T-42, T-44: which addresses are read, as what, and which of them may be called."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.origins import (
    AllowList,
    FhirBase,
    Inside,
    LoopbackRule,
    Outside,
    PlainHttp,
    Unregistered,
    Url,
    UrlRefusedError,
    allows,
)

EHR = FhirBase.parse("https://ehr.example.org/fhir")
REGISTERED = AllowList.of([EHR])
SANDBOX = AllowList.of([], LoopbackRule.ALLOWED)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("https://ehr.example.org/fhir", "https://ehr.example.org/fhir"),
        ("HTTPS://EHR.Example.ORG/fhir", "https://ehr.example.org/fhir"),
        ("https://ehr.example.org./fhir", "https://ehr.example.org/fhir"),
        ("https://ehr.example.org:443/fhir", "https://ehr.example.org/fhir"),
        ("https://ehr.example.org/fhir/", "https://ehr.example.org/fhir"),
        ("https://ehr.example.org", "https://ehr.example.org"),
        ("https://ehr.example.org/", "https://ehr.example.org"),
        ("https://ehr.example.org:8443/R4/tenant-1", "https://ehr.example.org:8443/R4/tenant-1"),
        ("https://bücher.example/fhir", "https://xn--bcher-kva.example/fhir"),
        ("https://[2001:DB8:0::1]/fhir", "https://[2001:db8::1]/fhir"),
        ("https://10.1.2.3/fhir", "https://10.1.2.3/fhir"),
    ],
)
def test_spellings_of_one_base_are_one_base(written: str, canonical: str) -> None:
    base = FhirBase.parse(written)
    assert str(base) == canonical
    assert base == FhirBase.parse(canonical)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ehr.example.org/fhir",
        "//ehr.example.org/fhir",
        "ftp://ehr.example.org/fhir",
        "file:///etc/passwd",
        "https:///fhir",
        "https://user@ehr.example.org/fhir",
        "https://ehr.example.org@evil.example/fhir",
        "https://ehr.example.org/fhir#x",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir?",
        "https://ehr.example.org\\@evil.example/fhir",
        "https://ehr.example.org/fhir\\..\\x",
        "https://ehr.example.org/fhir/../admin",
        "https://ehr.example.org/./fhir",
        "https://ehr.example.org//fhir",
        "https://ehr.example.org/fhir//",
        "https://ehr.example.org/%66hir",
        "https://ehr.example.org/fhir/%2e%2e/admin",
        "https://ehr.example.org/fhir%2Fadmin",
        "https://ehr.example.org/fhir;v=1",
        "https://%65hr.example.org/fhir",
        "https://ehr.example.org:0/fhir",
        "https://ehr.example.org:65536/fhir",
        "https://ehr.example.org:/fhir",
        "https://ehr.example.org:44\uff13/fhir",
        "https://ehr_.example.org/fhir",
        "https://-ehr.example.org/fhir",
        "https://ehr..example.org/fhir",
        "https://ehr.example.org../fhir",
        "https://ehr.example.org /fhir",
        " https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir\n",
        "https://ehr.example.org/f\tir",
        "https://ehr.example.org/\x00fhir",
        f"https://{'a' * 64}.example.org/fhir",
        f"https://{'.'.join(['a' * 63] * 3)}.{'a' * 62}/fhir",
    ],
)
def test_what_cannot_be_read_without_doubt_is_no_base(written: str) -> None:
    with pytest.raises(UrlRefusedError):
        FhirBase.parse(written)


def test_a_host_name_is_as_long_as_names_may_be() -> None:
    host = f"{'.'.join(['a' * 63] * 3)}.{'a' * 61}"
    assert Url.parse(f"https://{host}/fhir").host == host


@pytest.mark.parametrize("query", ["a=b c", "a=\tb", "a=\x7f", "a=\u00e9", "\u00e9", "a#b", "a\\b"])
def test_what_a_query_must_encode_is_refused(query: str) -> None:
    with pytest.raises(UrlRefusedError):
        Url.parse(f"https://ehr.example.org/fhir?{query}")


@pytest.mark.parametrize(
    "host",
    [
        "0x7f000001",
        "0x7f.0.0.1",
        "2130706433",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.1.5",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
        "127\u30020\u30020\u30021",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[fe80::1%25eth0]",
        "[127.0.0.1]",
        "[::1",
        "::1",
    ],
)
def test_t42_unusual_spellings_of_an_ip_address_are_refused(host: str) -> None:
    with pytest.raises(UrlRefusedError):
        FhirBase.parse(f"http://{host}/fhir", PlainHttp.ALLOWED)


@pytest.mark.parametrize(
    "claimed",
    [
        "http://127.0.0.1/fhir",
        "https://127.0.0.1/fhir",
        "https://[::1]/fhir",
        "https://[64:ff9b::7f00:1]/fhir",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/fhir",
        "https://localhost./fhir",
        "https://ehr.example.org:8443/fhir",
        "http://ehr.example.org/fhir",
        "http://ehr.example.org:443/fhir",
        "https://ehr.example.org.evil.example/fhir",
        "https://\u0435hr.example.org/fhir",  # a Cyrillic letter that looks Latin
        "https://ehr.example.org/fhir2",
        "https://ehr.example.org/FHIR",
        "https://ehr.example.org/fhir/tenant-b",
        "https://ehr.example.org",
        "not an address",
    ],
)
def test_t40_t42_t44_a06_what_is_not_registered_is_not_found(claimed: str) -> None:
    assert REGISTERED.find(claimed) == Unregistered()


def test_a_registered_base_is_found_by_any_of_its_spellings() -> None:
    assert REGISTERED.find("https://EHR.example.org:443/fhir/") == EHR


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "[::1]:8090", "localhost:8090", "127.9.9.9"])
def test_a07_sandbox_mode_finds_servers_on_this_machine(host: str) -> None:
    assert SANDBOX.find(f"http://{host}/fhir") == FhirBase(Url.parse(f"http://{host}/fhir"))


@pytest.mark.parametrize(
    "host", ["ehr.example.org", "169.254.169.254", "10.0.0.1", "127.0.0.2.nip"]
)
def test_sandbox_mode_finds_no_other_server(host: str) -> None:
    assert SANDBOX.find(f"http://{host}/fhir") == Unregistered()


def test_t41_plain_http_is_refused_unless_it_is_for_this_machine_or_allowed() -> None:
    elsewhere, here = "http://ehr.example.org/fhir", "http://127.0.0.1:8090/fhir"
    for text, rule in [
        (elsewhere, PlainHttp.REFUSED),
        (here, PlainHttp.REFUSED),
        (elsewhere, PlainHttp.LOOPBACK),
    ]:
        with pytest.raises(UrlRefusedError):
            FhirBase.parse(text, rule)
    assert str(FhirBase.parse(here, PlainHttp.LOOPBACK)) == here
    assert str(FhirBase.parse(elsewhere, PlainHttp.ALLOWED)) == elsewhere


@pytest.mark.parametrize(
    ("link", "relative"),
    [
        ("https://ehr.example.org/fhir/Observation?page=2", "Observation?page=2"),
        ("https://ehr.example.org/fhir?_getpages=a-b-c&x=1", "?_getpages=a-b-c&x=1"),
        ("https://ehr.example.org/fhir/?page=2", "?page=2"),
        ("https://EHR.example.org.:443/fhir/Observation?page=2", "Observation?page=2"),
        ("https://ehr.example.org/fhir/a/b?x=%7Cy", "a/b?x=%7Cy"),
    ],
)
def test_a_link_under_the_base_is_what_follows_the_base(link: str, relative: str) -> None:
    assert EHR.relative(link) == Inside(relative)
    assert allows(EHR, EHR.join(relative))


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/fhir/Observation?page=2",
        "https://ehr.example.org:8443/fhir/Observation?page=2",
        "http://ehr.example.org/fhir/Observation?page=2",
        "https://ehr.example.org/fhir-2/Observation?page=2",
        "https://ehr.example.org/other?page=2",
        "https://ehr.example.org/fhir/../admin?page=2",
        "https://ehr.example.org/fhir/%2e%2e/admin?page=2",
        "https://ehr.example.org/fhir/Observation?page=2#x",
        "https://ehr.example.org/fhir/Observation?page=\\2",
        "https://ehr.example.org@evil.example/fhir/Observation",
        "Observation?page=2",
        "//evil.example/fhir/Observation?page=2",
        "/fhir/Observation?page=2",
        "javascript:alert(1)",
        "",
    ],
)
def test_t46_any_other_link_is_outside(link: str) -> None:
    assert EHR.relative(link) == Outside()
    assert not allows(EHR, link)


_labels = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
_hosts = st.lists(_labels, min_size=1, max_size=3).map(
    lambda labels: ".".join([*labels, "example"])
)
_paths = st.lists(
    st.text(string.ascii_letters + string.digits + "-_~$,", min_size=1, max_size=8), max_size=4
)


@given(host=_hosts, port=st.integers(1, 65535), path=_paths)
def test_t42_the_canonical_spelling_reads_back_as_itself(
    host: str, port: int, path: list[str]
) -> None:
    base = FhirBase.parse(f"https://{host}:{port}/{'/'.join(path)}")
    assert FhirBase.parse(str(base)) == base
    assert base.relative(base.join("Patient/1")) == Inside("Patient/1")


@given(st.text(max_size=60))
def test_t42_no_text_whatever_opens_a_way_past_the_registered_origin(tail: str) -> None:
    for text in (tail, f"https://{tail}", f"https://ehr.example.org{tail}", f"{EHR}{tail}"):
        if allows(EHR, text):
            url = Url.parse(text)
            assert (url.scheme, url.host, url.port) == ("https", "ehr.example.org", 443)
            assert url.path == "/fhir" or url.path.startswith("/fhir/")
            assert ".." not in url.path.split("/")


@given(st.text(max_size=60))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        url = Url.parse(f"https://{text}")
    except UrlRefusedError:
        return
    assert Url.parse(str(url)) == url
