"""Access rules: every RPC has one, on a field that is there, and some role may do what it asks."""

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import access_pb2
from chassis.auth import AUTHENTICATED, PUBLIC, allows, permissions
from chassis.contract import Method, methods, resources
from tests.contract.descriptors import services

ON_THE_PLATFORM = {
    *("CreateOrganization", "VerifyOrganization", "CreateBody", "SuspendBody", "ResumeBody", "DissolveBody", "OpenCall"),
    *("ListDeadLetters", "GetDeadLetter", "ReplayDeadLetters", "DropDeadLetters"),
    *("ListParkedEvents", "RetryParkedEvents", "GiveUpParkedEvents"),
    *("ReplayTopic", "ListGroups", "RebuildGroup", "GetJob", "ListJobs", "CancelJob", "GetProgress", "SetClock"),
    *("ExportPersonalData", "ErasePersonalData"),
}
WITHOUT_A_TOKEN = {
    *("GetOrganization", "BatchGetOrganizations", "ListOrganizations", "GetBody", "ListBodies", "ListMemberships"),
    *(
        "GetListing",
        "GetListingVersion",
        "BatchGetListings",
        "ListListings",
        "SearchListings",
        "ListCalls",
        "ListCertifications",
    ),
    *("GetBusyTimes", "ListSupplyDemandEntries"),
}
WITH_ANY_TOKEN = {
    "ListGrants",
    "UpdateBody",  # who fills in an application enters what it says of the body
    # Who has which part in an application follows from the application.
    *("CreateApplication", "GetApplication", "ListApplications", "TakeStep", "GetProcedure", "CheckApplication"),
    "ListEvaluations",
    *("CheckBody", "ListFindings"),  # so does who checks a body that is no member of it
    *("GetDocument", "GetDocumentContent"),
    *("GetRound", "ListRounds", "ListRoundEntries"),  # a body's members have no grant on it
    # So does who may know a person from the listing, or the application.
    *("GetListingPerson", "GetCandidate"),
}
SCOPED = {
    access_pb2.ROLE_ORGANIZATION_ADMIN,
    access_pb2.ROLE_ORGANIZATION_EDITOR,
    access_pb2.ROLE_SECRETARIAT,
    access_pb2.ROLE_AUDITOR,
}


METHODS = [(service, method) for service in services() for method in methods(service)]
each_method = pytest.mark.parametrize(
    ("service", "method"), [pytest.param(*one, id=f"{one[0].name}.{one[1].name}") for one in METHODS]
)


def named_field(message: type[Message], path: str) -> FieldDescriptor:
    """The field at a path like `listing.issuer`."""
    *outer, last = path.split(".")
    found: Any = message.DESCRIPTOR
    for name in outer:
        found = found.fields_by_name[name].message_type
    field: FieldDescriptor = found.fields_by_name[last]
    return field


@each_method
def test_an_rpc_has_an_access_rule_of_its_service(service: ServiceDescriptor, method: Method) -> None:
    if method.permission in (PUBLIC, AUTHENTICATED):
        assert method.resource_field == ""
        return
    owner, resource, verb = method.permission.split(".")
    assert owner == service.file.package.split(".")[1]
    assert resource.isalpha()
    assert verb.isalpha()


@each_method
def test_a_rule_names_a_field_that_holds_a_name(service: ServiceDescriptor, method: Method) -> None:
    for path in method.resource_field.split("|") if method.resource_field else []:
        field = named_field(method.request, path)
        assert (field.type, field.is_repeated) == (FieldDescriptor.TYPE_STRING, False)
        request: Any = method.request()
        holder = request
        for name in path.split(".")[:-1]:
            holder = getattr(holder, name)
        setattr(holder, field.name, "things/one")
        assert resources(request, method.resource_field) == ["things/one"]
    assert resources(method.request(), method.resource_field) == []


def test_only_these_rpcs_are_for_the_whole_platform_for_everybody_or_for_any_principal() -> None:
    bare = [method for _, method in METHODS if not method.resource_field]
    named = {permission: {one.name for one in bare if one.permission == permission} for permission in (PUBLIC, AUTHENTICATED)}
    assert named == {PUBLIC: WITHOUT_A_TOKEN, AUTHENTICATED: WITH_ANY_TOKEN}
    assert {one.name for one in bare} - named[PUBLIC] - named[AUTHENTICATED] == ON_THE_PLATFORM


@each_method
def test_what_is_asked_on_a_resource_some_scoped_role_may_do(service: ServiceDescriptor, method: Method) -> None:
    assert allows(access_pb2.ROLE_PLATFORM_OPERATOR, method.permission)
    if method.resource_field:
        assert any(allows(role, method.permission) for role in SCOPED)


def test_what_a_role_may_do_is_named_like_the_rules() -> None:
    known = {method.permission.rpartition(".")[0] for _, method in METHODS}
    for role in access_pb2.Role.values():
        for pattern in permissions(role) - {"*"}:
            assert pattern.rpartition(".")[0] in known
    stars = {role for role in access_pb2.Role.values() if "*" in permissions(role)}
    assert stars == {access_pb2.ROLE_PLATFORM_OPERATOR}
