"""The command line with a session, and whom it is for."""

from pathlib import Path

import pytest

from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from tests import world
from tests.e2e.program import Alliance, Here
from tests.world import Member


def logged_in(program: Alliance, member: Member) -> Alliance:
    """The program with the session of somebody who acts for an organization."""
    program("login", member.caller.sub, "--as", member.name)
    return program


@pytest.fixture
def employer(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture
def alliance(platform: Platform, tmp_path: Path, employer: Member) -> Alliance:
    """The program, logged in for an enterprise."""
    return logged_in(Here(platform, tmp_path), employer)


@pytest.fixture
def process(platform: Platform, tmp_path: Path, employer: Member) -> Alliance:
    """The same, in a process a call."""
    return logged_in(Alliance(platform, tmp_path), employer)


@pytest.fixture(scope="module")
def somebody(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@pytest.fixture(scope="module")
def program(platform: Platform, tmp_path_factory: pytest.TempPathFactory, somebody: Member) -> Alliance:
    """The program, logged in once for the tests that leave nothing behind."""
    return logged_in(Here(platform, tmp_path_factory.mktemp("session")), somebody)
