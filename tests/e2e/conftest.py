"""The command line with a session, and whom it is for."""

from pathlib import Path

import pytest

from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from tests import world
from tests.e2e.program import Alliance
from tests.world import Member


@pytest.fixture
def employer(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture
def alliance(platform: Platform, tmp_path: Path, employer: Member) -> Alliance:
    """The program, logged in for an enterprise."""
    program = Alliance(platform, tmp_path)
    program("login", employer.caller.sub, "--as", employer.name)
    return program


@pytest.fixture(scope="module")
def somebody(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture(scope="module")
def program(platform: Platform, tmp_path_factory: pytest.TempPathFactory, somebody: Member) -> Alliance:
    """The program, logged in once for the tests that leave nothing behind."""
    made = Alliance(platform, tmp_path_factory.mktemp("session"))
    made("login", somebody.caller.sub, "--as", somebody.name)
    return made
