"""The story of the app packages, told with the client that openapi-python-client writes."""

import hashlib
import io
import os
import uuid

from app_packages import AuthenticatedClient
from app_packages.api.app_authtickets import authenticate_app
from app_packages.api.apppackages import create_app_package, list_all_packages, list_packages
from app_packages.api.package_files import get_package_file_metadata, upsert_package_file
from app_packages.models import (
    AppAuthInfo,
    AppDevError,
    AppDevPackage,
    AuthTicket,
    FileMetadata,
    PackageCollection,
    PackageListing,
    PackageRequest,
)
from app_packages.types import File

BASE = f"{os.environ['BASE']}/api"
NAMESPACE = os.environ["TEST_APP_KEY"].split(".")[0]
KEY = f"{NAMESPACE}.story-{uuid.uuid4().hex[:8]}.1.0.0.Release"
BYTES = 'Grüße, not parsed: {"\n'.encode()

# The types ask for a token even where none is needed.
ticket = authenticate_app.sync(
    client=AuthenticatedClient(base_url=BASE, token="none", auth_header_name="x-unused"),
    body=AppAuthInfo(application_id=os.environ["TEST_APP_KEY"], shared_secret=os.environ["TEST_SHARED_SECRET"]),
)
assert isinstance(ticket, AuthTicket) and isinstance(ticket.access_token, str), ticket
print("log in: key and secret give a ticket")

client = AuthenticatedClient(base_url=BASE, token=ticket.access_token)
made = create_app_package.sync(client=client, body=PackageRequest(app_key=KEY))
assert isinstance(made, AppDevPackage), made
assert (made.app_key, made.is_release_package) == (KEY, True)
again = create_app_package.sync_detailed(client=client, body=PackageRequest(app_key=KEY))
assert again.status_code == 409
assert isinstance(again.parsed, AppDevError) and again.parsed.error_code == "ITEM_ALREADY_EXISTS"
print("create: a package, once")

stored = upsert_package_file.sync(KEY, "assets/story.bin", client=client, body=File(payload=io.BytesIO(BYTES)))
assert isinstance(stored, FileMetadata) and stored.path == "assets/story.bin", stored
print("upload: the bytes of a file")

found = get_package_file_metadata.sync(KEY, "assets/story.bin", client=client)
assert isinstance(found, FileMetadata), found
assert (found.check_sum, found.size_in_bytes) == (hashlib.md5(BYTES).hexdigest(), len(BYTES))
print("metadata: checksum and size of what was uploaded")

listed = list_packages.sync(KEY, client=client)
assert isinstance(listed, PackageCollection) and isinstance(listed.items, list), listed
assert [one.package_name for one in listed.items] == ["Release"]
page = list_all_packages.sync(client=client, page_size=1)
assert isinstance(page, PackageListing) and isinstance(page.items, list), page
assert len(page.items) == 1 and isinstance(page.total_count, int) and page.total_count >= 2
print("list: the package is there")
