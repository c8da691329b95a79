"""What is known of a body beyond its members, typed as NAME=VALUE with the names that `body check` prints as missing."""

from collections.abc import Iterable
from typing import Any

import typer
from google.protobuf.descriptor import FieldDescriptor

from alliance.registry.v1 import body_pb2
from alliance_cli import naming
from alliance_cli.output import value_of
from alliance_cli.session import t

_TRUTHS = {"true": True, "yes": True, "是": True, "有": True, "false": False, "no": False, "否": False, "无": False}
_ORGANIZATIONS = ("task_force", "lead_departments", "institution", "college", "unit")
_MOST = 2**31 - 1  # of a whole number in the contract
NAMES = {
    kind.name: [leaf.name for leaf in getattr(body_pb2.Body(), kind.name).DESCRIPTOR.fields]
    for kind in body_pb2.Body.DESCRIPTOR.oneofs_by_name["facts"].fields
}
"""Names of the facts of each kind of body that has any."""


def enter(body: body_pb2.Body, given: Iterable[str]) -> list[str]:
    """Set facts; returns the path of what was set, for a field mask.

    An empty value makes a fact unknown again; a name that is given more than once makes a list. Raises typer.BadParameter
    that says what the fact takes.
    """
    typed: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = (part.strip() for part in one.partition("="))
        if not equals:
            raise typer.BadParameter(t(f"{one}：请写成 名称=值", f"{one}: write NAME=VALUE"))
        typed.setdefault(name, []).append(value)
    if not typed:
        return []
    kind = _kind_of(body)
    facts = getattr(body, kind)
    facts.SetInParent()
    for name, values in typed.items():
        if name not in NAMES[kind]:
            listed = ", ".join(NAMES[kind])
            raise typer.BadParameter(t(f"没有事实 {name}，可用：{listed}", f"there is no fact {name}; known: {listed}"))
        leaf = facts.DESCRIPTOR.fields_by_name[name]
        facts.ClearField(name)
        found = [_value(leaf, value) for value in values if value]
        if leaf.is_repeated:
            getattr(facts, name).extend(found)
        elif found:
            setattr(facts, name, found[-1])
    return [kind]


def known(body: body_pb2.Body) -> str:
    """The facts that are known, one a line, as they are typed."""
    kind = body.WhichOneof("facts")
    lines = []
    for leaf, value in getattr(body, kind).ListFields() if kind else ():
        for one in value if leaf.is_repeated else (value,):
            lines.append(f"{leaf.name}={str(one).lower() if isinstance(one, bool) else one}")
    return "\n".join(lines)


def _kind_of(body: body_pb2.Body) -> str:
    kind = body_pb2.BodyKind.Name(body.kind).removeprefix("BODY_KIND_").lower()
    if kind not in NAMES:
        raise typer.BadParameter(t(f"{kind} 没有要填的事实", f"a {kind} has no facts to enter"))
    return kind


def _value(leaf: FieldDescriptor, typed: str) -> Any:
    if leaf.name in _ORGANIZATIONS:
        return naming.organization(typed)
    if leaf.enum_type:
        return value_of(getattr(body_pb2, leaf.enum_type.name), "PILOT_FIELD_", typed)
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if typed.lower() not in _TRUTHS:
            raise typer.BadParameter(t(f"{leaf.name}：请写 是 或 否", f"{leaf.name}: write yes or no"))
        return _TRUTHS[typed.lower()]
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        if not typed.isdecimal() or int(typed) > _MOST:
            raise typer.BadParameter(t(f"{leaf.name}：请写整数", f"{leaf.name}: write a whole number"))
        return int(typed)
    return typed
