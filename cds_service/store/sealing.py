"""Texts that have to be read again, and so are kept encrypted: ids of results, and comments.

AES-256-GCM with a random nonce of 96 bits for each text (NIST SP 800-38D) under a key derived from
the data key. What the text belongs to is authenticated with it, so it cannot be moved to another
row.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cds_service.store.pseudonym import DataKey

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class SealedOtherwise:
    """A text that was sealed with another data key, or for another row."""


class Cipher:
    """Seals texts for one purpose with one data key; `key_id` says which."""

    def __init__(self, key: DataKey, purpose: str) -> None:
        self.key_id = key.id()
        self._cipher = AESGCM(key.subkey(purpose))

    def seal(self, text: str, *, bound_to: str) -> bytes:
        """Nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = text.encode("utf-8", "surrogatepass")
        return nonce + self._cipher.encrypt(nonce, plain, bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> str | SealedOtherwise:
        """The text in clear."""
        nonce, data = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, data, bound_to.encode())
        except InvalidTag:
            return SealedOtherwise()
        return plain.decode("utf-8", "surrogatepass")
