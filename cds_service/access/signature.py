"""The signature of a token (RFC 7515, section 5.2), over the text that came.

joserfc checks it against the header that we have read, so that the token is read in one way only.
"""

from __future__ import annotations

from typing import Final, get_args

from joserfc import jws
from joserfc.errors import JoseError

from cds_service.access.key_set import PublicKey
from cds_service.access.rows import Algorithm
from cds_service.core.json_object import JsonObject

_ONLY: Final = {
    name: jws.JWSRegistry(algorithms=[name], strict_check_header=False)
    for name in get_args(Algorithm)
}
"""For each algorithm the rules that allow no other."""


def is_signed(token: str, header: JsonObject, key: PublicKey) -> bool:
    """Whether this key made the signature with the header's `alg`, checked before to be allowed.

    `header` is the token's, already parsed. The form of its registered members is checked too (RFC
    7515, section 4.1); unknown members are ignored (section 4).
    """
    head, body, signature = token.encode("ascii").split(b".")
    signed = jws.CompactSignature(header, b"")  # the text of the body is signed, not what it says
    signed.segments.update({"header": head, "payload": body, "signature": signature})
    try:
        rules = _ONLY[header["alg"]]
        return jws.validate_compact(signed, key, registry=rules)
    except (JoseError, KeyError, ValueError, TypeError):
        return False
