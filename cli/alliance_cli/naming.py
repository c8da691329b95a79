"""Finding what a user means: a resource name, an id, an external key or a display name; and saying it in names."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.errors import NOT_FOUND, USAGE, fail
from alliance_cli.output import brief
from alliance_cli.session import call, context, t

PAGE = 1000
_PARTS = 4  # of a name that are looked for where nothing is called so


class UnfoundError(Exception):
    """Nothing, or more than one, is what was typed; says so in both languages."""

    def __init__(self, code: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


def organization(text: str = "") -> str:
    """`organizations/{id}` of what was typed; the session's own where empty. Ends with an exit code where there is none."""
    wanted = text or context.session.organization
    if not wanted:
        fail(USAGE, t("请用 --as 指明单位", "name the organization with --as"))
    return _or_fail(find_organization, wanted)


def body(text: str) -> str:
    """`bodies/{id}` of what was typed: a resource name, an id, an external key, or (part of) a name. Ends as the one above."""
    return _or_fail(find_body, text)


def _or_fail(find: Callable[[str], str], wanted: str) -> str:
    try:
        return find(wanted)
    except UnfoundError as error:
        fail(error.code, t(error.zh, error.en))


def find_organization(wanted: str) -> str:
    """What `organization` finds; raises `UnfoundError`."""
    wanted = wanted.strip()
    if _is_name("organizations", wanted):
        return resource("organizations", wanted)
    by_key = call(stubs.registry().ListOrganizations, rpc.ListOrganizationsRequest(external_key=wanted))
    found = list(by_key.organizations)
    if not found:
        request = rpc.ListOrganizationsRequest(display_name=wanted, page_size=PAGE)
        found = list(call(stubs.registry().ListOrganizations, request).organizations)
        found = [o for o in found if o.display_name == wanted] or found
        if not found:
            raise _unfound(wanted, "单位", "organization", "org list --name", _alike(wanted))
    return _only(found, wanted, "单位", "organization", "org list --name")


def _alike(wanted: str) -> list[str]:
    """Names that hold a part of the one that was typed; there may be too many organizations to look at them all."""
    parts = {wanted[at : at + 2] for at in range(len(wanted) - 1)}
    asked = (rpc.ListOrganizationsRequest(display_name=part, page_size=PAGE) for part in sorted(parts)[:_PARTS])
    found = (call(stubs.registry().ListOrganizations, request).organizations for request in asked)
    return [one.display_name for some in found for one in some]


def find_body(wanted: str) -> str:
    """What `body` finds; raises `UnfoundError`."""
    wanted = wanted.strip()
    if _is_name("bodies", wanted):
        return resource("bodies", wanted)
    by_key = call(stubs.registry().ListBodies, rpc.ListBodiesRequest(external_key=wanted))
    found = list(by_key.bodies)
    if not found:
        everything = every(stubs.registry().ListBodies, rpc.ListBodiesRequest(page_size=PAGE), "bodies")
        found = [b for b in everything if wanted in b.display_name]
        found = [b for b in found if b.display_name == wanted] or found
        if not found:
            raise _unfound(wanted, "组织", "body", "body list", [b.display_name for b in everything])
    return _only(found, wanted, "组织", "body", "body list")


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


@cache
def body_names() -> dict[str, str]:
    """Resource name → display name of every body."""
    found = every(stubs.registry().ListBodies, rpc.ListBodiesRequest(page_size=PAGE), "bodies")
    return {one.name: one.display_name for one in found}


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
    return list(islice((item for page in pages(method, request, field) for item in page), most))


def pages(method: Any, request: Any, field: str) -> Iterator[Any]:
    """The pages of a list, each when it is asked for."""
    while True:
        answer = call(method, request)
        yield getattr(answer, field)
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def _unfound(wanted: str, zh: str, en: str, command: str, known: Iterable[str] = ()) -> UnfoundError:
    """Nothing is what was typed: the nearest that the caller may see, or how to look it up."""
    wanted = brief(wanted)
    near = get_close_matches(wanted, list(dict.fromkeys(known)), n=3, cutoff=0.5)
    like_zh = f"相近的有：{'、'.join(near)}；" if near else ""
    like_en = f"near to it are {', '.join(near)}; " if near else ""
    return UnfoundError(
        NOT_FOUND,
        f"没有找到{zh}：{wanted}；{like_zh}请用 alliance {command} 查名称",
        f"no {en} found: {wanted}; {like_en}look names up with alliance {command}",
    )


def _only(found: list[Any], wanted: str, zh: str, en: str, command: str) -> str:
    if not found:
        raise _unfound(wanted, zh, en, command)
    if len(found) > 1:
        names = "\n".join(f"  {item.name}  {item.display_name}" for item in found[:10])
        raise UnfoundError(USAGE, f"不止一个{zh}符合“{wanted}”：\n{names}", f"more than one {en} fits {wanted!r}:\n{names}")
    return str(found[0].name)
