"""The story of the app offerings, told with the client that openapi-python-client writes."""

import os
import uuid

from app_offerings import AuthenticatedClient
from app_offerings.api.app_offerings import (
    create_app_offering,
    get_app_offering,
    list_app_offerings,
    publish_app_offering,
    update_app_offering,
)
from app_offerings.models import (
    AppOffering,
    CreateAppOffering,
    JwtAlgorithm,
    Message,
    UpdateAppOffering,
    ValidationFailed,
)
from app_offerings.types import UNSET, Unset

# The client sends a form and announces JSON where an operation takes both, as that for tokens does.
client = AuthenticatedClient(base_url=os.environ["BASE"], token=os.environ["TEST_TOKEN"])
RUN = uuid.uuid4().hex[:8]
SOURCE = f"openapi-python-client {RUN}"[:30]


def offering(number: int) -> CreateAppOffering:
    return CreateAppOffering(
        name=f"Story {RUN} {number}",
        policy_jwt_alg=JwtAlgorithm.ES256,
        service_instance_id=1,
        source=SOURCE,
        webhook_uri_template="https://echo.example.org/hook?account={account}",
    )


created = []
for number in range(1, 6):
    made = create_app_offering.sync(client=client, body=offering(number))
    assert isinstance(made, AppOffering), made
    assert (made.name, made.service_instance.id) == (f"Story {RUN} {number}", 1)
    created.append(made)
print("create: five offerings")

names: list[object] = []
sizes: list[int] = []
cursor: str | Unset = UNSET
while True:
    page = list_app_offerings.sync_detailed(client=client, source=SOURCE, sort="name", per_page=2, search_after=cursor)
    assert isinstance(page.parsed, list), page
    names.extend(one.name for one in page.parsed)
    sizes.append(len(page.parsed))
    if 'rel="next"' not in page.headers.get("link", ""):
        break
    cursor = page.headers["x-pagination-end-cursor"]
assert names == [one.name for one in created]
assert sizes == [2, 2, 1]
print("list: three pages")

found = list_app_offerings.sync(client=client, name=f"Story {RUN} 3", updated_at=">2026-01-01")
assert isinstance(found, list)
assert [one.id for one in found] == [created[2].id]
print("list: filters")

wrong = offering(6)
wrong.reference = created[0].reference
wrong.service_instance_id = 999_999_999
refused = create_app_offering.sync(client=client, body=wrong)
assert isinstance(refused, ValidationFailed), refused
assert refused.message == "Validation Failed"
assert refused.errors == [
    ["reference", "Reference has already been taken"],
    ["service_instance", "Service instance must exist"],
]
print("create: refused with the fields by name")

identity = str(created[0].id)
tag = get_app_offering.sync_detailed(identity, client=client).headers["etag"]
changed = update_app_offering.sync(
    identity, client=client, body=UpdateAppOffering(description="Echoes notes"), if_match=tag
)
assert isinstance(changed, AppOffering) and changed.description == "Echoes notes"
stale = update_app_offering.sync_detailed(
    identity, client=client, body=UpdateAppOffering(description="Too late"), if_match=tag
)
assert stale.status_code == 412
assert isinstance(stale.parsed, Message) and stale.parsed.message == "Precondition Failed"
print("update: If-Match lets one pass and refuses the stale one")

version = publish_app_offering.sync(identity, client=client)
assert isinstance(version, AppOffering), version
assert version.published is True
assert (version.reference, version.description) == (created[0].reference, "Echoes notes")
assert version.id != created[0].id
print("publish: a version of the same reference")
