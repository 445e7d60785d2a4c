"""The roles as they were deployed: what they allow, and what they do not.

All other tests run the functions under these roles too, since the emulator evaluates policies.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from stack import BUCKET, Stack

KEY = {"pk": {"S": "ORG#1"}, "sk": {"S": "ORGANIZATION"}}
RATE = {"pk": {"S": "RATE#1"}, "sk": {"S": "RATE"}}
DENIED = {"AccessDenied", "AccessDeniedException"}


class User:
    """Somebody who may do what a role may."""

    def __init__(self, stack: Stack, role: str) -> None:
        self._stack = stack
        iam, name = stack.aws.client("iam"), stack.resources[role]
        iam.create_user(UserName=name)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=as_text(document))
        self._key = iam.create_access_key(UserName=name)["AccessKey"]

    def client(self, service: str) -> Any:
        """A client in this user's name."""
        return boto3.client(
            service,
            endpoint_url=self._stack.aws.endpoint,
            region_name="eu-west-1",
            aws_access_key_id=self._key["AccessKeyId"],
            aws_secret_access_key=self._key["SecretAccessKey"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )


def as_text(document: Any) -> str:
    """A policy as IAM takes it."""
    return document if isinstance(document, str) else json.dumps(document)


def outcome(call: Callable[[], Any]) -> str:
    """What became of a call: done, or the error's code."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


@pytest.fixture(scope="module")
def users(stack: Stack) -> Iterator[dict[str, User]]:
    """One for each role."""
    roles = [name for name in stack.resources if name.endswith("Role")]
    yield {role: User(stack, role) for role in roles}
    # No entry, and in the way of whoever reads the journal.
    stack.aws.client("s3").delete_object(Bucket=BUCKET, Key="fences/test")


def calls(stack: Stack, user: User) -> dict[str, Callable[[], Any]]:
    """One call of each kind that some function makes, or must not make."""
    dynamodb, s3, kms = user.client("dynamodb"), user.client("s3"), user.client("kms")
    lambda_, key = user.client("lambda"), stack.outputs["KeyArn"]
    mine = {"organization_id": "1"}
    return {
        "read an item": lambda: dynamodb.get_item(TableName=stack.table, Key=KEY),
        "scan the table": lambda: dynamodb.scan(TableName=stack.table, Limit=1),
        "write an item": lambda: dynamodb.put_item(TableName=stack.table, Item={"pk": {"S": "TEST#1"}, "sk": {"S": "1"}}),
        "count a request": lambda: dynamodb.put_item(TableName=stack.table, Item=RATE),
        "delete an item": lambda: dynamodb.delete_item(TableName=stack.table, Key={"pk": {"S": "TEST#1"}, "sk": {"S": "1"}}),
        "delete the table": lambda: dynamodb.delete_table(TableName=stack.table),
        "read a dropped file": lambda: s3.get_object(Bucket=BUCKET, Key="inbox/none"),
        "read the journal": lambda: s3.get_object(Bucket=BUCKET, Key="fences/none"),
        "add to the journal": lambda: s3.put_object(Bucket=BUCKET, Key="fences/test", Body=b""),
        "delete from the journal": lambda: s3.delete_object(Bucket=BUCKET, Key="fences/test"),
        "wrap a key": lambda: kms.encrypt(KeyId=key, Plaintext=b"1", EncryptionContext=mine),
        "wrap for nobody": lambda: kms.encrypt(KeyId=key, Plaintext=b"1"),
        "delete the key": lambda: kms.schedule_key_deletion(KeyId=key),
        "invoke a function": lambda: lambda_.invoke(FunctionName=stack.function("VerifyFunction")),
    }


RECORDS = {"read an item", "write an item", "count a request"}
ALLOWED = {
    "ApiRole": RECORDS | {"delete an item", "add to the journal", "wrap a key"},
    "ImportRole": RECORDS | {"delete an item", "read a dropped file", "wrap a key"},
    "PagesRole": {"read an item", "count a request"},
    "EventsRole": RECORDS | {"wrap a key"},
    "VerifyRole": RECORDS | {"delete an item", "scan the table", "read the journal"},
    "DocsRole": set(),
}


@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_a_role_allows_what_its_function_does_and_nothing_else(stack: Stack, users: dict[str, User], role: str) -> None:
    outcomes = {name: outcome(call) for name, call in calls(stack, users[role]).items()}
    allowed = {name for name, code in outcomes.items() if code not in DENIED}
    assert allowed == ALLOWED[role], outcomes


def test_there_is_a_row_for_every_role(users: dict[str, User]) -> None:
    assert set(users) == set(ALLOWED)


def test_the_bucket_is_closed_to_what_does_not_come_over_tls(stack: Stack, users: dict[str, User]) -> None:
    s3 = users["ImportRole"].client("s3")
    read = lambda: s3.get_object(Bucket=BUCKET, Key="inbox/none")  # noqa: E731
    assert outcome(read) == "NoSuchKey"

    def in_clear(request: Any, **_: Any) -> None:
        request.headers["X-Forwarded-Proto"] = "http"

    s3.meta.events.register("before-send.s3", in_clear)
    assert outcome(read) in DENIED
