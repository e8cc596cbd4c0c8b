"""What Schemathesis cannot know from the documents, for tests/contract/run.

Requests that are meant to be right get what no schema can say: the caller's own account, a state that is there, a key
that is new. What is refused nevertheless, or taken although a schema forbids it, is a failure, unless a line of the
two tables below says why it is right.
"""

import os
import re
import uuid

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData

ACCOUNT = os.environ["TEST_ACCOUNT"]
# What the documents show, in every operation.
EXAMPLE_KEY = "2f1c7c58-8a0e-4a53-9a3e-6f6b0a6a7a11"

# Right by its schema and refused all the same: the answer's status and text, and why no schema can tell. The examples
# of the documents are right in more than that; only the first two lines are for them.
REFUSED = [
    (422, r".", "rules between members, and between records: names that are taken, what belongs to an installed app"),
    (412, r".", "`If-Match` of another state"),
    (400, r"Unknown fields: |Sorting not allowed on fields: ", "names in `fields` and `sort`; their grammar is fuzzed"),
    (400, r"Invalid value '|does not support the '|a set of values for field ", "values of filters, which are fuzzed"),
    (400, r"parameter: (responseFields|sortBy|filter) ", "three grammars, which are fuzzed"),
    (400, r"Unknown properties: ", "members beside the known ones, which `Prefer: handling=strict` refuses"),
    (400, r"Invalid cursor", "cursors are signed"),
    (400, r"The multipart body is malformed", "parts whose names have characters that no header may have"),
    (400, r"'page', 'search_after' and 'search_before' cannot be combined", "parameters that exclude each other"),
    (400, r"parameter: (applicationKey|appId|nsAndAppId|packageName) must be ", "keys, which are fuzzed"),
    (400, r"parameter: (filepath|fileName) must ", "paths, whose parts are bounded in bytes"),
]

# An example that the tool makes of those of single members, of which one is the number in the path.
MADE_UP = r"packageId must be that of the path, or be left out"

# Wrong by its schema and taken all the same: which parameter, and why it has to be.
TAKEN = [
    (r"`x-vol-correlation` in header", "a correlation id that cannot be repeated is replaced by one of the server's"),
    (r"`If-(None-)?Match` in header", "a tag that no state has is no error (RFC 9110): 200, or 412"),
    (r"`Prefer` in header", "preferences that a server does not know are ignored (RFC 7240)"),
    (r"`X-Xurrent-Source` in header", "cut to the 30 characters that a source has (contract 1.14)"),
    (r"`X-Xurrent-Language` in header", "a language that the server does not speak is that of the person"),
    (r" in query - (.*String larger than maxLength|violates `maxLength`)", "a list that is filtered by a text that no record has is empty"),
    (r"`responseFields` in query", "a file has no members to choose from; clients send the parameter everywhere"),
    (r"in body - object with (invalid additional property: |more properties than )", "parts of a form that are not known are ignored"),
    (r"in body - avatar_file_name: ", "an avatar has no name; clients send one"),
    (r"`page` in query - page: Value greater than maximum", "a page behind the last one is empty"),
    (r"in body - new_scopes -> .*: (conditions|effect|grant_type): Incorrect type", "`null` is as good as left out (app offerings, contract 1.8)"),
    (r"custom_fields -> .*: (value: Incorrect type|Missing required property: value)", "without a value it is taken away"),
    (r"`per_page` in query - per_page: Value greater than maximum", "more than 100 is cut down to 100"),
    (r"`published` in query - published: Incorrect type", "a filter of a boolean: whatever is not true is false"),
    (
        r"in body - applicationTransactions -> .*: (applicationTransactionId|applicationId|applicationEntitlementId"
        r"|tenantId|siteId): ",
        "the server sets them",
    ),
    (
        r"in body - (applicationEntitlementId|entitlementStatus|applicationName|applicationVersion|installedByFirstName"
        r"|installedByLastName|installedDate|packageName|tenantName|applicationStatusId|applicationId|devAccountId"
        r"|installedAppsApplicationId|appOwnerDevAccountId): ",
        "the server sets them, and ignores what an install says of them",
    ),
    (r"(packageId|localeCode|transaction(Date|Price|Tax|Total)): Incorrect type", "`null` is as good as left out: vendor clients write every member that they know"),
]


# Names of members that are true or false. Whatever is not true is false (app offerings, contract 1.8).
BOOLEANS = set()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Leaves out the older spellings of headers: twice as many requests would say nothing new."""
    for schema in raw_schema["components"]["schemas"].values():
        members = schema.get("properties", {}).items()
        BOOLEANS.update(name for name, it in members if "boolean" in (it.get("type"), *it.get("type", ())))
    parameters = raw_schema["components"]["parameters"]
    older = {f"#/components/parameters/{key}" for key, it in parameters.items() if it["name"].startswith("X-4me-")}
    for item in raw_schema["paths"].values():
        for operation in item.values():
            known = operation.get("parameters", [])
            operation["parameters"] = [it for it in known if it.get("$ref") not in older]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces what only a state of the server can make right."""
    headers = case.headers
    if case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER):
        # What the negation is about stays.
        if headers.get("Idempotency-Key") == EXAMPLE_KEY:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        return
    if "X-Xurrent-Account" in headers:
        headers["X-Xurrent-Account"] = ACCOUNT
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if "If-Match" in headers:
        headers["If-Match"] = "*"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure is one."""
    if isinstance(failure, RejectedPositiveData):
        text = response.content.decode(errors="replace")
        if case.meta is not None and case.meta.phase.name == TestPhase.EXAMPLES:
            return response.status_code not in (412, 422) and not re.search(MADE_UP, text)
        if case.operation.body and response.status_code == 400 and case.operation.schema.title == "App Packages":
            # Members of bodies are shared by operations that each need others of them (contract 2): none is
            # required by the schema, and the refusal names the one that is.
            return '"errorCode":"MISSING_OR_INVALID_PARAMETER"' not in text
        return not any(response.status_code == status and re.search(why, text) for status, why, _ in REFUSED)
    if isinstance(failure, AcceptedNegativeData):
        # Numbers, booleans and texts are read as one another (app offerings, contract 1.8); lists and objects are
        # read as false alone.
        wrong = re.search(r"in body - (\w+): Incorrect type", failure.message)
        if wrong and isinstance(case.body, dict) and case.operation.schema.title == "App Offerings":
            is_plain = not isinstance(case.body.get(wrong[1]), (dict, list))
            if is_plain or wrong[1] in BOOLEANS:
                return False
        return not any(re.search(parameter, failure.message) for parameter, _ in TAKEN)
    return True
