"""The HTTP API's routes, which ministack does not read from the API's OpenAPI body.

They are made here from that body, one by one, as API Gateway does when it imports it.
"""

import re
from collections.abc import Iterator
from typing import Any

from stack import Stack

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
FUNCTION = re.compile(r"\$\{(\w+)\.Arn\}/invocations")


def route_keys(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each route's key and the logical id of its function."""
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            key = "$default" if path.lstrip("/") == "$default" else f"{'ANY' if method == ANY else method.upper()} {path}"
            yield key, function_of(operation[INTEGRATION]["uri"])


def function_of(uri: Any) -> str:
    """The logical id in the address of an integration."""
    text = uri["Fn::Sub"] if isinstance(uri, dict) else uri
    found = FUNCTION.search(text if isinstance(text, str) else text[0])
    if not found:
        raise ValueError(f"an integration with something other than a function of the template: {uri}")
    return found.group(1)


def create(stack: Stack) -> list[str]:
    """Makes an integration for each function and every route; returns the routes' keys."""
    gateway = stack.aws.client("apigatewayv2")
    functions = stack.aws.client("lambda")
    api = stack.resources["HttpApi"]
    integrations: dict[str, str] = {}
    keys = []
    for key, logical_id in route_keys(stack.processed["Resources"]["HttpApi"]["Properties"]["Body"]):
        if logical_id not in integrations:
            configuration = functions.get_function_configuration(FunctionName=stack.function(logical_id))
            integrations[logical_id] = gateway.create_integration(
                ApiId=api,
                IntegrationType="AWS_PROXY",
                IntegrationUri=configuration["FunctionArn"],
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integrations[logical_id]}")
        keys.append(key)
    return keys
