"""The emulator as the tests run it: ministack, and what it does not do yet of what the bundle needs.

Started by `emulated_aws.py` as an ASGI application of its own process.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app as ministack
from ministack.core import iam_actions
from ministack.services import eventbridge, lambda_svc

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
PROTOCOL = b"x-forwarded-proto"


def over_tls(inner: Application) -> Application:
    """Says of each request that it came over TLS, unless the request says something else.

    The bucket's policy refuses what did not. The functions trust only the authorities that AWS's own
    certificates come from, so the loopback has to do without a certificate.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and all(name != PROTOCOL for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (PROTOCOL, b"https")]}
        await inner(scope, receive, send)

    return application


def condition_keys(service: str, body: bytes) -> dict[str, Any]:
    """The keys for conditions of policies that ministack leaves out and the template's roles use."""
    if service not in ("kms", "dynamodb"):
        return {}
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    if service == "kms":
        context = request.get("EncryptionContext") or {}
        return {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    item = request.get("Key") or request.get("Item") or {}
    return {"dynamodb:LeadingKeys": [item["pk"]["S"]]} if "pk" in item else {}


def know_condition_keys() -> None:
    """Adds these keys to those that policies are evaluated with."""
    known = iam_actions.request_tag_context

    def with_condition_keys(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        return {**known(service, action, body, params), **condition_keys(service, body)}

    iam_actions.request_tag_context = with_condition_keys


def retry_events() -> None:
    """Has EventBridge invoke functions as it does on AWS, asynchronously: with retries and the queue behind them."""

    def invoke(arn: str, payload: str) -> None:
        function, _, name = lambda_svc._get_func_record_for_ref(arn)
        if not function:
            raise LookupError(f"a rule names the function {name}, which does not exist")
        lambda_svc.invoke_async_with_retry(function, json.loads(payload))

    eventbridge._dispatch_to_lambda = invoke


if not ministack.AUTH:
    raise SystemExit("set AUTH=true: without it ministack lets everybody do everything")
know_condition_keys()
retry_events()
app = over_tls(ministack.app)
