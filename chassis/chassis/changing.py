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
    wrong = [path for path in mask.paths if (path.split(".")[0] if deep else path) not in allowed]
    if wrong or not mask.paths:
        raise Invalid([_unmasked(wrong, allowed)])
    merged = type(before)()
    merged.CopyFrom(before)
    for path in mask.paths:
        if "." not in path:
            merged.ClearField(path)
        if "." in path or not _is_message(given, path) or given.HasField(path):
            FieldMask(paths=[path]).MergeMessage(given, merged, replace_repeated_field=True)
    return merged


def _unmasked(wrong: Sequence[str], allowed: Sequence[str]) -> Violation:
    named, listed = ", ".join(wrong), ", ".join(allowed)
    return Violation(
        "update_mask",
        "AIP-134",
        f"请在 update_mask 中列出要修改的字段；{f'不能修改 {named}；' if wrong else ''}可修改：{listed}",
        f"name the fields to change in update_mask; {f'{named} can not be changed; ' if wrong else ''}allowed: {listed}",
    )


def _is_message(given: Message, path: str) -> bool:
    field = given.DESCRIPTOR.fields_by_name.get(path)
    return field is not None and field.message_type is not None and not field.is_repeated


def require_reason(reason: str) -> None:
    """Raises `Invalid` where no reason is given."""
    if not reason.strip():
        refuse([Violation("reason", "required", "请填写原因", "a reason is required")])
