"""CUSTOMER events: over HTTP, in files, through EventBridge."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api import Caller, counts
from queues import message
from stack import EVENT_ORGANIZATION, EVENT_SOURCE, Stack
from waiting import until


def event(customer: str, updated_at: str = "2026-02-01T10:00:00Z", **body: Any) -> dict[str, Any]:
    """One event."""
    common = {"customerId": customer, "addresses": [], "createdAt": "2026-01-15T08:30:00Z", "updatedAt": updated_at}
    return {"eventType": "CUSTOMER", "eventAction": "UPDATED", "version": 1.0, "body": {**common, **body}}


@pytest.fixture
def receiver(caller: Callable[..., Caller]) -> Caller:
    """The organization whose events come through EventBridge."""
    made = caller(EVENT_ORGANIZATION)
    made.post("/v1/groups", {"id": "known", "name": "Known", "dataset": "profiles"})
    return made


def profile(caller: Caller, customer: str) -> dict[str, Any] | None:
    """What is stored of a customer."""
    found = caller.get(f"/api/v1/out/profiles?source=events&q[external_id_eq]={customer}").expect(200)
    return found["data"][0] if found["data"] else None


def put(stack: Stack, detail: dict[str, Any]) -> None:
    """Puts an event on the bus."""
    entry = {"EventBusName": "default", "Source": EVENT_SOURCE, "DetailType": "CUSTOMER", "Detail": json.dumps(detail)}
    assert stack.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_events_over_http_are_stored_and_stale_ones_change_nothing(organization: Caller) -> None:
    new = event("h-1", status="ACTIVE", marketingOptIn=True)
    old = event("h-1", "2026-01-31T10:00:00Z", status="DELETED")
    reply = organization.post("/v1/events", [new, old, {"eventType": "CUSTOMER"}]).expect(202)
    assert (reply["accepted"], [entry["index"] for entry in reply["rejected"]]) == (2, [2])
    assert reply["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "stale": 1}
    stored = profile(organization, "h-1")
    assert stored is not None and stored["status"] == "ACTIVE"
    organization.post("/v1/events", {"eventType": "CUSTOMER"}).expect(422)


def test_a_file_of_events_is_imported(organization: Caller) -> None:
    lines = "\n".join(json.dumps(event(f"f-{n}", dateOfBirth="1990-04-23")) for n in range(25))
    job = organization.imported("events/profiles/feed.ndjson", lines.encode())
    assert (job["state"], counts(job)) == ("completed", {"created": 25})
    assert organization.page_count("profiles.events")["customers"] == 25


def test_events_come_through_eventbridge(stack: Stack, receiver: Caller) -> None:
    put(stack, event("b-1", status="ACTIVE", addresses=[{
        "addressId": "A-1", "line1": "1 High Street", "city": "Leeds", "zipCode": "LS1 4AP", "countryCode": "GB"}]))
    stored = until("the event is stored", lambda: profile(receiver, "b-1"))
    assert (stored["status"], stored["addresses"][0]["city"]) == ("ACTIVE", "Leeds")
    assert stored["addresses"][0]["line1"] != "1 High Street"


def test_an_invalid_event_from_eventbridge_waits_in_the_queue(stack: Stack, receiver: Caller) -> None:
    invalid = event("b-2")
    del invalid["body"]["addresses"]
    put(stack, invalid)
    failed = message(stack, "FailedEvents")
    assert failed["responsePayload"]["errorType"] == "InvalidEvent"
    assert "/body/addresses" in failed["responsePayload"]["errorMessage"]
    assert failed["requestPayload"]["detail"]["body"]["customerId"] == "b-2"
    assert profile(receiver, "b-2") is None
