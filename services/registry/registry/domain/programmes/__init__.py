"""The programmes 程序, one module each: what R29–R37 ask, as data for the machine in `registry.domain.procedure`."""

from collections.abc import Mapping

from registry.domain.names import Programme
from registry.domain.procedure import Procedure
from registry.domain.programmes import (
    certification,
    challenge,
    community,
    consortium,
    evaluation,
    intake,
    majors,
    meeting,
    performance,
    pilot,
)

PROCEDURES: Mapping[Programme, Procedure] = {
    procedure.programme: procedure
    for procedure in (
        community.PROCEDURE,
        pilot.PILOT,
        pilot.SUPPORT,
        consortium.PROCEDURE,
        certification.PROCEDURE,
        evaluation.PROCEDURE,
        challenge.PROCEDURE,
        meeting.PROCEDURE,
        performance.PROCEDURE,
        majors.PROCEDURE,
        intake.PROCEDURE,
    )
}
"""Every programme's procedure."""
