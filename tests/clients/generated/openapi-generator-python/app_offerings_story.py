"""The story of the app offerings, told with the client that openapi-generator writes in Python."""

import os
import uuid

from app_offerings import ApiClient, ApiException, AppOfferingsApi, Configuration, MetaApi, OauthApi
from app_offerings.models import CreateAppOffering, JwtAlgorithm, Message, UpdateAppOffering, ValidationFailed

BASE = os.environ["BASE"]
RUN = uuid.uuid4().hex[:8]
SOURCE = f"python {RUN}"


def offering(number: int) -> CreateAppOffering:
    return CreateAppOffering(
        name=f"Story {RUN} {number}",
        policy_jwt_alg=JwtAlgorithm.ES256,
        service_instance_id=1,
        source=SOURCE,
        webhook_uri_template="https://echo.example.org/hook?account={account}",
    )


with ApiClient(Configuration(host=BASE)) as anyone:
    token = OauthApi(anyone).create_token(
        grant_type="client_credentials",
        client_id=os.environ["TEST_CLIENT_ID"],
        client_secret=os.environ["TEST_CLIENT_SECRET"],
        # Of the two that the operation takes, the client would announce JSON, and send a form.
        _content_type="application/x-www-form-urlencoded",
    )
with ApiClient(Configuration(host=BASE, access_token=token.access_token)) as lent:
    assert MetaApi(lent).get_account().id == "wdc"
print("log in: an OAuth client gets a token")

client = ApiClient(Configuration(host=BASE, access_token=os.environ["TEST_TOKEN"]))
offerings = AppOfferingsApi(client)

created = [offerings.create_app_offering(offering(number)) for number in range(1, 6)]
assert [one.name for one in created] == [f"Story {RUN} {number}" for number in range(1, 6)]
assert {one.service_instance.id for one in created} == {1}
print("create: five offerings")

pages = []
cursor = None
while True:
    page = offerings.list_app_offerings_with_http_info(source=SOURCE, sort="name", per_page=2, search_after=cursor)
    pages.append([one.name for one in page.data])
    headers = page.headers or {}
    if 'rel="next"' not in headers.get("link", ""):
        break
    cursor = headers["x-pagination-end-cursor"]
assert [name for page in pages for name in page] == [one.name for one in created]
assert [len(page) for page in pages] == [2, 2, 1]
print("list: three pages")

found = offerings.list_app_offerings(name=f"Story {RUN} 3", updated_at=">2026-01-01")
assert [one.id for one in found] == [created[2].id]
print("list: filters")

wrong = offering(6)
wrong.reference = created[0].reference
wrong.service_instance_id = 999_999_999
try:
    offerings.create_app_offering(wrong)
except ApiException as error:
    assert error.status == 422
    assert isinstance(error.data, ValidationFailed)
    assert error.data.message == "Validation Failed"
    assert error.data.errors == [
        ["reference", "Reference has already been taken"],
        ["service_instance", "Service instance must exist"],
    ]
else:
    raise AssertionError("what is wrong was created")
print("create: refused with the fields by name")

number = str(created[0].id)
tag = (offerings.get_app_offering_with_http_info(number).headers or {})["etag"]
changed = offerings.update_app_offering(number, UpdateAppOffering(description="Echoes notes"), if_match=tag)
assert changed.description == "Echoes notes"
try:
    offerings.update_app_offering(number, UpdateAppOffering(description="Too late"), if_match=tag)
except ApiException as error:
    assert error.status == 412
    assert isinstance(error.data, Message)
    assert error.data.message == "Precondition Failed"
else:
    raise AssertionError("a stale tag was accepted")
print("update: If-Match lets one pass and refuses the stale one")

version = offerings.publish_app_offering(number)
assert version.published is True
assert (version.reference, version.description) == (created[0].reference, "Echoes notes")
assert version.id != created[0].id
print("publish: a version of the same reference")
