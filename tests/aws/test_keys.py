"""The organizations' keys: wrapped by KMS, rotated, and everything brought under the new one."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from api import Caller, counts
from stack import Stack
from test_customers import check, customer, page, with_workspace


def wrapped_key(stack: Stack, organization: int, version: int = 1) -> bytes:
    """An encryption key as the table holds it."""
    item = stack.item(f"ORG#{organization}", f"KEY#encryption#{version:010}")
    assert item is not None
    return bytes(item["wrapped"]["B"])


def every_value(stack: Stack) -> list[Any]:
    """Every text and every binary value of the table, however deep."""
    values: list[Any] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)
        else:
            values.append(value)

    for scanned in stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table):
        collect(scanned["Items"])
    return values


def key_version(ciphertext: str) -> int:
    """The version of the key that a value is encrypted with: format byte, then 32 bits."""
    return int.from_bytes(base64.b64decode(ciphertext)[1:5], "big")


def test_kms_wraps_the_keys_for_one_organization_each(stack: Stack, organization: Caller) -> None:
    with_workspace(organization)
    check(organization, [customer(1)])
    number = organization.organization
    wrapped = wrapped_key(stack, number)
    kms = stack.aws.client("kms")

    opened = kms.decrypt(CiphertextBlob=wrapped, EncryptionContext={"organization_id": str(number)})
    key = opened["Plaintext"]
    assert opened["KeyId"] == stack.outputs["KeyArn"]
    assert len(key) == 32
    for context in ({"organization_id": str(number + 1)}, {}):
        with pytest.raises(ClientError) as refused:
            kms.decrypt(CiphertextBlob=wrapped, EncryptionContext=context)
        assert refused.value.response["Error"]["Code"] == "InvalidCiphertextException"

    # It is the key that clients are given to decrypt with, and it is nowhere in the table.
    listed = organization.get("/v1/organization/keys").expect(200)["keys"]
    assert base64.b64decode(listed[0]["key"]) == key
    written = (base64.b64encode(key).decode(), key.hex())
    values = every_value(stack)
    assert wrapped in [bytes(value) for value in values if not isinstance(value, (str, bool))]
    for value in values:
        assert not any(form in value for form in written) if isinstance(value, str) else True
        assert key not in bytes(value) if isinstance(value, bytes) else True


def test_values_are_brought_under_a_new_key(stack: Stack, organization: Caller) -> None:
    with_workspace(organization)
    check(organization, [customer(n) for n in range(5)])
    assert {key_version(profile["full_name"]) for profile in page(organization).values()} == {1}

    rotated = organization.call("POST", "/v1/organization/keys/rotate").expect(201)
    assert rotated["version"] == 2
    assert wrapped_key(stack, organization.organization, 2) != wrapped_key(stack, organization.organization)
    assert page(organization, reveal=True)["3"]["full_name"] == "Ann Okello-3"

    begun = organization.call("POST", "/v1/organization/keys/rewrap").expect(202)
    job = organization.ended(begun["id"])
    assert (job["state"], counts(job)) == ("completed", {"updated": 5})
    assert {key_version(profile["full_name"]) for profile in page(organization).values()} == {2}
    assert page(organization, reveal=True)["3"]["full_name"] == "Ann Okello-3"
