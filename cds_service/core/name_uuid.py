"""UUIDs made from names (RFC 9562, section 5.5), as `uuid.uuid5` makes them and str writes them.

Of many names that begin alike the beginning is hashed once, and no UUID object stands between.
"""

from __future__ import annotations

from hashlib import sha1

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The hexadecimal digit that carries the two variant bits, by the digit hashed in its place."""


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
        digits = hashed.hexdigest()
        return (
            f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}"
            f"-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
        )
