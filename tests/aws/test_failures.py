"""What fails each time waits in a queue, and is sent again once its cause is mended."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_plus

from api import Caller, counts
from queues import length, message
from stack import NAME, ROOT, Stack
from waiting import until

CONTACT = {"name": "Amina Yusuf", "email": "amina.yusuf@example.com", "source": "web"}


def wrapped_keys(stack: Stack, organization: int) -> list[dict]:
    """The items of an organization's wrapped keys."""
    return stack.aws.client("dynamodb").query(
        TableName=stack.table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": f"ORG#{organization}"}, ":sk": {"S": "KEY#"}},
    )["Items"]


def store_wrapped(stack: Stack, item: dict, wrapped: bytes) -> None:
    """Writes a wrapped key, as somebody would who damages or mends the table."""
    stack.aws.client("dynamodb").update_item(
        TableName=stack.table,
        Key={"pk": item["pk"], "sk": item["sk"]},
        UpdateExpression="SET #wrapped = :wrapped",
        ExpressionAttributeNames={"#wrapped": "wrapped"},
        ExpressionAttributeValues={":wrapped": {"B": wrapped}},
    )


def damaged(wrapped: bytes) -> bytes:
    """A ciphertext with another last byte, which its tag does not match."""
    return wrapped[:-1] + bytes([wrapped[-1] ^ 1])


def with_aws_cli(stack: Stack) -> Path:
    """A folder with an `aws` that is the CLI of the tests' environment.

    It is told the endpoint: version 1, which PyPI has, sends calls for SQS to an old host name of
    AWS's whatever `AWS_ENDPOINT_URL` says.
    """
    folder = stack.aws.folder / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "aws"
    original = Path(sys.executable).parent / "aws"
    command.write_text(f'#!/bin/sh\nexec "{original}" --endpoint-url {stack.aws.endpoint} "$@"\n')
    command.chmod(0o755)
    return folder


def replay(stack: Stack, what: str) -> str:
    """Runs the operator's script against the emulator."""
    environment = stack.aws.environment()
    environment["PATH"] = f"{with_aws_cli(stack)}:{environment['PATH']}"
    command = [str(ROOT / "scripts" / "replay-failed"), NAME, what]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_poison_file_waits_in_the_queue_until_it_is_sent_again(
    stack: Stack, organization: Caller, caller: Callable[..., Caller]
) -> None:
    # Has the api function make the organization's keys; the import function has seen none of them.
    organization.post("/external/v1/customers", CONTACT).expect(201)
    keys = wrapped_keys(stack, organization.organization)
    assert keys
    for key in keys:
        store_wrapped(stack, key, damaged(key["wrapped"]["B"]))

    key = "generic/customers/poison file.csv"
    organization.drop(key, b"external_id,name\np1,Poisoned Name\np2,Other Name\n")
    neighbour = caller(organization.organization + 10_000)
    neighbour.post("/v1/sources", {"data_origin": "generic", "datasets": ["customers"]}).expect(201)
    job = neighbour.imported("generic/customers/neighbour.csv", b"external_id\nn1\nn2\n")
    assert (job["state"], counts(job)) == ("completed", {"created": 2})

    failed = message(stack, "FailedImports", keep=True)
    assert failed["responsePayload"]["errorType"] == "ImportInterrupted"
    record = failed["requestPayload"]["Records"][0]
    assert unquote_plus(record["s3"]["object"]["key"]) == f"inbox/{organization.organization}/{key}"
    assert "Poisoned Name" not in str(failed)
    assert length(stack, "FailedImports") == 1

    for item in keys:
        store_wrapped(stack, item, item["wrapped"]["B"])
    assert replay(stack, "imports") == "1 imports were sent again"

    begun = until("the file's job", lambda: imports_of(organization, "poison file.csv"))
    ended = organization.ended(begun[0])
    assert (ended["state"], counts(ended)) == ("completed", {"created": 2})
    assert organization.page_count("customers.generic")["customers"] == 2
    assert length(stack, "FailedImports") == 0


def imports_of(caller: Caller, filename: str) -> list[str]:
    """The jobs of files of this name."""
    jobs = caller.get("/v1/jobs").expect(200)["jobs"]
    return [job["id"] for job in jobs if job["filename"] == filename]
