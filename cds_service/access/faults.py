"""Why a token is refused: codes for our log and metrics, sentences for the registry check.

The caller is never told: every refusal is the same 401 (CDS Hooks best practices; H-06).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class TokenFault(StrEnum):
    """The first check that a token failed. Codes are stable; they hold nothing of the token."""

    NO_TOKEN = "no-token"  # noqa: S105 - a code
    NOT_BEARER = "not-bearer"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    WRONG_TYPE = "wrong-type"
    NO_KID = "no-kid"
    HEADER_FORBIDDEN = "header-forbidden"
    WRONG_JKU = "wrong-jku"
    UNKNOWN_ISSUER = "unknown-issuer"
    WRONG_ALGORITHM = "wrong-algorithm"
    WRONG_AUDIENCE = "wrong-audience"
    NO_TIMES = "no-times"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    LIVES_TOO_LONG = "lives-too-long"
    NO_JTI = "no-jti"
    WRONG_TENANT = "wrong-tenant"
    UNKNOWN_KEY = "unknown-key"
    KEYS_UNAVAILABLE = "keys-unavailable"
    BAD_SIGNATURE = "bad-signature"
    REPLAYED = "replayed"


IN_WORDS: Final[dict[TokenFault, str]] = {
    TokenFault.NO_TOKEN: "There is not exactly one Authorization header.",
    TokenFault.NOT_BEARER: "The Authorization header is not 'Bearer <token>'.",
    TokenFault.TOO_LARGE: "The token is longer than 8 kB.",
    TokenFault.MALFORMED: "The token is not three parts of base64url with JSON objects in two.",
    TokenFault.WRONG_TYPE: "The header's typ is not JWT.",
    TokenFault.NO_KID: "The header has no kid.",
    TokenFault.HEADER_FORBIDDEN: "The header carries crit, b64, jwk, x5c or x5u.",
    TokenFault.WRONG_JKU: "The header's jku is not the registered address of the client's keys.",
    TokenFault.UNKNOWN_ISSUER: "No registered client has this iss, character by character.",
    TokenFault.WRONG_ALGORITHM: "The algorithm is not on the client's list.",
    TokenFault.WRONG_AUDIENCE: "aud is not the public address of the service that is called.",
    TokenFault.NO_TIMES: "exp and iat must be whole seconds, and nbf too where it is sent.",
    TokenFault.EXPIRED: "The token has expired.",
    TokenFault.NOT_YET_VALID: "iat or nbf lies in the future: compare the clocks.",
    TokenFault.LIVES_TOO_LONG: "exp is before iat, or further from it than is allowed.",
    TokenFault.NO_JTI: "jti must be a text of 1 to 256 characters.",
    TokenFault.WRONG_TENANT: "The client lists tenants, and the token names none of them.",
    TokenFault.UNKNOWN_KEY: "The client's key set holds no key of this kid.",
    TokenFault.KEYS_UNAVAILABLE: "The client's key set cannot be had.",
    TokenFault.BAD_SIGNATURE: "The signature does not fit the key.",
    TokenFault.REPLAYED: "The token was used before; each may be used once.",
}
