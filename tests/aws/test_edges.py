"""Who is let in, and what is said of paths that nobody serves."""

from collections.abc import Callable

import pytest

import routes
from api import Caller
from identity import IdentityProvider
from stack import Stack, parameters

PROBLEM = "application/problem+json"


def test_every_route_of_the_template_reaches_its_function(stack: Stack) -> None:
    deployed = stack.aws.client("apigatewayv2").get_paginator("get_routes").paginate(ApiId=stack.resources["HttpApi"])
    keys = {route["RouteKey"] for page in deployed for route in page["Items"]}
    events = stack.source["Resources"]
    wanted = set()
    for function in events.values():
        for event in function.get("Properties", {}).get("Events", {}).values() if "Function" in function["Type"] else []:
            if event["Type"] == "HttpApi":
                properties = event["Properties"]
                wanted.add(f"{properties['Method']} {properties['Path']}" if "Path" in properties else "$default")
    assert len(wanted) > 30
    assert keys == wanted
    assert set(dict(routes.route_keys(stack.processed["Resources"]["HttpApi"]["Properties"]["Body"])).values()) == {
        "ApiFunction", "PagesFunction", "DocsFunction"}


def test_every_parameter_of_the_template_was_given(stack: Stack, identity: IdentityProvider) -> None:
    assert set(parameters(identity)) == set(stack.source["Parameters"])


@pytest.mark.parametrize("path", ["/v1/jobs", "/api/v1/out/customers", "/v1/sources"])
def test_nobody_without_a_valid_token_is_let_in(stack: Stack, caller: Callable[..., Caller], path: str) -> None:
    strangers = [
        None,
        "nonsense",
        IdentityProvider().token(1),
        caller(1, iss="https://else.example.com/").token,
        caller(1, exp=1_700_000_000).token,
    ]
    for token in strangers:
        reply = Caller(stack, token, 1).get(path)
        assert (reply.status, reply.headers["content-type"]) == (401, PROBLEM)
        assert reply.json["request_id"]


def test_a_missing_scope_is_forbidden(caller: Callable[..., Caller]) -> None:
    reply = caller(1, scope="records:read").get("/v1/sources")
    assert (reply.status, reply.headers["content-type"]) == (403, PROBLEM)


def test_another_organization_s_job_does_not_exist(organization: Caller, caller: Callable[..., Caller]) -> None:
    job = organization.imported("generic/customers/one.csv", b"external_id\n1\n")
    assert organization.get(f"/v1/jobs/{job['id']}").status == 200
    assert caller(organization.organization + 20_000).get(f"/v1/jobs/{job['id']}").status == 404


def test_unknown_paths_and_methods_are_answered_by_the_default_route(organization: Caller) -> None:
    unknown = organization.get("/v1/nothing/of/the/kind")
    assert (unknown.status, unknown.headers["content-type"]) == (404, PROBLEM)
    wrong = organization.call("PUT", "/v1/groups")
    assert (wrong.status, wrong.headers["content-type"]) == (405, PROBLEM)
    assert "GET" in wrong.headers["allow"]
    assert organization.get("/api/v1/out/customers/").expect(200)["total"] == 0


def test_the_schema_of_events_is_for_anyone(stack: Stack) -> None:
    reply = Caller(stack, None, 0).get("/schemas/profiles.json")
    assert reply.expect(200)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    again = Caller(stack, None, 0).call("GET", "/schemas/profiles.json", headers={"If-None-Match": reply.headers["etag"]})
    assert again.status == 304
