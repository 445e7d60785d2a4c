"""Calls over HTTP, through the emulator's API Gateway."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

import urllib3
from boto3.s3.transfer import TransferConfig

from stack import Stack
from waiting import until

# S3 takes no smaller parts than 5 MiB.
IN_PARTS = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
ENDED = ("completed", "completed_with_rejections", "failed", "cancelled")


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: urllib3.HTTPHeaderDict
    data: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.data)

    def expect(self, status: int) -> Any:
        """The body as JSON, of a reply that must have this status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.data[:2000]!r}"
        return self.json


@dataclass
class Caller:
    """Somebody with a token, or without one."""

    stack: Stack
    token: str | None
    organization: int
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=180.0, retries=False))

    def call(self, method: str, path: str, **options: Any) -> Reply:
        """One request. `json`, `fields` (a form) and others are urllib3's own options."""
        headers = dict(options.pop("headers", {}))
        # API Gateway knows its APIs by their host names.
        headers["Host"] = f"{self.stack.resources['HttpApi']}.execute-api.localhost:{self.stack.aws.port}"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        reply = self.pool.request(method, self.stack.aws.endpoint + path, headers=headers, redirect=False, **options)
        return Reply(reply.status, reply.headers, reply.data)

    def get(self, path: str) -> Reply:
        """GET."""
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> Reply:
        """POST of JSON."""
        return self.call("POST", path, json=body)

    def ended(self, job: str, seconds: float = 180) -> dict[str, Any]:
        """The job, once it has ended. Takes its whole id, or the uuid."""
        path = job if job.startswith("/v1/jobs/") else f"/v1/jobs/{job}"

        def probe() -> dict[str, Any] | None:
            found = self.get(path).expect(200)
            return found if found["state"] in ENDED else None

        return until(f"the job {job} ended", probe, seconds, last=lambda: str(self.get(path).data))

    def drop(self, key: str, data: bytes) -> None:
        """Puts a file into the bucket, below the organization's inbox; a large one in several parts."""
        whole_key = f"inbox/{self.organization}/{key}"
        s3 = self.stack.aws.client("s3")
        s3.upload_fileobj(io.BytesIO(data), self.stack.resources["Bucket"], whole_key, Config=IN_PARTS)

    def imported(self, key: str, data: bytes, seconds: float = 180) -> dict[str, Any]:
        """Drops a file, and gives the job that took it, once it has ended."""
        before = self.job_ids()
        self.drop(key, data)
        new = until(f"a job for {key}", lambda: self.job_ids() - before, seconds)
        assert len(new) == 1, f"{len(new)} jobs began"
        return self.ended(new.pop(), seconds)

    def job_ids(self) -> set[str]:
        """The newest jobs of the organization."""
        return {job["id"] for job in self.get("/v1/jobs").expect(200)["jobs"]}

    def page_count(self, group: str) -> dict[str, Any]:
        """What `/v1/customer/pages` says of a group."""
        return self.post("/v1/customer/pages", {"customer_group_id": group}).expect(200)


def counts(job: dict[str, Any]) -> dict[str, int]:
    """A job's counts, without those that are 0."""
    names = ("created", "updated", "unchanged", "superseded", "duplicates", "rejected")
    return {name: job[name] for name in names if job[name]}
