"""Which FHIR server may be called: base addresses in one canonical spelling, compared exactly.

`fhirServer` and the `next` links of a Bundle are claims of the caller or of the server called.
Everything requested is written as *registered base + relative part*, so nothing outside a
registered base can be asked for at all. What cannot be read without doubt (user information,
fragments, backslashes, percent signs in a path, odd spellings of an IP address) is refused, not
repaired.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Self

import idna

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#\\@%\s]+)(?P<path>/[^?#]*)?(?:\?(?P<query>.*))?",
    re.IGNORECASE,
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SEGMENT = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,=:@]+")
_QUERY = re.compile(r"[!-~]*")
_DEFAULT_PORT = {"https": 443, "http": 80}


class UrlRefusedError(ValueError):
    """The address cannot be read without doubt, or not be used here. The text holds no address."""


class PlainHttp(StrEnum):
    """Where `http` without TLS may be used."""

    REFUSED = "refused"
    LOOPBACK = "loopback"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Url:
    """An http(s) address in canonical spelling (RFC 3986, section 6), without a fragment."""

    scheme: str
    host: str
    port: int
    path: str = ""
    """Empty, or `/` and segments, without a slash at the end."""
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an absolute address. Raises UrlRefusedError."""
        found = _URL.fullmatch(text)
        if found is None:
            raise UrlRefusedError("not a plain http(s) address")
        scheme = found["scheme"].lower()
        authority = _AUTHORITY.fullmatch(found["authority"])
        if authority is None:
            raise UrlRefusedError("the host cannot be read")
        port = int(authority["port"] or _DEFAULT_PORT[scheme])
        if not 0 < port < 65536:
            raise UrlRefusedError("there is no such port")
        query = found["query"] or ""
        if "#" in query or "\\" in query or _QUERY.fullmatch(query) is None:
            raise UrlRefusedError("the query holds what must be encoded")
        return cls(scheme, _host(authority["host"]), port, _path(found["path"] or ""), query)

    @property
    def origin(self) -> str:
        """Scheme, host and port, the port only where it is not the default one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORT[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host names this very machine, without asking any name server."""
        if self.host == "localhost":
            return True
        literal = literal_address(self.host)
        return not isinstance(literal, NotLiteral) and literal.is_loopback

    def __str__(self) -> str:
        return f"{self.origin}{self.path}" + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class NotLiteral:
    """The host is a name, not an IP address."""


def literal_address(host: str) -> IPv4Address | IPv6Address | NotLiteral:
    """The IP address that a canonical host spells out."""
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return NotLiteral()


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    host = text.removesuffix(".").lower()
    if not host.isascii():
        host = _a_labels(host)
    elif not isinstance(literal_address(host), NotLiteral):
        return host
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlRefusedError("the host is not a host name")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):  # 2130706433, 0x7f.1, 127.1: resolvers read these
        raise UrlRefusedError("the host is an IP address in an unusual spelling")
    return host


def _a_labels(host: str) -> str:
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise UrlRefusedError("the host is not an internationalised host name") from error


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError as error:
        raise UrlRefusedError("the host is not an IPv6 address") from error
    if address.ipv4_mapped is not None:
        raise UrlRefusedError("the host is an IPv4 address written as an IPv6 one")
    return address.compressed


def _path(text: str) -> str:
    path = text.removesuffix("/")
    if not path:
        return ""
    for segment in path.split("/")[1:]:
        if segment in {".", ".."} or _SEGMENT.fullmatch(segment) is None:
            raise UrlRefusedError("the path holds dot or empty segments, or codes")
    return path


@dataclass(frozen=True, slots=True)
class Inside:
    """An address under a base, as the part that follows the base: `Patient/1`, or `?page=2`."""

    relative: str


@dataclass(frozen=True, slots=True)
class Outside:
    """An address that is not under the base, or cannot be read without doubt."""


@dataclass(frozen=True, slots=True)
class FhirBase:
    """The base address of a FHIR server, `[base]` in https://hl7.org/fhir/R4/http.html#root."""

    url: Url

    @classmethod
    def parse(cls, text: str, plain_http: PlainHttp = PlainHttp.REFUSED) -> Self:
        """Read a base address. Raises UrlRefusedError."""
        url = Url.parse(text)
        if "?" in text:
            raise UrlRefusedError("the base address has a query")
        if url.scheme == "http":
            match plain_http:
                case PlainHttp.REFUSED:
                    raise UrlRefusedError("the base address is not https")
                case PlainHttp.LOOPBACK if not url.is_loopback:
                    raise UrlRefusedError("http is for this machine only; write https")
                case PlainHttp.LOOPBACK | PlainHttp.ALLOWED:
                    pass
        return cls(url)

    def join(self, relative: str) -> str:
        """The address of something under this base; `relative` is as in `Inside`.

        Slashes in the query are encoded (RFC 3986, section 2.1): the SMART App Launcher, as other
        proxies, makes one slash of two wherever they stand, `http://loinc.org` is another system
        then, and a search by it finds nothing.
        """
        path, mark, query = relative.partition("?")
        return f"{self}/{path}".removesuffix("/") + mark + query.replace("/", "%2F")

    def relative(self, text: str) -> Inside | Outside:
        """What follows this base in an absolute address: same origin and under the same path."""
        try:
            url = Url.parse(text)
        except UrlRefusedError:
            return Outside()
        base, query = self.url, f"?{url.query}" if url.query else ""
        if url.origin != base.origin:
            return Outside()
        if url.path == base.path:
            return Inside(query)
        if url.path.startswith(f"{base.path}/"):
            return Inside(url.path[len(base.path) + 1 :] + query)
        return Outside()

    def __str__(self) -> str:
        return str(self.url)


def allows(base: FhirBase, text: str) -> bool:
    """Whether an absolute address has the origin of the base and lies under its path."""
    return isinstance(base.relative(text), Inside)


class LoopbackRule(StrEnum):
    """Whether servers on this machine may be called without being registered (sandbox mode)."""

    REFUSED = "refused"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Unregistered:
    """No such base is registered: nothing is called."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """The FHIR servers that may be called for one caller, by their whole base address."""

    bases: frozenset[FhirBase]
    loopback: LoopbackRule = LoopbackRule.REFUSED

    @classmethod
    def of(cls, bases: Iterable[FhirBase], loopback: LoopbackRule = LoopbackRule.REFUSED) -> Self:
        """The allow list of these bases."""
        return cls(frozenset(bases), loopback)

    def find(self, text: str) -> FhirBase | Unregistered:
        """The base that an address as received (`fhirServer`) names."""
        try:
            base = FhirBase.parse(text, PlainHttp.ALLOWED)  # membership decides, not the scheme
        except UrlRefusedError:
            return Unregistered()
        return base if self.has(base) else Unregistered()

    def has(self, base: FhirBase) -> bool:
        """Whether this base may be called."""
        on_this_machine = self.loopback is LoopbackRule.ALLOWED and base.url.is_loopback
        return base in self.bases or on_this_machine
