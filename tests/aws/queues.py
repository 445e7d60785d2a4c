"""The queues of what failed."""

import json
from typing import Any

from stack import Stack
from waiting import until


def message(stack: Stack, queue: str, keep: bool = False, seconds: float = 180) -> dict[str, Any]:
    """The next message of a queue, which it takes out unless it is to be kept."""
    sqs, url = stack.aws.client("sqs"), stack.resources[queue]

    def probe() -> dict[str, Any] | None:
        received = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0 if keep else 30)
        return (received.get("Messages") or [None])[0]

    found = until(f"a message in {queue}", probe, seconds)
    if not keep:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
    return json.loads(found["Body"])


def length(stack: Stack, queue: str) -> int:
    """How many messages are in a queue, visible or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.aws.client("sqs").get_queue_attributes(QueueUrl=stack.resources[queue], AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)
