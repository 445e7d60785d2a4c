"""Fields, groups, and customers of a workspace: checked, stored, read, changed, erased."""

from typing import Any

from api import Caller, counts

FIELDS = [
    {"name": "customer_number", "field_type": "string", "unique_identifier": True, "required": True},
    {"name": "full_name", "field_type": "string", "is_pii": True, "required": True},
    {"name": "born", "field_type": "date", "field_format": "dd/MM/yyyy", "is_pii": True},
    {"name": "tier", "field_type": "enum", "values": [{"value": "g", "name": "Gold"}, {"value": "s", "name": "Silver"}]},
]


def with_workspace(caller: Caller) -> None:
    """Defines fields and a group."""
    caller.call("PUT", "/v1/workspace/fields", json={"fields": FIELDS}).expect(200)
    caller.post("/v1/groups", {"id": "members", "name": "Members", "dataset": "workspace"}).expect(201)


def customer(number: int, **values: str) -> dict[str, Any]:
    """A customer's row."""
    return {"customer_number": str(number), "full_name": f"Ann Okello-{number}", "born": "31/12/1990", **values}


def check(caller: Caller, customers: list[dict[str, Any]], expected: int = 200) -> dict[str, Any]:
    """Checks customers, and with 200 gives the ended job."""
    reply = caller.post("/v1/customer/check", {"customer_group_id": "members", "customers": customers})
    body = reply.expect(expected)
    return caller.ended(body["job_id"].rsplit("/", 1)[-1]) if expected == 200 else body


def page(caller: Caller, **options: Any) -> dict[str, dict[str, Any]]:
    """The profiles of the group's first page."""
    read = caller.post("/v1/customer", {"customer_group_id": "members", "page": 0, **options}).expect(200)
    return {found["customer_id"]: found["extended_profile"] for found in read["customers"]}


def test_customers_are_checked_stored_read_and_erased(organization: Caller) -> None:
    with_workspace(organization)
    job = check(organization, [customer(n, tier="Gold") for n in range(30)])
    assert (job["state"], counts(job)) == ("completed", {"created": 30})
    assert organization.page_count("members") == {"pages": 1, "customers": 30, "page_size": 1000}

    closed = page(organization)["7"]
    assert closed["full_name"] != "Ann Okello-7"
    opened = page(organization, reveal=True)["7"]
    assert (opened["full_name"], opened["born"], opened["tier"]) == ("Ann Okello-7", "1990-12-31", "g")

    ids = {"customer_group_id": "members", "customer_ids": ["7", "nobody"]}
    deleted = organization.call("DELETE", "/v1/customer", json=ids).expect(200)
    assert (deleted["deleted"], deleted["not_found"]) == (1, ["nobody"])
    assert len(deleted["receipt"]["erased"]) == 1
    assert organization.page_count("members")["customers"] == 29
    assert "7" not in page(organization)

    refused = check(organization, [customer(7)], expected=400)
    assert [error["code"] for error in refused["errors"]] == ["erased_subject"]
    assert organization.page_count("members")["customers"] == 29

    proof = organization.stack.invoke("VerifyFunction", {"receipt": deleted["receipt"]})
    assert proof["clean"], proof


def test_a_form_with_a_file_is_checked_like_json(organization: Caller) -> None:
    with_workspace(organization)
    rows = "customer_number,full_name,born,tier\n1,Ann,31/12/1990,Gold\n2,Ben,01/02/1980,Silver\n"
    form = {"customer_group_id": "members", "file": ("customers.csv", rows, "text/csv")}
    begun = organization.call("POST", "/v1/customer/check", fields=form).expect(200)
    assert begun["rows"] == 2
    job = organization.ended(begun["job_id"].rsplit("/", 1)[-1])
    assert (job["state"], counts(job)) == ("completed", {"created": 2})
    assert page(organization, reveal=True)["2"]["full_name"] == "Ben"


def test_one_wrong_row_keeps_all_of_a_request_out(organization: Caller) -> None:
    with_workspace(organization)
    refused = check(organization, [customer(1), customer(2, tier="Bronze"), customer(3, born="1990-31-12")], expected=400)
    assert {(error["row"], error["column"]) for error in refused["errors"]} == {(2, "tier"), (3, "born")}
    # A group without customers.
    organization.post("/v1/customer/pages", {"customer_group_id": "members"}).expect(401)


def test_customers_are_changed_and_nobody_is_added(organization: Caller) -> None:
    with_workspace(organization)
    check(organization, [customer(1, tier="Gold"), customer(2)])
    change = {"customer_group_id": "members", "customers": [{"customer_number": "1", "tier": "Silver"}]}
    begun = organization.call("PATCH", "/v1/customer", json=change).expect(200)
    job = organization.ended(begun["job_id"].rsplit("/", 1)[-1])
    assert (job["state"], counts(job)) == ("completed", {"updated": 1})
    changed = page(organization, reveal=True)["1"]
    assert (changed["tier"], changed["full_name"]) == ("s", "Ann Okello-1")

    change["customers"] = [{"customer_number": "404", "tier": "Gold"}]
    refused = organization.call("PATCH", "/v1/customer", json=change).expect(400)
    assert refused["errors"][0]["code"] == "not_found"


def test_a_file_with_an_erased_customer_says_so(organization: Caller) -> None:
    content = b"external_id,profession\ne1,farmer\ne2,tailor\n"
    organization.imported("generic/customers/two.csv", content)
    ids = {"customer_group_id": "customers.generic", "customer_ids": ["e1"]}
    assert organization.call("DELETE", "/v1/customer", json=ids).expect(200)["deleted"] == 1

    job = organization.imported("generic/customers/two again.csv", content)
    assert (job["state"], counts(job)) == ("completed_with_rejections", {"unchanged": 1, "rejected": 1})
    errors = organization.get(f"/v1/jobs/{job['id']}").expect(200)["errors"]
    assert [error["code"] for error in errors] == ["erased_subject"]
    assert organization.page_count("customers.generic")["customers"] == 1
