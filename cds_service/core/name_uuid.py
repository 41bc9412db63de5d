"""UUIDs made from names (RFC 9562, section 5.5): the same text as `str(uuid.uuid5(...))`, faster.

The beginning that many names share is hashed once, and no UUID object is made.
"""

from __future__ import annotations

from hashlib import sha1
from operator import itemgetter

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit of the hash where the variant stands -> the digit with the two variant bits set."""
_PARTS = itemgetter(
    slice(0, 8), slice(8, 12), slice(13, 16), slice(16, 17), slice(17, 20), slice(20, 32)
)
"""The digits of the hash, as they are grouped in the UUID; the version replaces digit 12."""


class Names:
    """The names that begin with `beginning` in one namespace, which is a UUID itself."""

    __slots__ = ("_hash",)

    def __init__(self, namespace: str, beginning: str = "") -> None:
        hashed = sha1(bytes.fromhex(namespace.replace("-", "")), usedforsecurity=False)
        hashed.update(beginning.encode())
        self._hash = hashed

    def uuid(self, ending: str = "") -> str:
        """The UUID of the name made of the beginning and `ending`."""
        hashed = self._hash.copy()
        hashed.update(ending.encode())
        low, middle, high, variant, clock, node = _PARTS(hashed.hexdigest())
        return f"{low}-{middle}-5{high}-{_VARIANT[variant]}{clock}-{node}"
