"""An identity provider for the tests: a key pair, its key set, and tokens signed with it."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://identity.example.com/"
AUDIENCE = "clientele"
EVERY_SCOPE = "records:read records:write records:delete pii:reveal workspace:admin"
# As Amazon Cognito names the scopes of a resource server.
SCOPE_PREFIX = "clientele/"
KEY_ID = "tests-1"


class IdentityProvider:
    """Signs tokens with ES256 (RFC 7518, section 3.4)."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def key_set(self) -> str:
        """The public key as a JSON Web Key Set on one line."""
        point = self._key.public_key().public_numbers()
        key = {
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "alg": "ES256",
            "kid": KEY_ID,
            "x": encode(point.x.to_bytes(32, "big")),
            "y": encode(point.y.to_bytes(32, "big")),
        }
        return json.dumps({"keys": [key]}, separators=(",", ":"))

    def token(self, organization: int, scope: str = EVERY_SCOPE, **claims: Any) -> str:
        """A token that is good for an hour."""
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "tester",
            "exp": now + 3600,
            "organization_id": organization,
            "scope": " ".join(SCOPE_PREFIX + name for name in scope.split()),
            **claims,
        }
        header = {"alg": "ES256", "typ": "JWT", "kid": KEY_ID}
        signed = ".".join(encode(json.dumps(part).encode()) for part in (header, payload))
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
