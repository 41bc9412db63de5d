"""Comments of clinicians, which may say anything of a patient: kept only encrypted.

AES-256-GCM with a random nonce of 96 bits for each comment (NIST SP 800-38D) under a key derived
from the data key. The identity of the feedback is authenticated with it, so a comment cannot be
moved to another row. The id of the data key stands beside it: after a change of the key, former
keys still open what they sealed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cds_service.errors import ConfigurationError
from cds_service.store.pseudonym import DataKey

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted comment: the id of its data key, and nonce, ciphertext and tag in a row."""

    key_id: str = ""
    data: bytes = b""


NO_COMMENT = Sealed()


class CommentCipher:
    """Seals comments with the present data key and opens those of the former ones."""

    def __init__(self, key: DataKey, former: tuple[DataKey, ...] = ()) -> None:
        self._key_id = key.id()
        self._ciphers = {each.id(): AESGCM(each.subkey("comments")) for each in (*former, key)}

    def seal(self, comment: str, *, bound_to: str) -> Sealed:
        """The comment encrypted and bound to its feedback; no comment stays none."""
        if not comment:
            return NO_COMMENT
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = comment.encode("utf-8", "surrogatepass")
        cipher = self._ciphers[self._key_id]
        return Sealed(self._key_id, nonce + cipher.encrypt(nonce, plain, bound_to.encode()))

    def open(self, sealed: Sealed, *, bound_to: str) -> str:
        """The comment in clear. Raises ConfigurationError when no key given here opens it."""
        if sealed == NO_COMMENT:
            return ""
        nonce, data = sealed.data[:_NONCE_BYTES], sealed.data[_NONCE_BYTES:]
        try:
            plain = self._ciphers[sealed.key_id].decrypt(nonce, data, bound_to.encode())
        except (KeyError, InvalidTag):
            raise ConfigurationError(
                "A stored comment cannot be opened with the data keys given.",
                where="CDS_DATA_KEY",
                remedy=f"It was sealed with key {sealed.key_id}: give that key with --former-key.",
            ) from None
        return plain.decode("utf-8", "surrogatepass")
