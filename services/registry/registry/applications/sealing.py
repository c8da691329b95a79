"""What a seal is put on (S2 四; R29): the form, its evidence, and what the body's facts say."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import body_pb2
from chassis.database import Tx
from registry.applications.documents import hashes
from registry.domain.names import Programme
from registry.domain.procedure import State
from registry.domain.programmes.community import SEALED_STATES, UNSEALED_KINDS
from registry.mapping.bodies import HANDED_IN_FIELDS, body_message
from registry.store import BodyRow


async def content(tx: Tx, message: pb.Application, body: BodyRow | None, brought: Sequence[pb.ApplicationDocument]) -> str:
    """What is sealed of an application with the documents that a step brings, as a SHA-256; "" for programmes without seals.

    The same bytes that are attached again change nothing, nor does what a reviewer adds to its decision. Members that are no
    leads are left out: whoever wants to leave may, and voids no seal.
    """
    if Programme(message.programme) is not Programme.COMMUNITY or body is None:
        return ""
    reviewers = Counter(name for name, state in _came_with_steps(message) if state not in SEALED_STATES)
    attached = Counter(one.document for one in message.documents)
    given = [one for one in message.documents if attached[one.document] > reviewers[one.document]]
    given += brought if State(message.state) in SEALED_STATES else ()
    sealed = [one for one in given if one.kind not in UNSEALED_KINDS]
    known = await hashes(tx, {one.document for one in sealed})
    lines = sorted({f"{one.kind} {known[one.document]}" for one in sealed})
    facts = _facts(body_message(body)).SerializeToString(deterministic=True)
    return hashlib.sha256("\n".join([*lines, ""]).encode() + facts).hexdigest()


def _came_with_steps(message: pb.Application) -> list[tuple[str, State]]:
    """Documents that came with a step, and the state in which it was taken."""
    before = [State.DRAFT, *(State(one.state) for one in message.steps)]
    return [(name, state) for state, one in zip(before, message.steps, strict=False) for name in one.documents]


def _facts(body: body_pb2.Body) -> body_pb2.Body:
    """What a body hands in of itself."""
    facts = body_pb2.Body()
    FieldMask(paths=HANDED_IN_FIELDS).MergeMessage(body, facts)
    return facts
