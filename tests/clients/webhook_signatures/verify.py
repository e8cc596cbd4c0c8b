"""Verifies signatures of outgoing messages with libraries that receivers in Python use.

    APPMARKET_TEST_SIGNATURES=/tmp/signatures.jsonl cargo test --lib every_algorithm_signs
    pip install -r tests/clients/webhook_signatures/requirements.txt
    python tests/clients/webhook_signatures/verify.py /tmp/signatures.jsonl

Each line of the file is one signed message: a JWT with its key, or a body in the manner of Standard Webhooks,
whose time must not be more than five minutes ago.
"""

import json
import sys

import joserfc.errors
import joserfc.jwk
import joserfc.jwt
import jwt
from standardwebhooks import Webhook, WebhookVerificationError

ALGORITHMS = ["es256", "es384", "es512", "rs256", "rs384", "rs512"]


def forge(token):
    """The token with other claims under the same signature."""
    header, _, signature = token.split(".")
    return f"{header}.eyJzdWIiOiI4IiwiYXVkIjoicmVjZWl2ZXIifQ.{signature}"


def refused(errors, verify, *arguments):
    """Demands that this library refuses this."""
    try:
        verify(*arguments)
    except errors:
        return
    raise AssertionError(f"{verify.__name__} accepts what is forged")


def with_pyjwt(key, token, algorithm):
    return jwt.decode(token, key, algorithms=[algorithm], audience="receiver")


def with_joserfc(key, token, algorithm):
    return joserfc.jwt.decode(token, key, algorithms=[algorithm]).claims


def verify_jwt(message):
    algorithm, token, claims = message["algorithm"].upper(), message["jwt"], message["claims"]
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": algorithm, "kid": "k1"}
    assert message["jwk"]["use"] == "sig" and message["jwk"]["alg"] == algorithm
    for key in message["pem"], jwt.PyJWK(message["jwk"]):
        assert with_pyjwt(key, token, algorithm) == claims
        refused(jwt.InvalidSignatureError, with_pyjwt, key, forge(token), algorithm)
    kind = joserfc.jwk.RSAKey if algorithm.startswith("RS") else joserfc.jwk.ECKey
    for key in kind.import_key(message["pem"]), kind.import_key(message["jwk"]):
        assert with_joserfc(key, token, algorithm) == claims
        refused(joserfc.errors.BadSignatureError, with_joserfc, key, forge(token), algorithm)
    return message["algorithm"]


def verify_standard_webhook(message):
    headers = {
        "webhook-id": message["id"],
        "webhook-timestamp": str(message["timestamp"]),
        "webhook-signature": message["signature"],
    }
    verify = Webhook(message["secret"]).verify
    assert verify(message["body"], headers) == json.loads(message["body"])
    refused(WebhookVerificationError, verify, message["body"] + " ", headers)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        messages = [json.loads(line) for line in file]
    tokens = [message for message in messages if "jwt" in message]
    others = [message for message in messages if "jwt" not in message]
    assert sorted(map(verify_jwt, tokens)) == ALGORITHMS
    assert len(others) == 1
    verify_standard_webhook(others[0])
    print(f"PyJWT, joserfc: {', '.join(ALGORITHMS)}; standardwebhooks: 1 message")


if __name__ == "__main__":
    main()
