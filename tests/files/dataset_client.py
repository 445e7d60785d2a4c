"""A client of the dataset API as people write them, with Python's standard library alone.

Pushes the rows that it reads, waits for their job, and shows what it then finds: all records, page
by page, and the record of each row, by its external id.
"""

import json
import sys
import time
from urllib.parse import urlencode
from urllib.request import Request, urlopen

base, token = sys.argv[1:]


def ask(path, query=None, body=None):
    url = base + path + ("?" + urlencode(query) if query else "")
    headers = {"Authorization": "Bearer " + token}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json; charset=utf-8"
    with urlopen(Request(url, data, headers)) as response:
        return response.status, json.load(response)


def all_records(size):
    page, records = 1, []
    while True:
        reply = ask("/api/v1/out/customers/", {"size": size, "page": page})[1]
        records += reply["data"]
        if page >= reply["pages"]:
            return records
        page += 1


rows = json.load(sys.stdin)
status, pushed = ask("/api/v1/in/customers/", body={"data": rows})
deadline = time.monotonic() + 60
while (job := ask(pushed["job"])[1])["state"] in ("queued", "running"):
    assert time.monotonic() < deadline, job
    time.sleep(0.05)
found = {}
for row in rows:
    query = {"size": 50, "page": 1, "q[external_id_eq]": row["external_id"]}
    data = ask("/api/v1/out/customers/", query)[1]["data"]
    found[row["external_id"]] = [record["external_id"] for record in data]
read = sorted(record["external_id"] for record in all_records(3))
json.dump({"status": status, "pushed": pushed, "job": job, "read": read, "found": found}, sys.stdout)
