"""What the services really offer and listen to is what the contract says of them."""

import inspect
import tempfile
from pathlib import Path

import pytest
from pydantic import SecretStr

import listings.app
import matching.app
import notify.app
import registry.app
import reporting.app
from chassis import topics
from chassis.admin import Admin, PersonalData
from chassis.clock import BusinessClock, SystemClock
from chassis.contract import methods
from chassis.database import Database
from chassis.service import Context, Parts, Service
from tests.contract.descriptors import services

APPS: dict[str, Service] = {
    app.SERVICE.name: app.SERVICE for app in (registry.app, listings.app, matching.app, reporting.app, notify.app)
}
IN_EVERY_SERVICE: dict[str, type] = {
    "alliance.admin.v1.AdminService": Admin,
    "alliance.admin.v1.PersonalDataService": PersonalData,
}
OFFERED = {
    "registry": ["Registry", "Application", "Document"],
    "listings": ["Listings", "People", "Bookings", "Feeds"],
    "matching": ["Matching", "Reviews", "Searches", "Statistics"],
}
"""Services that offer more than the one that is called like them."""
DECLARED = {service.full_name: {method.name for method in methods(service)} for service in services()}


def offered(name: str) -> list[str]:
    """Full names of what a service offers beside the operator's services."""
    return [f"alliance.{name}.v1.{one}Service" for one in OFFERED.get(name, [name.capitalize()])]


def parts(service: Service) -> Parts:
    """A service's parts, connected to nothing."""
    given = {
        "service": service.name,
        "database_url": SecretStr("postgresql://nobody@localhost/nothing"),
        "kafka_bootstrap": "localhost:1",
        "jwks_file": Path("none"),
        "token_issuer": "nobody",
        "registry_target": "localhost:1",
        "objects_url": Path(tempfile.gettempdir()).as_uri(),
    }
    settings = service.settings.model_validate(given)
    system = SystemClock()
    clock = BusinessClock(system)
    database = Database(settings.database_url.get_secret_value(), system=system, business=clock, pool=2)
    return service.parts(Context(settings, database, clock, system, database))


def rpcs(implementation: type) -> dict[str, int]:
    """The methods that are named like RPCs, of a class and what it is composed of, with the number of their parameters."""
    named = {name: one for name, one in inspect.getmembers(implementation, inspect.isfunction) if name[0].isupper()}
    return {name: len(inspect.signature(one).parameters) for name, one in named.items()}


@pytest.mark.parametrize("name", APPS)
async def test_a_service_offers_what_the_contract_declares_and_nothing_else(name: str) -> None:
    offers = parts(APPS[name]).offers()
    assert [offer.descriptor.full_name for offer in offers] == offered(name)
    for offer in offers:
        declared = DECLARED[offer.descriptor.full_name]
        assert rpcs(type(offer.implementation)) == dict.fromkeys(declared, 3)
        assert set(offer.reread) <= {method.name for method in methods(offer.descriptor) if method.is_command}


def test_no_service_of_the_contract_is_left_unoffered() -> None:
    assert set(DECLARED) == {one for name in APPS for one in offered(name)} | set(IN_EVERY_SERVICE)


@pytest.mark.parametrize("name", IN_EVERY_SERVICE)
def test_the_operators_services_are_offered_whole(name: str) -> None:
    assert rpcs(IN_EVERY_SERVICE[name]) == dict.fromkeys(DECLARED[name], 3)


@pytest.mark.parametrize("name", APPS)
async def test_a_topic_names_those_who_listen_to_it(name: str) -> None:
    heard = {listen.topic for listen in parts(APPS[name]).listens()}
    assert heard == {topic.name for topic in topics.load().all if name in topic.consumers}


@pytest.mark.parametrize("name", APPS)
async def test_a_listener_has_a_group_of_its_own(name: str) -> None:
    groups = [listen.name for listen in parts(APPS[name]).listens()]
    assert len(set(groups)) == len(groups)
