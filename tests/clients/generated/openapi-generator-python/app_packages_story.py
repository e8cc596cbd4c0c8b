"""The story of the app packages, told with the client that openapi-generator writes in Python."""

import hashlib
import os
import uuid

from app_packages import ApiClient, ApiException, AppAuthticketsApi, ApppackagesApi, Configuration, PackageFilesApi
from app_packages.models import AppAuthInfo, AppDevError, PackageRequest

HOST = f"{os.environ['BASE']}/api"
NAMESPACE = os.environ["TEST_APP_KEY"].split(".")[0]
KEY = f"{NAMESPACE}.story-{uuid.uuid4().hex[:8]}.1.0.0.Release"
BYTES = 'Grüße, not parsed: {"\n'.encode()

with ApiClient(Configuration(host=HOST)) as anyone:
    ticket = AppAuthticketsApi(anyone).authenticate_app(
        AppAuthInfo(applicationId=os.environ["TEST_APP_KEY"], sharedSecret=os.environ["TEST_SHARED_SECRET"])
    )
assert ticket.access_token is not None and ticket.access_token.count(".") == 2
print("log in: key and secret give a ticket")

client = ApiClient(Configuration(host=HOST, access_token=ticket.access_token))
packages = ApppackagesApi(client)
files = PackageFilesApi(client)

made = packages.create_app_package(PackageRequest(appKey=KEY))
assert (made.app_key, made.is_release_package) == (KEY, True)
try:
    packages.create_app_package(PackageRequest(appKey=KEY))
except ApiException as error:
    assert error.status == 409
    assert isinstance(error.data, AppDevError)
    assert error.data.error_code == "ITEM_ALREADY_EXISTS"
else:
    raise AssertionError("a package was created twice")
print("create: a package, once")

stored = files.upsert_package_file(KEY, "assets/story.bin", body=BYTES)
assert stored.path == "assets/story.bin"
print("upload: the bytes of a file")

found = files.get_package_file_metadata(KEY, "assets/story.bin")
assert (found.check_sum, found.size_in_bytes) == (hashlib.md5(BYTES).hexdigest(), len(BYTES))
print("metadata: checksum and size of what was uploaded")

listed = packages.list_packages(KEY)
assert [one.package_name for one in listed.items or []] == ["Release"]
page = packages.list_all_packages(page_size=1)
assert len(page.items or []) == 1 and (page.total_count or 0) >= 2
print("list: the package is there")
