"""Files that are put into the bucket: S3's own events have them imported."""

import csv
import io
import json
from collections.abc import Callable

from api import Caller, counts
from stack import BUCKET, ROOT, Stack

FILES = ROOT / "tests" / "files"


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of one of the test files."""
    with (FILES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """Rows as a csv file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def inbox(stack: Stack, organization: int) -> list[str]:
    """What is left of an organization's files."""
    reply = stack.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"inbox/{organization}/")
    return [entry["Key"] for entry in reply.get("Contents", [])]


def test_a_csv_becomes_a_job_records_and_pages(stack: Stack, caller: Callable[..., Caller]) -> None:
    one = caller(1)
    one.post("/v1/sources", {"data_origin": "generic", "datasets": ["customers"]}).expect(201)
    content = (FILES / "customers.csv").read_bytes()

    job = one.imported("generic/customers/customers.csv", content)
    assert (job["state"], counts(job), job["rows_read"]) == ("completed", {"created": 250}, 250)
    assert job["format"] == "csv"
    assert inbox(stack, 1) == []

    assert one.page_count("customers.generic") == {"pages": 1, "customers": 250, "page_size": 1000}
    page = one.post("/v1/customer", {"customer_group_id": "customers.generic", "page": 0}).expect(200)
    read = {customer["customer_id"]: customer["extended_profile"] for customer in page["customers"]}
    assert set(read) == {row["external_id"] for row in rows_of("customers.csv")}
    assert read["6574"]["country"] == "UG"
    # Stored as a pseudonym: SHA-256 of "John Smith".
    assert read["6574"]["name"] == "ef61a579c907bbed674c0dbcbcf7f7af8f851538eef7b8e58c5bee0b8cfdac4a"

    again = one.imported("generic/customers/the same once more.csv", content)
    assert (again["state"], counts(again)) == ("completed", {"unchanged": 250})
    assert one.page_count("customers.generic")["customers"] == 250


def test_xlsx_and_json_give_the_same_records_as_csv(organization: Caller) -> None:
    xlsx = organization.imported("generic/customers/customers.xlsx", (FILES / "customers.xlsx").read_bytes())
    assert (xlsx["state"], xlsx["format"], counts(xlsx)) == ("completed", "xlsx", {"created": 250})

    rows = json.dumps(rows_of("customers.csv")).encode()
    job = organization.imported("generic/customers/rows.json", rows)
    assert (job["state"], job["format"], counts(job)) == ("completed", "json", {"unchanged": 250})


def test_a_file_of_more_than_10000_rows_is_imported_in_parts(stack: Stack, organization: Caller) -> None:
    # More than 5 MiB, so that it is also uploaded in parts.
    rows = [{"external_id": f"large-{n}", "profession": f"profession {n % 7} ".ljust(540, ".")} for n in range(10_400)]
    content = as_csv(rows)
    assert len(content) > 5 << 20

    job = organization.imported("generic/customers/large.csv", content, seconds=300)

    assert (job["state"], counts(job), job["rows_total"]) == ("completed", {"created": 10_400}, 10_400)
    assert organization.page_count("customers.generic") == {"pages": 11, "customers": 10_400, "page_size": 1000}
    last = organization.post("/v1/customer", {"customer_group_id": "customers.generic", "page": 10}).expect(200)
    assert len(last["customers"]) == 400
    parts = stack.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"parts/{job['id']}/")
    assert parts["KeyCount"] == 0


def test_a_file_with_wrong_rows_names_them_and_keeps_the_others(organization: Caller) -> None:
    content = (FILES / "customers_with_errors.csv").read_bytes()
    job = organization.imported("generic/customers/errors.csv", content)
    assert job["state"] == "completed_with_rejections"
    assert counts(job) == {"created": 6, "duplicates": 1, "rejected": 5}

    rejected = organization.get(f"/v1/jobs/{job['id']}/rejected.csv")
    assert rejected.status == 200
    lines = list(csv.DictReader(io.StringIO(rejected.data.decode("utf-8-sig"))))
    assert {line["error_code"] for line in lines} >= {"required", "decimal_comma", "not_in_enum", "spreadsheet_damage"}


def test_a_file_that_cannot_be_imported_is_set_aside(stack: Stack, organization: Caller) -> None:
    content = (FILES / "customers_near_miss.csv").read_bytes()
    job = organization.imported("generic/customers/near miss + more.csv", content)
    assert (job["state"], counts(job)) == ("failed", {})
    listed = stack.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="failed/")
    assert any(f"/{organization.organization}/" in entry["Key"] for entry in listed["Contents"])
    assert inbox(stack, organization.organization) == []


def test_a_file_of_meters_makes_their_customers_too(organization: Caller) -> None:
    meters = organization.imported("generic/meters/meters.csv", (FILES / "meters.csv").read_bytes())
    assert (meters["state"], counts(meters)) == ("completed", {"created": 60})
    assert organization.page_count("meters.generic")["customers"] == 60
    assert organization.page_count("customers.generic")["customers"] == 46

    found = organization.get("/api/v1/out/customers?source=generic&q[external_id_eq]=8574").expect(200)
    assert (found["total"], found["data"][0]["profession"]) == (1, "commerçant")


def test_rows_that_are_pushed_are_staged_and_imported(organization: Caller) -> None:
    body = {"data": [{"external_id": str(n), "birth_year": "1990"} for n in range(40)]}
    begun = organization.post("/api/v1/in/customers?source=generic", body).expect(201)
    job = organization.ended(begun["job"])
    assert (job["state"], counts(job)) == ("completed", {"created": 40})
    read = organization.get("/api/v1/out/customers?source=generic&page=1&size=50").expect(200)
    assert (read["total"], len(read["data"])) == (40, 40)
