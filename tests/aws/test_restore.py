"""A table that was restored from a backup takes the place of the stack's own."""

from collections.abc import Iterator

import pytest

import stack as deployment
from api import Caller
from identity import IdentityProvider
from stack import Stack

RESTORED = "clientele-restored"
GROUP = "customers.generic"


def back_up(stack: Stack) -> None:
    """Copies the table as it is now, under another name, as a restore of this moment would."""
    dynamodb = stack.aws.client("dynamodb")
    own = dynamodb.describe_table(TableName=stack.table)["Table"]
    dynamodb.create_table(
        TableName=RESTORED,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=own["KeySchema"],
        AttributeDefinitions=own["AttributeDefinitions"],
    )
    for page in dynamodb.get_paginator("scan").paginate(TableName=stack.table, ConsistentRead=True):
        for first in range(0, len(page["Items"]), 25):
            puts = [{"PutRequest": {"Item": item}} for item in page["Items"][first : first + 25]]
            reply = dynamodb.batch_write_item(RequestItems={RESTORED: puts})
            assert not reply["UnprocessedItems"]


@pytest.fixture
def own_table_again(stack: Stack, identity: IdentityProvider) -> Iterator[None]:
    """Has the functions use the stack's own table afterwards."""
    yield
    deployment.deploy(stack.aws, identity)


def members(caller: Caller) -> int:
    """How many customers there are."""
    found: int = caller.page_count(GROUP)["customers"]
    return found


@pytest.mark.usefixtures("own_table_again")
def test_a_restored_table_is_used_and_forgets_who_was_erased(
    stack: Stack, identity: IdentityProvider, organization: Caller
) -> None:
    organization.imported("generic/customers/three.csv", b"external_id,name\n1,One\n2,Two\n3,Three\n")
    back_up(stack)
    erased = {"customer_group_id": GROUP, "customer_ids": ["2"]}
    assert organization.call("DELETE", "/v1/customer", json=erased).expect(200)["deleted"] == 1
    assert members(organization) == 2

    restored = deployment.deploy(stack.aws, identity, RestoredTableName=RESTORED)
    assert restored.table == RESTORED
    assert members(organization) == 3
    applied = restored.invoke("VerifyFunction", {"apply_fences": True})
    assert applied["clean"], applied
    assert members(organization) == 2
    # Everything works on it, and whoever was erased does not come back.
    job = organization.imported("generic/customers/more.csv", b"external_id,name\n2,Two\n4,Four\n")
    assert (job["created"], job["rejected"]) == (1, 1)
    assert members(organization) == 3
