"""Faults as `google.rpc` details (AIP-193): ErrorInfo, BadRequest, RetryInfo and one LocalizedMessage.

Details stay below 4 KiB: beyond 8 KiB of headers clients lose the whole error.
"""

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import Exhausted, Fault, Invalid, Unavailable

DOMAIN = "alliance"
MAX_DETAILS = 4096  # bytes
# Bytes of a text: the one for people, of one violation, and any other.
_FOR_PEOPLE, _OF_VIOLATION, _TEXT = 1800, 450, 300


def status_of(fault: Fault, language: str) -> status_pb2.Status:
    """The status of a fault in the caller's language, `zh` or `en`."""
    text = fault.zh if language == "zh" else fault.en
    status = status_pb2.Status(code=fault.code.value[0], message=_cut(f"{fault.reason}: {fault.en}", _TEXT))
    info = error_details_pb2.ErrorInfo(reason=fault.reason, domain=DOMAIN)
    for name, value in fault.metadata.items():
        info.metadata[name] = _cut(value, _TEXT)
    _add(status, info)
    locale = "zh-CN" if language == "zh" else "en"
    _add(status, error_details_pb2.LocalizedMessage(locale=locale, message=_cut(text, _FOR_PEOPLE)))
    if isinstance(fault, Unavailable | Exhausted):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(fault.retry_after * 1000))
        _add(status, retry)
    if isinstance(fault, Invalid):
        _add(status, _violations(fault, language, MAX_DETAILS - status.ByteSize()))
    return status


def internal(trace: str) -> status_pb2.Status:
    """The status of an error of our own: nothing but the trace to look for."""
    status = status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=f"internal error, trace {trace or '-'}")
    _add(status, error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"trace": trace}))
    message = f"系统内部错误，请把编号告知平台运营：{trace or '-'}"
    _add(status, error_details_pb2.LocalizedMessage(locale="zh-CN", message=message))
    return status


def _violations(fault: Invalid, language: str, room: int) -> error_details_pb2.BadRequest:
    """The first violations, as many as there is room for."""
    found = error_details_pb2.BadRequest()
    for one in fault.violations:
        added = found.field_violations.add(field=one.field, reason=one.rule, description=_cut(one.en, _OF_VIOLATION))
        added.localized_message.locale = "zh-CN" if language == "zh" else "en"
        added.localized_message.message = _cut(one.zh if language == "zh" else one.en, _OF_VIOLATION)
        if found.ByteSize() > room - 100:
            del found.field_violations[-1]
            break
    return found


def _cut(text: str, most: int) -> str:
    """A text of at most so many bytes, without half a character at its end."""
    return text.encode()[:most].decode(errors="ignore")


def _add(status: status_pb2.Status, detail: Message) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)
