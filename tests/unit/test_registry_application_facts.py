"""What is entered of an application: nothing personal, since it rides on topics."""

import pytest

from alliance.registry.v1 import application_pb2 as pb
from registry.applications.mapping import application_problems


@pytest.mark.parametrize(
    ("candidate", "found"),
    [
        ("personal/01890000-0000-7000-8000-000000000000", []),
        ("李四 110101199003074514", [("employee_intake.candidate", "personal-data")]),
        ("李四 13812345678", [("employee_intake.candidate", "personal-data")]),
    ],
)
def test_a_candidate_is_named_by_an_id(candidate: str, found: list[tuple[str, str]]) -> None:
    given = pb.Application(programme=pb.PROGRAMME_EMPLOYEE_INTAKE, display_name="职工入学")
    given.employee_intake.candidate = candidate
    assert [(one.field, one.rule) for one in application_problems(given)] == found
