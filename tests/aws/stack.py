"""Deploys the built template into the emulator with the commands that the README names."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emulated_aws import ACCOUNT, EmulatedAws
from identity import AUDIENCE, ISSUER, SCOPE_PREFIX, IdentityProvider

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "build"
NAME = "clientele"
BUCKET = "clientele-tests"
ARTIFACTS = "clientele-tests-artifacts"
EVENT_SOURCE = "com.example.loyalty"
# The organization whose events come through EventBridge.
EVENT_ORGANIZATION = 5


@dataclass
class Stack:
    """The deployed stack: what it is made of, and its services."""

    aws: EmulatedAws
    outputs: dict[str, str]
    # Logical ids, and what they became.
    resources: dict[str, str]
    # template.yaml as `sam build` has left it.
    source: dict[str, Any]
    # The template as CloudFormation ran it, without SAM's own resource types.
    processed: dict[str, Any]

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.outputs["TableName"]

    def function(self, logical_id: str) -> str:
        """The name of a function."""
        return self.resources[logical_id]

    def invoke(self, logical_id: str, event: Any) -> Any:
        """Invokes a function and waits for what it returns; a failure of the function fails."""
        payload = json.dumps(event).encode()
        reply = self.aws.client("lambda").invoke(FunctionName=self.function(logical_id), Payload=payload)
        answer = json.loads(reply["Payload"].read())
        assert "FunctionError" not in reply, answer
        return answer

    def item(self, pk: str, sk: str) -> dict[str, Any] | None:
        """An item of the table, as DynamoDB gives it."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        reply = self.aws.client("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return reply.get("Item")


def prepare(aws: EmulatedAws) -> None:
    """Makes what a deployment needs beside the template."""
    aws.client("s3").create_bucket(Bucket=ARTIFACTS, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.client("sns").create_topic(Name="operators")


def deploy(aws: EmulatedAws, identity: IdentityProvider, **changed: str) -> Stack:
    """Packages and deploys what `sam build` has left, with every parameter set, some to other values."""
    if not (BUILD / "template.yaml").exists():
        raise RuntimeError("nothing is built; run: .ci/run build")
    command = [
        sam(),
        "deploy",
        *("--template-file", str(BUILD / "template.yaml")),
        *("--stack-name", NAME),
        *("--s3-bucket", ARTIFACTS),
        *("--capabilities", "CAPABILITY_IAM"),
        "--no-confirm-changeset",
        "--no-progressbar",
        "--parameter-overrides",
        *(f"{name}={quoted(value)}" for name, value in (parameters(identity) | changed).items()),
    ]
    done = subprocess.run(command, cwd=ROOT, env=aws.environment(), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"sam deploy failed:\n{done.stdout}\n{done.stderr}")
    return describe(aws)


def parameters(identity: IdentityProvider) -> dict[str, str]:
    """A value for each of the template's parameters."""
    topic = f"arn:aws:sns:eu-west-1:{ACCOUNT}:operators"
    return {
        "BucketName": BUCKET,
        "JwtIssuer": ISSUER,
        "JwtAudience": AUDIENCE,
        "JwtScopePrefix": SCOPE_PREFIX,
        "Jwks": identity.key_set(),
        "ApiUrl": "",
        "ConsoleClientId": "",
        "ConsoleScopes": "openid",
        "DocsUrl": "https://docs.example.com/clientele",
        "InboxRetention": "delete",
        "RateLimitPerMinute": "100000",
        "Architecture": os.environ.get("CLIENTELE_ARCHITECTURE", "x86_64"),
        "LogRetentionDays": "30",
        "ThrottlingRate": "1000",
        "ThrottlingBurst": "2000",
        "ApiReservedConcurrency": "20",
        "PagesReservedConcurrency": "10",
        "DocsReservedConcurrency": "2",
        "ImportReservedConcurrency": "4",
        "EventsReservedConcurrency": "2",
        "EventSources": f"{EVENT_SOURCE}@{ACCOUNT}={EVENT_ORGANIZATION}",
        "EventBusName": "default",
        # Empty is the one value that means the stack's own.
        "RestoredTableName": "",
        "AlarmTopicArn": topic,
    }


def quoted(value: str) -> str:
    """A parameter's value as SAM takes it on the command line."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def sam() -> str:
    """The SAM CLI: that of .ci/run, else the one on the path."""
    found = os.environ.get("CLIENTELE_SAM") or shutil.which("sam")
    if not found:
        raise RuntimeError("there is no SAM CLI on the path")
    return found


class TemplateLoader(yaml.SafeLoader):
    """Reads `!Ref` and its like as null: none of the tests looks at them."""


TemplateLoader.add_multi_constructor("!", lambda loader, tag, node: None)


def read_template(path: Path) -> dict[str, Any]:
    """A template's resources, without what its intrinsic functions say."""
    read: dict[str, Any] = yaml.load(path.read_text(), TemplateLoader)  # noqa: S506: a safe loader
    return read


def describe(aws: EmulatedAws) -> Stack:
    """What was deployed."""
    formation = aws.client("cloudformation")
    stack = formation.describe_stacks(StackName=NAME)["Stacks"][0]
    template = formation.get_template(StackName=NAME, TemplateStage="Processed")["TemplateBody"]
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=NAME)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return Stack(
        aws=aws,
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
        resources={resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
        source=read_template(BUILD / "template.yaml"),
        processed=json.loads(template) if isinstance(template, str) else template,
    )
