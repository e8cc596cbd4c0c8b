"""Receives signed webhooks of a running server, and verifies them with the libraries that receivers in Python use.

    APPMARKET_OUTGOING_ALLOW='["loopback"]' appmarket serve
    pip install -r tests/clients/webhook_signatures/requirements.txt
    TEST_TOKEN=... python tests/clients/webhook_signatures/receive.py http://127.0.0.1:8080 /tmp/messages.jsonl

Makes a policy for each algorithm, and for each a webhook that is signed as the account and one that is signed as the
policy, with keys to be discovered; besides one in the manner of Standard Webhooks. Each is verified, confirms its
address, and is written to the file for verify.mjs, a line each. The token is that of an administrator.
"""

import base64
import http.server
import json
import os
import queue
import sys
import threading
import time

import joserfc.errors
import joserfc.jwk
import joserfc.jwt
import jwt
import requests
from standardwebhooks import Webhook, WebhookVerificationError

ALGORITHMS = ["es256", "es384", "es512", "rs256", "rs384", "rs512"]
AUDIENCE = "receiver"
# The server allows 20 requests in 2 seconds; whoever used the token before may have used up the window that is open.
WINDOW = 2
PACE = 0.12
PATIENCE = 30


class Receiver:
    """A server for webhooks; what each of its paths was sent waits in a queue."""

    def __init__(self):
        received = self.received = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                received.setdefault(self.path, queue.Queue()).put((dict(self.headers), body.decode()))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def next(self, path):
        return self.received.setdefault(path, queue.Queue()).get(timeout=PATIENCE)


class Api:
    def __init__(self, url, token):
        self.url = url
        self.session = requests.Session()
        self.session.headers["authorization"] = f"Bearer {token}"

    def call(self, method, path, status, body=None):
        time.sleep(PACE)
        answer = self.session.request(method, self.url + path, json=body, timeout=PATIENCE)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


def forge(token):
    """The token with other claims under the same signature."""
    header, _, signature = token.split(".")
    claims = base64.urlsafe_b64encode(json.dumps({"aud": AUDIENCE, "data": {}}).encode()).decode().rstrip("=")
    return f"{header}.{claims}.{signature}"


def refused(errors, verify, *arguments):
    """Demands that this library refuses this."""
    try:
        verify(*arguments)
    except errors:
        return
    raise AssertionError(f"{verify.__name__} accepts what is forged")


def with_pyjwt(key, token, algorithm, issuer):
    required = ["exp", "iat", "nbf", "jti", "sub"]
    return jwt.decode(token, key, algorithms=[algorithm], audience=AUDIENCE, issuer=issuer, options={"require": required})


def with_joserfc(key, token, algorithm):
    return joserfc.jwt.decode(token, key, algorithms=[algorithm]).claims


def verify_jwt(token, algorithm, pem, issuer, keys):
    """The claims, as both libraries see them with each form of the key."""
    header = jwt.get_unverified_header(token)
    if keys is None:
        # Names the key to those who know more than one.
        assert header == {"typ": "JWT", "alg": algorithm, "kid": header["kid"]}, header
        pyjwt_keys, joserfc_keys = [pem], [pem]
    else:
        (jwk,) = [key for key in keys["keys"] if key["kid"] == header["kid"]]
        assert header == {"typ": "JWT", "alg": algorithm, "kid": jwk["kid"]}, header
        assert jwk["use"] == "sig" and jwk["alg"] == algorithm, jwk
        pyjwt_keys, joserfc_keys = [pem, jwt.PyJWK(jwk)], [pem, jwk]
    kind = joserfc.jwk.RSAKey if algorithm.startswith("RS") else joserfc.jwk.ECKey
    seen = []
    for key in pyjwt_keys:
        seen.append(with_pyjwt(key, token, algorithm, issuer))
        refused(jwt.InvalidSignatureError, with_pyjwt, key, forge(token), algorithm, issuer)
    for key in map(kind.import_key, joserfc_keys):
        seen.append(with_joserfc(key, token, algorithm))
        refused(joserfc.errors.BadSignatureError, with_joserfc, key, forge(token), algorithm)
    assert all(claims == seen[0] for claims in seen), seen
    return seen[0]


def confirm(api, webhook, message):
    """Does as a receiver does that wants the webhook: calls what it was told to."""
    assert (message["webhook_id"], message["event"]) == (webhook["id"], "webhook.verify"), message
    time.sleep(PACE)
    answer = requests.post(message["payload"]["callback"], timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    assert api.call("GET", f"/v1/webhooks/{webhook['id']}", 200)["verified_at"]


def account_url(api, webhook):
    (delivery,) = api.call("GET", f"/v1/webhooks/{webhook['id']}/deliveries", 200)
    return api.call("GET", f"/v1/webhooks/{webhook['id']}/deliveries/{delivery['id']}", 200)["message"]["account"]


def signed(api, receiver, algorithm, is_discovered):
    policy = {"jwt_alg": algorithm, "jwt_audience": AUDIENCE, "jwt_claim_expires_in": 10}
    policy = api.call("POST", "/v1/webhook_policies", 201, policy)
    path = f"/{algorithm}/{'policy' if is_discovered else 'account'}"
    webhook = {"event": "app_instance.update", "uri": receiver.address(path), "webhook_policy_id": policy["id"],
               "openid_connect_discovery": is_discovered}
    webhook = api.call("POST", "/v1/webhooks", 201, webhook)
    _, body = receiver.next(path)
    sent = json.loads(body)
    assert list(sent) == ["jwt"], body
    keys = None
    # Where pages of the account are: as each webhook is told, and where its policies are.
    issuer = account_url(api, webhook)
    if is_discovered:
        issuer += f"/webhook_policies/{policy['name']}"
    line = {"algorithm": algorithm.upper(), "jwt": sent["jwt"], "pem": policy["public_key_pem"], "issuer": issuer}
    if is_discovered:
        found = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=PATIENCE).json()
        assert found["issuer"] == issuer, found
        line["jwks_uri"] = found["jwks_uri"]
        keys = requests.get(found["jwks_uri"], timeout=PATIENCE).json()
    claims = verify_jwt(sent["jwt"], line["algorithm"], line["pem"], issuer, keys)
    confirm(api, webhook, claims["data"])
    return {**line, "claims": claims}


def standard(api, receiver):
    webhook = {"event": "app_instance.update", "uri": receiver.address("/standard"), "standard_webhooks": True}
    webhook = api.call("POST", "/v1/webhooks", 201, webhook)
    headers, body = receiver.next("/standard")
    verify = Webhook(webhook["standard_webhooks_secret"]).verify
    message = verify(body, headers)
    refused(WebhookVerificationError, verify, body + " ", headers)
    confirm(api, webhook, message)
    names = ["webhook-id", "webhook-timestamp", "webhook-signature"]
    return {"secret": webhook["standard_webhooks_secret"], "body": body, "headers": {name: headers[name] for name in names}}


def main():
    url, path = sys.argv[1:]
    api, receiver = Api(url, os.environ["TEST_TOKEN"]), Receiver()
    time.sleep(WINDOW)
    lines = [signed(api, receiver, algorithm, it) for algorithm in ALGORITHMS for it in (False, True)]
    lines.append(standard(api, receiver))
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(line)}\n" for line in lines)
    print(f"PyJWT, joserfc: {', '.join(ALGORITHMS)}, as account and as policy; standardwebhooks: 1 message; {len(lines)} confirmed")


if __name__ == "__main__":
    main()
