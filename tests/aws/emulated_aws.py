"""Starts the emulator as a process of its own, and ends it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from waiting import until

ACCOUNT = "123456789012"
REGION = "eu-west-1"
HERE = Path(__file__).parent
# Of whoever runs the tests: their profile is not there, their session is of other keys.
PERSONAL_SETTINGS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


@dataclass
class EmulatedAws:
    """A running emulator: where it answers, and how to call it as the account's administrator."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """The address of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the emulator has written so far."""
        return (self.folder / "ministack.log").read_text(errors="replace")

    def environment(self) -> dict[str, str]:
        """Environment variables with which the AWS CLI and SAM reach the emulator."""
        own = {name: value for name, value in os.environ.items() if name not in PERSONAL_SETTINGS}
        return {
            **own,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            # Nobody's own settings.
            "AWS_CONFIG_FILE": str(self.folder / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "HOME": str(self.folder),
        }

    def client(self, service: str) -> Any:
        """A client with every permission."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def stop(self) -> None:
        """Ends the emulator with the functions that it runs."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            pass
        # Its process group: functions that are left, and nobody else.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def start(folder: Path) -> EmulatedAws:
    """Starts an emulator on a free port, with everything it keeps in `folder`."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # Functions are given its own address, and roles instead of these keys.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        # AWS waits one minute and two.
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
    }
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hypercorn", "emulator:app", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75"],
            cwd=HERE,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    aws = EmulatedAws(folder, port, process)
    try:
        until("the emulator answers", lambda: is_ready(aws), seconds=180)
    except BaseException:
        aws.stop()
        raise
    return aws


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_ready(aws: EmulatedAws) -> bool:
    """Whether it answers; an emulator that has ended is an error."""
    if aws.process.poll() is not None:
        raise RuntimeError(f"the emulator ended:\n{aws.log}")
    try:
        with urllib.request.urlopen(f"{aws.endpoint}/_ministack/health", timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False
