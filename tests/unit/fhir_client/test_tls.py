"""TLS is always verified, against the registered name, whatever address is connected to."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.fhir.calls.addresses import Reach
from cds_service.fhir.calls.authorization import NoToken
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import Fetched, Refused, Resource, UpstreamFault
from cds_service.fhir.calls.network import Network
from cds_service.fhir.client import FhirClient
from cds_service.origins import AllowList, FhirBase
from tests import faults
from tests.documentation import text_of
from tests.fault_server import FaultServer
from tests.faults import reply_json
from tests.unit.fhir_client.conftest import SHORT_MS

NAME = "ehr.example.org"
PATIENT = {"resourceType": "Patient", "id": "1"}


@dataclass(frozen=True)
class Certificate:
    """A certificate for one name that nobody but its holder has signed."""

    file: Path

    @classmethod
    def for_name(cls, name: str, folder: Path) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return cls(file)

    def for_server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file)
        return context

    def for_client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.file)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate.for_name(NAME, tmp_path)


@pytest.fixture
def server(certificate: Certificate) -> Iterator[FaultServer]:
    with FaultServer(tls=certificate.for_server()) as running:
        running.on("/fhir/Patient/1", reply_json(PATIENT))
        yield running


def _read(
    server: FaultServer, trust: ssl.SSLContext, name: str = NAME, milliseconds: int = 20_000
) -> Fetched:
    base = FhirBase.parse(f"https://{name}:{server.port}/fhir")
    network = Network(Reach.ANYWHERE, lambda *_: ["127.0.0.1"], trust)
    client = FhirClient(AllowList.of([base]), network=network)
    try:
        with client.session(base, NoToken(), Deadline.after(milliseconds)) as session:
            return session.fetch("Patient/1")
    finally:
        client.close()


def test_the_certificate_is_held_against_the_name_and_not_the_address(
    server: FaultServer, certificate: Certificate
) -> None:
    assert _read(server, certificate.for_client()) == Resource(PATIENT)
    assert server.calls[0].headers["host"] == f"{NAME}:{server.port}"


def test_a_certificate_nobody_trusts_ends_the_call_before_anything_is_asked(
    server: FaultServer,
) -> None:
    assert _read(server, ssl.create_default_context()) == Refused(UpstreamFault.TLS)
    assert server.calls == []


def test_an_authority_that_the_environment_names_is_trusted_as_the_page_on_operations_says(
    server: FaultServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hospitals have authorities of their own, which no system knows by itself."""
    variable = "SSL_CERT_FILE"
    assert f"`{variable}=" in text_of("docs/operations.md")
    monkeypatch.setenv(variable, str(certificate.file))
    assert _read(server, Network().trust) == Resource(PATIENT)
    monkeypatch.delenv(variable)
    assert _read(server, Network().trust) == Refused(UpstreamFault.TLS)


def test_a_trusted_certificate_for_another_name_is_refused(
    server: FaultServer, certificate: Certificate
) -> None:
    trust = certificate.for_client()
    assert _read(server, trust, name="other.example.org") == Refused(UpstreamFault.TLS)
    assert server.calls == []


def test_t60_a_drip_inside_tls_ends_at_the_deadline(
    server: FaultServer, certificate: Certificate
) -> None:
    server.on("/fhir/Patient/1", faults.drip_body)
    fetched = _read(server, certificate.for_client(), milliseconds=SHORT_MS)
    assert fetched == Refused(UpstreamFault.TIMEOUT)
    assert server.bytes_sent < 1_000


def test_t60_a_server_silent_in_the_handshake_ends_at_the_deadline(
    certificate: Certificate,
) -> None:
    with FaultServer() as plain:  # it waits for the end of a request that never comes
        fetched = _read(plain, certificate.for_client(), milliseconds=SHORT_MS)
    assert fetched == Refused(UpstreamFault.TIMEOUT)
