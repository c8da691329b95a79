"""What a command that changes something brings with it, whatever it is: the fields that it changes (AIP-134), a reason."""

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis.errors import Invalid, Violation, refuse

_Message = TypeVar("_Message", bound=Message)


def masked(before: _Message, given: _Message, mask: FieldMask, allowed: Sequence[str], *, deep: bool = False) -> _Message:
    """The message with the masked fields taken from the request (AIP-134). Raises `Invalid` for other paths, and for none.

    `deep`: whether a path may go into a field that is allowed, `alliance.key_industry`.
    """
    wrong = [path for path in mask.paths if not _is_allowed(before, path, allowed, deep)]
    if wrong or not mask.paths:
        raise Invalid([_unmasked(wrong, allowed)])
    merged = type(before)()
    merged.CopyFrom(before)
    for path in mask.paths:
        _take(merged, given, path)
    return merged


def _is_allowed(message: Message, path: str, allowed: Sequence[str], deep: bool) -> bool:
    """Whether a path leads, through messages that there is one of, to a field of what may change."""
    *parents, leaf = path.split(".")
    descriptor = message.DESCRIPTOR
    for one in parents:
        field = descriptor.fields_by_name.get(one)
        if field is None or field.message_type is None or field.is_repeated:
            return False
        descriptor = field.message_type
    return leaf in descriptor.fields_by_name and (path.partition(".")[0] if deep else path) in allowed


def _take(merged: Message, given: Message, path: str) -> None:
    """Have one field as it is given; what lies in a message that is left out is left out too."""
    *parents, leaf = path.split(".")
    target = merged
    for one in parents:
        given = getattr(given, one)
        target = getattr(target, one)
    field = given.DESCRIPTOR.fields_by_name[leaf]
    if given.HasField(leaf) if field.has_presence else getattr(given, leaf):
        FieldMask(paths=[leaf]).MergeMessage(given, target, replace_message_field=True, replace_repeated_field=True)
    elif not parents or _has(merged, parents):
        target.ClearField(leaf)


def _has(message: Message, path: Sequence[str]) -> bool:
    """Whether every message along a path is there."""
    for one in path:
        if not message.HasField(one):
            return False
        message = getattr(message, one)
    return True


def _unmasked(wrong: Sequence[str], allowed: Sequence[str]) -> Violation:
    named, listed = ", ".join(wrong), ", ".join(allowed)
    return Violation(
        "update_mask",
        "AIP-134",
        f"请在 update_mask 中列出要修改的字段；{f'不能修改 {named}；' if wrong else ''}可修改：{listed}",
        f"name the fields to change in update_mask; {f'{named} can not be changed; ' if wrong else ''}allowed: {listed}",
    )


def require_reason(reason: str) -> None:
    """Raises `Invalid` where no reason is given."""
    if not reason.strip():
        refuse([Violation("reason", "required", "请填写原因", "a reason is required")])
