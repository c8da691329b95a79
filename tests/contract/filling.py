"""Messages in which every field is set, the same ones every time."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

INTEGERS = {FieldDescriptor.CPPTYPE_INT32: 10**6, FieldDescriptor.CPPTYPE_INT64: 10**12}


def choices(descriptor: Any) -> int:
    """How many messages it takes to set every field of every oneof."""
    inside = [choices(field.message_type) for field in descriptor.fields if field.message_type]
    return max([1, *inside, *(len(oneof.fields) for oneof in descriptor.oneofs)])


def fill(message: Message, choice: int) -> None:
    """Set every field to what follows from its name and number; of each oneof, the one whose turn it is."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        message.MergeFrom(type(message)(seconds=1_767_225_600 + choice, nanos=123_456_000))
        return
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is None or oneof.fields[choice % len(oneof.fields)].number == field.number:
            fill_field(message, field, choice)


def fill_field(message: Any, field: Any, choice: int) -> None:
    """Set one field; a repeated one twice, one of enums to each of the values."""
    held = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        held.update({f"{field.name}-{number}": f"值 {number}" for number in (1, 2)})
    elif field.message_type:
        for one in (held.add(), held.add()) if field.is_repeated else (held,):
            one.SetInParent()
            fill(one, choice)
    elif field.is_repeated:
        numbers = range(len(field.enum_type.values) - 1) if field.enum_type else (0, 1)
        held.extend(value(field, number) for number in numbers)
    else:
        setattr(message, field.name, value(field, choice))


def value(field: Any, number: int) -> Any:
    """A value that is not the default of the field's type."""
    if field.enum_type:
        named = [one.number for one in field.enum_type.values if one.number]
        return named[number % len(named)]
    if field.cpp_type in INTEGERS:
        return INTEGERS[field.cpp_type] + 1000 * field.number + number
    return {
        FieldDescriptor.CPPTYPE_BOOL: True,
        FieldDescriptor.CPPTYPE_DOUBLE: field.number + 0.5,
        FieldDescriptor.CPPTYPE_STRING: f"{field.name} 第{number}",
    }[field.cpp_type]
