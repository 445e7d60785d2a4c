"""What all other tests leave behind: counts that agree, and logs without personal values."""

import json
from collections.abc import Iterator

import pytest

from api import Caller
from stack import ROOT, Stack
from test_files import rows_of

# Of customers, contacts, events and keys in the other tests.
CANARIES = [
    "John Smith",
    "Ann Okello",
    "Amina Yusuf",
    "amina1@example.com",
    "Poisoned Name",
    "1 High Street",
    "LS1 4AP",
    "1990-04-23",
    "commerçant",
    # As JSON may have it.
    "commer\\u00e7ant",
    "Bearer ",
]
PERSONAL = ("name", "address", "email", "phone", "phone_2", "identification_number")
GROUPS = ("ApiLogs", "PagesLogs", "DocsLogs", "VerifyLogs", "ImportLogs", "EventsLogs")


def messages(stack: Stack, group: str) -> Iterator[str]:
    """Everything in a log group."""
    logs = stack.aws.client("logs")
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        yield from (event["message"] for event in page["events"])


@pytest.mark.last
def test_records_memberships_and_counters_agree(stack: Stack) -> None:
    event = json.loads((ROOT / "events" / "verify.json").read_text())
    report = stack.invoke("VerifyFunction", event)
    assert report["clean"], report["differences"]
    assert report["records"] > 10_000
    assert report["memberships"] >= report["records"]


@pytest.mark.last
def test_no_log_holds_a_personal_value(stack: Stack) -> None:
    Caller(stack, None, 0).get("/schemas/profiles.json").expect(200)
    logs = stack.aws.client("logs")
    pages = logs.get_paginator("describe_log_groups").paginate()
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    text = {group: "\n".join(messages(stack, group)) for group in groups}
    # Each function has written to its own group, in JSON, and not to a group that Lambda makes.
    for logical_id in GROUPS:
        assert "RequestId" in text[stack.resources[logical_id]], logical_id
    assert not [group for group in groups if group.startswith("/aws/lambda/")]
    for logical_id in ("ApiLogs", "PagesLogs", "ImportLogs", "EventsLogs"):
        assert '"target":"clientele::audit"' in text[stack.resources[logical_id]], logical_id

    personal = {row[name] for row in rows_of("customers.csv") for name in PERSONAL if len(row[name]) > 7}
    assert len(personal) > 500
    for group, written in text.items():
        found = sorted(value for value in [*CANARIES, *personal] if value in written)
        assert not found, f"{group} holds {found[:5]}"
