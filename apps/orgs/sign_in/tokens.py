"""ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): always checked by signature, whichever way they came."""

from collections.abc import Mapping
from secrets import compare_digest
from typing import Any

import jwt

# Never `none`, never an HMAC: the provider's key is public.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 60


class BadToken(Exception):
    """The token is not what this provider would say to us now."""


def read_id_token(token: str, keys: Mapping[str, Any], *, issuer: str, client_id: str) -> dict[str, Any]:
    """The token's claims."""
    try:
        claims = jwt.decode(
            token,
            _key(token, keys),
            algorithms=ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise BadToken(type(error).__name__) from error
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several and "azp" not in claims) or claims.get("azp", client_id) != client_id:
        raise BadToken("azp")
    return claims


def check_nonce(claims: Mapping[str, Any], expected: object) -> None:
    """The token belongs to the sign-in that this browser began."""
    given = claims.get("nonce")
    if not (isinstance(given, str) and isinstance(expected, str) and expected):
        raise BadToken("nonce")
    if not compare_digest(given.encode(), expected.encode()):
        raise BadToken("nonce")


def _key(token: str, keys: Mapping[str, Any]) -> Any:
    wanted = jwt.get_unverified_header(token).get("kid")
    usable = [one for one in jwt.PyJWKSet.from_dict(dict(keys)).keys if one.public_key_use in {None, "sig"}]
    found = [one for one in usable if wanted in {None, one.key_id}]
    if len(found) != 1:
        raise BadToken("kid")
    return found[0]
