"""Finding what a user means: a resource name, an id, an external key or a display name; and saying it in names."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.errors import NOT_FOUND, USAGE, fail
from alliance_cli.session import call, context, t

PAGE = 1000


def organization(text: str = "") -> str:
    """`organizations/{id}` of what was typed; the session's own where empty."""
    wanted = text or context.session.organization
    if not wanted:
        fail(USAGE, t("请用 --as 指明单位", "name the organization with --as"))
    if _is_name("organizations", wanted):
        return resource("organizations", wanted)
    by_key = call(stubs.registry().ListOrganizations, rpc.ListOrganizationsRequest(external_key=wanted))
    found = list(by_key.organizations)
    if not found:
        request = rpc.ListOrganizationsRequest(display_name=wanted, page_size=PAGE)
        found = list(call(stubs.registry().ListOrganizations, request).organizations)
        found = [o for o in found if o.display_name == wanted] or found
    return _only(found, wanted, t("单位", "organization"))


def body(text: str) -> str:
    """`bodies/{id}` of what was typed: a resource name, an id, an external key, or (part of) a name."""
    if _is_name("bodies", text):
        return resource("bodies", text)
    by_key = call(stubs.registry().ListBodies, rpc.ListBodiesRequest(external_key=text))
    found = list(by_key.bodies)
    if not found:
        everything = every(stubs.registry().ListBodies, rpc.ListBodiesRequest(page_size=PAGE), "bodies")
        found = [b for b in everything if text in b.display_name]
        found = [b for b in found if b.display_name == text] or found
    return _only(found, text, t("组织", "body"))


def resource(collection: str, text: str) -> str:
    """The resource name of a name or a bare id, as tables show it."""
    return text if text.startswith(f"{collection}/") else f"{collection}/{text}"


def display_names(organizations: Iterable[str]) -> dict[str, str]:
    """Resource name → display name."""
    found: dict[str, str] = {}
    for names in _parts(organizations):
        answer = call(stubs.registry().BatchGetOrganizations, rpc.BatchGetOrganizationsRequest(names=names))
        found |= {one.name: one.display_name for one in answer.organizations}
    return found


def shown(*organizations: str) -> dict[str, str]:
    """What people are shown for organizations; nothing is looked up for scripts."""
    return {} if context.output == "json" else display_names(organizations)


def titles(of_listings: Iterable[str]) -> dict[str, str]:
    """Resource name → title, of the listings that the caller may see."""
    found: dict[str, str] = {}
    for names in _parts(of_listings):
        answer = call(stubs.listings().BatchGetListings, listings.BatchGetListingsRequest(names=names))
        found |= {one.name: one.title for one in answer.listings}
    return found


def _parts(names: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted({name for name in names if name})
    for first in range(0, len(wanted), PAGE):
        yield wanted[first : first + PAGE]


def _is_name(collection: str, text: str) -> bool:
    """Whether this is a resource name or an id, and nothing to look for."""
    if text.startswith(f"{collection}/"):
        return True
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def every(method: Any, request: Any, field: str, most: int = 10_000) -> list[Any]:
    """All pages of a list, up to `most` items."""
    found: list[Any] = []
    while len(found) < most:
        answer = call(method, request)
        found.extend(getattr(answer, field))
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    return found[:most]


def _only(found: list[Any], wanted: str, what: str) -> str:
    if not found:
        fail(NOT_FOUND, t(f"没有找到{what}：{wanted}", f"no {what} found: {wanted}"))
    if len(found) > 1:
        names = "\n".join(f"  {item.name}  {item.display_name}" for item in found[:10])
        fail(USAGE, t(f"不止一个{what}符合“{wanted}”：\n{names}", f"more than one {what} fits {wanted!r}:\n{names}"))
    return str(found[0].name)
