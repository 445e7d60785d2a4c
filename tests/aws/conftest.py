"""What all tests share: one emulator with one deployed stack."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import emulated_aws
import routes
import stack as deployment
from api import Caller
from emulated_aws import EmulatedAws
from identity import IdentityProvider
from stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs those last that look at what all others have left."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    """The emulator, whose log is printed if a test failed."""
    running = emulated_aws.start(tmp_path_factory.mktemp("aws"))
    yield running
    running.stop()
    if request.session.testsfailed:
        print(f"\n---- log of the emulator\n{running.log[-40_000:]}")


@pytest.fixture(scope="session")
def identity() -> IdentityProvider:
    """Who signs the tokens."""
    return IdentityProvider()


@pytest.fixture(scope="session")
def stack(aws: EmulatedAws, identity: IdentityProvider) -> Stack:
    """The deployed stack, with its routes."""
    deployment.prepare(aws)
    deployed = deployment.deploy(aws, identity)
    routes.create(deployed)
    return deployed


@pytest.fixture(scope="session")
def caller(stack: Stack, identity: IdentityProvider) -> Callable[..., Caller]:
    """Makes callers: of an organization, with every scope unless said otherwise."""

    def make(organization: int, **claims: object) -> Caller:
        return Caller(stack, identity.token(organization, **claims), organization)

    return make


NUMBERS = itertools.count(100)


@pytest.fixture
def organization(caller: Callable[..., Caller]) -> Caller:
    """A caller of an organization of the test's own, which the stack knows already."""
    made = caller(next(NUMBERS))
    # An organization comes into being with its first write.
    made.post("/v1/sources", {"data_origin": "generic", "datasets": ["customers", "meters"]}).expect(201)
    return made
