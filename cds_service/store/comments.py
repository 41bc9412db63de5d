"""Comments of clinicians, which may say anything of a patient: kept only encrypted.

A comment is bound to the identity of its feedback. The id of the data key stands beside it: after a
change of the key, former keys still open what they sealed.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.errors import ConfigurationError
from cds_service.store.pseudonym import DataKey
from cds_service.store.sealing import Cipher, SealedOtherwise


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted comment: the id of its data key, and what that key sealed."""

    key_id: str = ""
    data: bytes = b""


NO_COMMENT = Sealed()


class CommentCipher:
    """Seals comments with the present data key and opens those of the former ones."""

    def __init__(self, key: DataKey, former: tuple[DataKey, ...] = ()) -> None:
        *before, self._present = (Cipher(each, "comments") for each in (*former, key))
        self._ciphers = {each.key_id: each for each in (*before, self._present)}

    def seal(self, comment: str, *, bound_to: str) -> Sealed:
        """The comment encrypted and bound to its feedback; no comment stays none."""
        if not comment:
            return NO_COMMENT
        return Sealed(self._present.key_id, self._present.seal(comment, bound_to=bound_to))

    def open(self, sealed: Sealed, *, bound_to: str) -> str:
        """The comment in clear. Raises ConfigurationError when no key given here opens it."""
        if sealed == NO_COMMENT:
            return ""
        if cipher := self._ciphers.get(sealed.key_id):
            opened = cipher.open(sealed.data, bound_to=bound_to)
            if not isinstance(opened, SealedOtherwise):
                return opened
        raise ConfigurationError(
            "A stored comment cannot be opened with the data keys given.",
            where="CDS_DATA_KEY",
            remedy=f"It was sealed with key {sealed.key_id}: give that key with --former-key.",
        )
