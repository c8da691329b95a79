"""What is known of a body beyond its members, typed as NAME=VALUE with the names that `body check` prints as missing."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import typer
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from alliance.registry.v1 import application_pb2, body_pb2
from alliance_cli import naming
from alliance_cli.output import short, value_of
from alliance_cli.session import t
from codes import NoCodeError, fields

_TRUTHS = {"true": True, "yes": True, "是": True, "有": True, "false": False, "no": False, "否": False, "无": False}
_ORGANIZATIONS = ("task_force", "lead_departments", "institution", "college", "unit")
_ENUMS = {
    "PilotField": (body_pb2, "PILOT_FIELD_"),
    "CertifiedKind": (application_pb2, "CERTIFIED_KIND_"),
    "MajorChange": (application_pb2, "MAJOR_CHANGE_"),
}
_MOST = 2**31 - 1  # of a whole number in the contract


def _names(holder: Message) -> dict[str, list[str]]:
    kinds = holder.DESCRIPTOR.oneofs_by_name["facts"].fields
    return {kind.name: [leaf.name for leaf in getattr(holder, kind.name).DESCRIPTOR.fields] for kind in kinds}


NAMES = _names(body_pb2.Body())
"""Names of the facts of each kind of body that has any."""
OF_APPLICATIONS = _names(application_pb2.Application())
"""The same of each programme's applications."""


def enter(holder: body_pb2.Body | application_pb2.Application, given: Iterable[str]) -> list[str]:
    """Set facts of a body or an application; returns the paths of what was set, for a field mask.

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
    kind, names = _kind_of(holder)
    facts = getattr(holder, kind)
    facts.SetInParent()
    for name, values in typed.items():
        if name not in names:
            listed = ", ".join(names)
            raise typer.BadParameter(t(f"没有事实 {name}，可用：{listed}", f"there is no fact {name}; known: {listed}"))
        leaf = facts.DESCRIPTOR.fields_by_name[name]
        facts.ClearField(name)
        found = [_value(leaf, value) for value in values if value]
        if leaf.is_repeated:
            getattr(facts, name).extend(found)
        elif found:
            setattr(facts, name, found[-1])
    return [f"{kind}.{name}" for name in typed]


def known(body: body_pb2.Body | application_pb2.Application) -> str:
    """The facts that are known, one a line, as they are typed."""
    kind = body.WhichOneof("facts")
    lines = []
    for leaf, value in getattr(body, kind).ListFields() if kind else ():
        lines += [f"{leaf.name}={_typed(leaf, one)}" for one in (value if leaf.is_repeated else (value,))]
    return "\n".join(lines)


def _typed(leaf: FieldDescriptor, value: Any) -> str:
    """A value as it is typed."""
    if leaf.enum_type:
        module, prefix = _ENUMS[leaf.enum_type.name]
        return short(getattr(module, leaf.enum_type.name), prefix)(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind_of(holder: body_pb2.Body | application_pb2.Application) -> tuple[str, list[str]]:
    """What the holder's facts are called, and their names."""
    if isinstance(holder, body_pb2.Body):
        kind, names = body_pb2.BodyKind.Name(holder.kind).removeprefix("BODY_KIND_").lower(), NAMES
    else:
        kind, names = application_pb2.Programme.Name(holder.programme).removeprefix("PROGRAMME_").lower(), OF_APPLICATIONS
    if kind not in names:
        raise typer.BadParameter(t(f"{kind} 没有要填的事实", f"a {kind} has no facts to enter"))
    return kind, names[kind]


def _value(leaf: FieldDescriptor, typed: str) -> Any:
    if leaf.name in _ORGANIZATIONS:
        return naming.organization(typed)
    if leaf.enum_type:
        module, prefix = _ENUMS[leaf.enum_type.name]
        with suppress(NoCodeError):  # 人工智能 is AI
            typed = fields.read(typed)
        return value_of(getattr(module, leaf.enum_type.name), prefix, typed)
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if typed.lower() not in _TRUTHS:
            raise typer.BadParameter(t(f"{leaf.name}：请写 是 或 否", f"{leaf.name}: write yes or no"))
        return _TRUTHS[typed.lower()]
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        if not typed.isdecimal() or int(typed) > _MOST:
            raise typer.BadParameter(
                t(f"{leaf.name}：请写 0 至 {_MOST} 的整数", f"{leaf.name}: write a whole number of 0 to {_MOST}")
            )
        return int(typed)
    return typed
