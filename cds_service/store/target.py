"""Ids of results that wait to be fetched: needed in clear by the worker, so kept encrypted.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D) under a key derived from the data key.
Source and item are authenticated with it, so an id cannot be moved to another row.
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
    """An id that was sealed with another data key, or for another row."""


class TargetCipher:
    """Seals ids with one data key; `key_id` says which."""

    def __init__(self, key: DataKey) -> None:
        self.key_id = key.id()
        self._cipher = AESGCM(key.subkey("event-targets"))

    def seal(self, identifier: str, *, bound_to: str) -> bytes:
        """Nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, identifier.encode(), bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> str | SealedOtherwise:
        """The id in clear."""
        nonce, data = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, data, bound_to.encode()).decode()
        except InvalidTag:
            return SealedOtherwise()
