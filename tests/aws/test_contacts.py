"""Contacts: one, a hundred, listed, refused."""

from typing import Any

from api import Caller


def contact(number: int) -> dict[str, Any]:
    """What a form sends."""
    return {"name": f"Amina {number}", "email": f"amina{number}@example.com", "source": "web", "country": "Kenya"}


def test_contacts_are_made_one_by_one_and_a_hundred_at_once(organization: Caller) -> None:
    made = organization.post("/external/v1/customers", contact(0)).expect(201)
    assert made["customer_id"].startswith("CUS-")
    assert (made["name"], made["organization_id"]) == ("Amina 0", organization.organization)

    bulk = organization.post("/external/v1/customers/bulk", {"customers": [contact(n) for n in range(1, 101)]}).expect(201)
    assert bulk["created"] == 100
    ids = [customer["id"] for customer in bulk["customers"]]
    assert len(set(ids)) == 100

    listed = organization.get("/external/v1/customers?page=2&page_size=20").expect(200)
    assert (listed["total"], listed["page"], listed["total_pages"]) == (101, 2, 6)
    assert (len(listed["data"]), listed["has_next"], listed["has_previous"]) == (20, True, True)
    # The path that the old system has published.
    assert organization.get("/external/v1/external/v1/customers").expect(200)["total"] == 101


def test_a_wrong_contact_is_refused_in_the_dialect_s_own_form(organization: Caller) -> None:
    refused = organization.post("/external/v1/customers", {"name": "Amina", "source": "web"}).expect(422)
    assert refused == {"detail": [{"loc": ["body", "email"], "msg": "Field required", "type": "missing"}]}
    bulk = {"customers": [contact(1), {"name": "Ben", "source": "web"}]}
    refused = organization.post("/external/v1/customers/bulk", bulk).expect(422)
    assert refused["detail"][0]["loc"] == ["body", "customers", 1, "email"]
    assert organization.get("/external/v1/customers").expect(200)["total"] == 0
