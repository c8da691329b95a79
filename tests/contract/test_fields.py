"""Fields and requests: the same thing has the same name and type everywhere."""

import re

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, MethodDescriptorProto

from tests.contract.descriptors import SNAKE, fields, methods

_STRING, _INT32, _BOOL = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT32, FieldDescriptorProto.TYPE_BOOL
_TIMESTAMP, _MASK = ".google.protobuf.Timestamp", ".google.protobuf.FieldMask"
_TYPES = {
    _INT32: {"page_size"},
    _BOOL: {"verified"},
    _STRING: {
        *("name", "names", "display_name", "external_key", "etag", "request_id", "page_token", "next_page_token"),
        *("region_code", "region_codes", "industry_codes", "education_code", "valid_from", "valid_to", "valid_on", "period"),
        *("opens_on", "closes_on", "due_on", "formed_on", "charter_adopted_on"),
    },
}
_QUERIES = re.compile(r"(Get|List|BatchGet|Search|Check|Explain|Export)[A-Z]")
FIELDS = {f"{message.name}.{field.name}": field for message, field in fields()}
OF_MESSAGE = {message.name: {field.name: field for field in message.field} for message, _ in fields()}

each_method = pytest.mark.parametrize(
    ("package", "method"), [pytest.param(*one, id=f"{one[0]}.{one[1].name}") for one in methods()]
)


def test_fields_are_named_in_snake_case() -> None:
    assert [path for path, field in FIELDS.items() if not SNAKE.fullmatch(field.name)] == []


def test_instants_and_only_they_end_in_time_or_at() -> None:
    assert {path for path in FIELDS if re.search(r"_(time|at)$", path)} == {
        path for path, field in FIELDS.items() if field.type_name == _TIMESTAMP
    }


@pytest.mark.parametrize("kind", _TYPES)
def test_a_known_name_has_its_type(kind: FieldDescriptorProto.Type.ValueType) -> None:
    assert {field.name for field in FIELDS.values()} >= _TYPES[kind]
    assert [path for path, field in FIELDS.items() if field.name in _TYPES[kind] and field.type != kind] == []


def test_a_mask_is_called_update_mask() -> None:
    assert {field.name for field in FIELDS.values() if field.type_name == _MASK} == {"update_mask"}


def test_the_name_of_a_resource_is_its_first_field() -> None:
    assert {path: field.number for path, field in FIELDS.items() if field.name == "name" and field.number != 1} == {}


@each_method
def test_a_request_bears_the_name_of_its_rpc(package: str, method: MethodDescriptorProto) -> None:
    assert method.input_type == f".{package}.{method.name}Request"
    assert method.output_type.startswith(f".{package}.")


@each_method
def test_a_list_is_read_page_by_page(package: str, method: MethodDescriptorProto) -> None:
    paged = {"page_size", "page_token"} <= set(OF_MESSAGE.get(f"{method.name}Request", {}))
    assert paged == ("next_page_token" in OF_MESSAGE[method.output_type.rpartition(".")[2]])
    assert paged or not re.match(r"(List|Search)[A-Z]", method.name)


@each_method
def test_a_command_has_a_request_id_and_a_query_has_none(package: str, method: MethodDescriptorProto) -> None:
    if not method.client_streaming:
        held = OF_MESSAGE.get(f"{method.name}Request", {})
        assert (_QUERIES.match(method.name) is None) == ("request_id" in held)


@each_method
def test_an_update_takes_the_resource_and_a_mask(package: str, method: MethodDescriptorProto) -> None:
    if method.name.startswith("Update"):
        held = OF_MESSAGE[f"{method.name}Request"]
        assert held[method.name.removeprefix("Update").lower()].type_name == method.output_type
        assert "update_mask" in held
        assert "etag" in OF_MESSAGE[method.output_type.rpartition(".")[2]]
