"""Contract test with the public Python client `xurrent`, unmodified, against a running server.

    pip install -r tests/clients/requirements.txt
    TEST_TOKEN=... python tests/clients/xurrent_client.py http://127.0.0.1:8080 --account wdc

Every request goes through the client. What the client keeps to itself (the pages it fetched, the times it was
told to wait) is read from its log, as its user would. The account needs a service instance.
"""

import argparse
import logging
import os
import re
import sys
import time
import uuid

import requests
from xurrent.core import XurrentApiHelper

PER_PAGE = 3
OFFERINGS = 7
# The server's default burst limit: 20 requests in 2 seconds.
BURST = 20
BURST_SECONDS = 2
# The server names the end of its window in whole seconds, so that a wait may be one second longer.
LONGEST_WAIT = BURST_SECONDS + 1


class Log(logging.Handler):
    """Collects what the client logs."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())

    def requests(self, method):
        """The URLs requested since the log was last emptied; a repeated one (after a 429) counts once."""
        found = (re.match(rf"{method} (\S+)", line) for line in self.lines)
        return list(dict.fromkeys(match[1] for match in found if match))

    def waits(self):
        """The seconds the client was told to wait by answers 429."""
        found = (re.match(r"Rate limit reached\. Retrying after (\d+) seconds", line) for line in self.lines)
        return [int(match[1]) for match in found if match]


def expect(what, actual, wanted):
    if actual != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {actual!r}")


class Contract:
    def __init__(self, base_url, account, token):
        self.account = account
        self.log = Log()
        logger = logging.getLogger("xurrent-under-test")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(self.log)
        # The client would ask for its user and their teams first; people and teams are no part of this API.
        self.client = XurrentApiHelper(
            f"{base_url}/v1", api_key=token, api_account=account, resolve_user=False, logger=logger
        )
        self.run_id = uuid.uuid4().hex[:12]
        self.source = f"xurrent {self.run_id}"
        self.created = []

    def offering(self, number):
        return {
            "name": f"Contract {self.run_id} {number}",
            "policy_jwt_alg": "es256",
            "policy_jwt_claim_expires_in": "0:10",
            "service_instance_id": self.service_instance["id"],
            "source": self.source,
            "sourceID": f"{self.run_id}-{number}",
            "webhook_uri_template": f"https://hook.example.test/{number}?account={{account}}",
        }

    def list(self, **query):
        return self.client.api_call(f"/app_offerings?{self.client.create_filter_string(query)}")

    def account_and_service_instance(self):
        """The token works in its account, and the account has a service instance to refer to."""
        expect("id of the account", self.client.api_call("/account", per_page=0)["id"], self.account)
        instances = self.client.api_call("/service_instances")
        if not instances:
            raise AssertionError(f"account {self.account} has no service instance")
        self.service_instance = instances[0]

    def create(self):
        """POST answers the whole record, with defaults filled in."""
        for number in range(OFFERINGS):
            sent = self.offering(number)
            got = self.client.api_call("/app_offerings", method="POST", data=sent)
            for field in ("name", "policy_jwt_alg", "source", "sourceID", "webhook_uri_template"):
                expect(field, got[field], sent[field])
            expect("policy_jwt_claim_expires_in", got["policy_jwt_claim_expires_in"], 10)
            expect("service_instance.id", got["service_instance"]["id"], self.service_instance["id"])
            expect("service_instance.name", got["service_instance"]["name"], self.service_instance["name"])
            expect("reference", got["reference"], f"{self.account}_contract_{self.run_id}_{number}")
            expect("disabled", got["disabled"], False)
            expect("attachments", got["attachments"], [])
            expect("description", got["description"], None)
            node_id = self.client.decode_api_id(got["nodeID"])
            if not node_id.endswith(f"/AppOffering/{got['id']}"):
                raise AssertionError(f"nodeID {got['nodeID']} decodes to {node_id}")
            self.created.append(got)
        expect("distinct ids", len({offering["id"] for offering in self.created}), OFFERINGS)

    def get(self):
        """GET answers what POST answered, by id and by nodeID."""
        offering = self.created[0]
        expect("by id", self.client.api_call(f"/app_offerings/{offering['id']}"), offering)
        expect("by nodeID", self.client.api_call(f"/app_offerings/{offering['nodeID']}", per_page=0), offering)

    def list_three_pages(self):
        """The client follows `Link` through three pages and finds every record once, in the order asked for."""
        self.log.lines.clear()
        found = self.list(source=self.source, sort="-sourceID", per_page=PER_PAGE)
        expect("sourceIDs", [o["sourceID"] for o in found], [o["sourceID"] for o in reversed(self.created)])
        expect("ids", [o["id"] for o in found], [o["id"] for o in reversed(self.created)])
        expect("pages fetched", len(self.log.requests("GET")), 3)
        default_fields = {
            "created_at", "id", "name", "nodeID", "policy_jwt_alg", "policy_jwt_audience",
            "policy_jwt_claim_expires_in", "reference", "service_instance", "sourceID", "updated_at",
            "webhook_uri_template",
        }
        for offering in found:
            expect("fields", set(offering), default_fields)

        self.log.lines.clear()
        found = self.list(source=self.source, fields="reference", sort="reference", per_page=OFFERINGS)
        expect("references", [o["reference"] for o in found], [o["reference"] for o in self.created])
        expect("pages fetched when all fit on one", len(self.log.requests("GET")), 1)

    def update(self):
        """PATCH changes what it names and nothing else, and the change stays."""
        before = self.created[1]
        uri = f"/app_offerings/{before['id']}"
        changes = {"description": "Echoes tickets – ünïcode", "disabled": "yes", "policy_jwt_claim_expires_in": 75}
        after = self.client.api_call(uri, method="PATCH", data=changes)
        wanted = {**before, **changes, "disabled": True, "updated_at": after["updated_at"]}
        expect("answer", after, wanted)
        expect("stored record", self.client.api_call(uri), wanted)
        cleared = self.client.api_call(uri, method="PUT", data={"description": None, "disabled": False})
        expect("description", cleared["description"], None)
        expect("disabled", cleared["disabled"], False)

    def unprocessable(self):
        """A 422 reaches the user as an exception that carries every problem; nothing is stored."""
        wrong = {**self.offering("wrong"), "name": "", "policy_jwt_alg": "hs256"}
        try:
            answer = self.client.api_call("/app_offerings", method="POST", data=wrong)
        except requests.exceptions.HTTPError as error:
            expect("status", error.response.status_code, 422)
            expect("body", error.response.json(), {
                "message": "Validation Failed",
                "errors": [
                    ["name", "Name can't be blank"],
                    ["policy_jwt_alg", "Policy jwt alg is not included in the list"],
                ],
            })
        else:
            raise AssertionError(f"accepted an offering without a name: {answer!r}")
        expect("records stored", self.list(sourceID=wrong["sourceID"]), [])

    def too_many_requests(self):
        """Past the burst limit the client waits as long as `Retry-After` says, and its user still gets the answer."""
        uri = f"/app_offerings/{self.created[2]['id']}"
        self.log.lines.clear()
        longest = 0.0
        started = time.monotonic()
        # The window may be half used by the requests before; twice its size is past it whatever came before.
        for _ in range(2 * BURST):
            before = time.monotonic()
            expect("answer", self.client.api_call(uri), self.created[2])
            longest = max(longest, time.monotonic() - before)
        elapsed = time.monotonic() - started
        waits = self.log.waits()
        if not waits:
            raise AssertionError(f"{2 * BURST} requests in {elapsed:.1f} s were never answered 429")
        if not all(1 <= seconds <= LONGEST_WAIT for seconds in waits):
            raise AssertionError(f"Retry-After of {waits} seconds, expected 1 to {LONGEST_WAIT}")
        if longest < min(waits):
            raise AssertionError(f"the client was told to wait {waits} s, but its slowest call took {longest:.1f} s")


STEPS = [
    Contract.account_and_service_instance,
    Contract.create,
    Contract.get,
    Contract.list_three_pages,
    Contract.update,
    Contract.unprocessable,
    Contract.too_many_requests,
]


def main():
    parser = argparse.ArgumentParser(description="Contract test with the Python client xurrent.")
    parser.add_argument("url", help="base URL of the server, e.g. http://127.0.0.1:8080")
    parser.add_argument("--account", default="wdc", help="account the token belongs to")
    arguments = parser.parse_args()
    token = os.environ.get("TEST_TOKEN")
    if not token:
        parser.error("the environment variable TEST_TOKEN holds no token")

    contract = Contract(arguments.url.rstrip("/"), arguments.account, token)
    for step in STEPS:
        title = f"{step.__name__.replace('_', ' ')}: {step.__doc__}"
        try:
            step(contract)
        except Exception as error:
            print(f"FAILED {title}\n  {error}", file=sys.stderr)
            response = getattr(error, "response", None)
            if response is not None:
                print(f"  answered {response.text}", file=sys.stderr)
            print("The client's last log lines:", *contract.log.lines[-10:], sep="\n  ", file=sys.stderr)
            # Later steps use the records of earlier ones: the first failure ends the run.
            return 1
        print(f"ok     {title}")
    print(f"{len(STEPS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
