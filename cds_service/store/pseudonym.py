"""The data key, and the pseudonyms under which patients and resources are stored.

One secret of 32 bytes (`CDS_DATA_KEY`) is never used itself: HKDF (RFC 5869) derives one key for
each purpose from it, so that what is learnt of one says nothing of another. A pseudonym is an HMAC
(RFC 2104, SHA-256) of client, kind and id: the same patient has the same pseudonym at one client,
an unrelated one at the next, and without the key an id can be neither read nor tried out.

Changing the data key begins new pseudonyms: what was stored before is no longer found by id.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cds_service.config import DATA_KEY_BYTES, looks_random
from cds_service.errors import ConfigurationError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_REMEDY = "Give base64 of 32 random bytes, for example from `openssl rand -base64 32`."


@dataclass(frozen=True, slots=True)
class DataKey:
    """The secret that pseudonyms and encryption come from: 32 bytes that are never shown."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not looks_random(self.secret):
            raise ConfigurationError(
                "The data key is not 32 random bytes.", where="CDS_DATA_KEY", remedy=_REMEDY
            )

    @classmethod
    def random(cls) -> DataKey:
        """A new key from the random source of the operating system."""
        return cls(secrets.token_bytes(DATA_KEY_BYTES))

    @classmethod
    def from_base64(cls, text: str, *, where: str = "CDS_DATA_KEY") -> DataKey:
        """The key written as base64 (RFC 4648, section 4), as `CDS_DATA_KEY` holds it.

        Raises ConfigurationError, which never repeats the text, when it is anything else.
        """
        try:
            return cls(base64.b64decode(text.strip().encode("ascii"), validate=True))
        except (ValueError, ConfigurationError):
            raise ConfigurationError(
                "The data key is not base64 of 32 random bytes.", where=where, remedy=_REMEDY
            ) from None

    def base64(self) -> str:
        """The key as `CDS_DATA_KEY` holds it."""
        return base64.b64encode(self.secret).decode("ascii")

    def subkey(self, purpose: str) -> bytes:
        """The 32-byte key for one purpose (HKDF-SHA-256, the purpose as `info`)."""
        info = b"sil2r-cds/" + purpose.encode()
        return HKDF(algorithm=SHA256(), length=DATA_KEY_BYTES, salt=None, info=info).derive(
            self.secret
        )

    def id(self) -> str:
        """A public name of this key (8 hexadecimal digits), stored beside what it encrypted."""
        return self.subkey("key-id")[:4].hex()


class Pseudonymiser:
    """Makes pseudonyms: 32 characters of lower-case base32, 160 bits of an HMAC-SHA-256.

    `id_secret` goes into what the ids of cards and evaluations are made from, and nowhere else.
    They are hashes of the patient's id and the card's text. Without the secret whoever has the
    records could guess both and try them out, and so undo the pseudonyms beside them.
    """

    def __init__(self, key: DataKey) -> None:
        self.id_secret = key.subkey("ids").hex()
        # The key is taken in once, which is half of an HMAC; each pseudonym goes on with a copy.
        self._begun = hmac.new(key.subkey("pseudonym"), digestmod="sha256")

    def of(self, client: str, kind: str, identifier: str) -> str:
        """The pseudonym of one id at one client; an empty id (none was given) stays empty.

        `client` is the registered client, with its tenant where it has one. `kind` is what is
        named, usually a FHIR resource type: `of("north", "Patient", "123")`.
        """
        if not identifier:
            return ""
        mac = self._begun.copy()
        mac.update(_framed(client) + _framed(kind) + _framed(identifier))
        return base64.b32encode(mac.digest()[:20]).decode("ascii").lower()

    def of_reference(self, client: str, reference: str) -> str:
        """The pseudonym of `Observation/123`, kept readable in its type: `Observation/abc…`."""
        kind, slash, identifier = reference.rpartition("/")
        kind = kind.rpartition("/")[2]
        return f"{kind}{slash}{self.of(client, kind, identifier)}"

    def unless_uuid(self, client: str, kind: str, identifier: str) -> str:
        """A UUID as it is, in lower case; any other text, which may say anything, as pseudonym."""
        if _UUID.fullmatch(identifier):
            return identifier.lower()
        return self.of(client, kind, identifier)


def _framed(part: str) -> bytes:
    """The part with its length before it: so no two lists of parts are the same message."""
    data = part.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(8) + data


def load_or_create_key(path: Path) -> DataKey:
    """The data key kept in a file, made on first use: for sandbox mode.

    The file is for its owner only (0600). It appears whole or not at all, so two processes that
    start at once agree on one key. Raises ConfigurationError when it can be neither read nor made,
    or does not hold a key.
    """
    try:
        if not path.exists():
            _create(path)
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "The data key file can be neither read nor made.",
            where=str(path),
            remedy="Name a writable place for the database, or set CDS_DATA_KEY.",
            cause=type(error).__name__,
        ) from None
    return DataKey.from_base64(text, where=str(path))


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(DataKey.random().base64() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces: whoever links first has made the key, the others read it.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
