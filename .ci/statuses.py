"""Holds what the tests have seen against the documents: every operation must have answered with every status
that its document names, but for those that `tests/api/statuses.toml` excuses with a reason.

    python3 .ci/statuses.py FOLDER

FOLDER is that of APPMARKET_TEST_SEEN while the tests ran, and was empty before; each process leaves a file
there with lines `family operationId status`. What the list excuses although it was seen, or although no
document names it, fails too, so that the list stays true.
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = {"offering_api": "app-offerings", "package_api": "app-packages"}
METHODS = ("get", "put", "post", "patch", "delete")
LIST = Path("tests/api/statuses.toml")


def documented():
    """Every (family, operationId, status) of both documents."""
    for family, name in DOCUMENTS.items():
        document = json.loads((ROOT / f"openapi/{name}.json").read_text())
        for item in document["paths"].values():
            for method, operation in item.items():
                if method in METHODS:
                    for status in operation["responses"]:
                        yield family, operation["operationId"], status


def excused():
    """What the list excuses, and what is wrong with the list itself."""
    groups = tomllib.loads((ROOT / LIST).read_text())["excused"]
    them = [(it["family"], name, str(it["status"])) for it in groups for name in it["operations"]]
    wrong = [f"{' '.join(one)}: is excused twice" for one in sorted(set(them)) if them.count(one) > 1]
    wrong += [f"{it['reason']!r} is no reason" for it in groups if len(it["reason"].split()) < 5]
    return set(them), wrong


def problems(seen, known, excuses):
    """What is wrong, one line each."""
    for one in sorted(known - seen - excuses):
        yield f"{' '.join(one)}: is documented, but no test has seen it"
    for one in sorted(excuses - known):
        yield f"{' '.join(one)}: is excused, but no document names it"
    for one in sorted(excuses & known & seen):
        yield f"{' '.join(one)}: is excused, but a test has seen it: take it off the list"


def main(folder):
    lines = {line for file in Path(folder).iterdir() for line in file.read_text().splitlines()}
    seen = {tuple(line.split(" ")) for line in lines}
    known = set(documented())
    excuses, wrong = excused()
    wrong += problems(seen, known, excuses)
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        sys.exit(f"{len(wrong)} statuses are not as the documents and {LIST} have them")
    operations = {one[:2] for one in known}
    print(
        f"Of {len(known)} statuses of {len(operations)} operations the tests have seen {len(known & seen)}; "
        f"{len(excuses)} are excused."
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
