"""What schemathesis cannot know from the document."""

import os
import re
import uuid

import schemathesis

KEY = "Idempotency-Key"
# A job that exists, so that not every answer about jobs is that there is none.
JOB = os.environ.get("CLIENTELE_JOB", "")


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """Lines are written as they are."""
    return str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(ctx, case, **kwargs):
    renew_key(case)
    name_job(case)


def renew_key(case):
    """A key belongs to one request: the same with another one is 422, as it should be."""
    headers = case.headers or {}
    for name in list(headers):
        if name.lower() == KEY.lower() and re.fullmatch("[!-~]{1,255}", str(headers[name])):
            headers[name] = str(uuid.uuid4())


def name_job(case):
    """Every other request about a job is about one that exists."""
    parameters = case.path_parameters or {}
    if JOB and case.path.startswith("/v1/jobs/{id}") and hash(str(parameters.get("id"))) % 2:
        parameters["id"] = JOB


@schemathesis.hook
def map_body(ctx, body):
    """408.0 is an integer to JSON Schema and no id to the registry: ids are what is written."""
    return whole(body)


def whole(value):
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(element) for element in value]
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return value
