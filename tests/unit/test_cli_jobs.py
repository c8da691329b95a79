"""What `alliance jobs` says of jobs, and what `replay` and `rebuild` say where nobody waits for theirs any more."""

from typing import Any
from unittest.mock import Mock

import pytest
import typer
from typer.testing import CliRunner

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import jobs, recovery
from alliance_cli.session import SERVICES, context


class Services:
    """All services, which give what was prepared for a request's type, and keep what they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
        self._answers = {type(one).__name__.removesuffix("Response"): one for one in answers}
        self.asked: list[Any] = []
        for module in (jobs, naming, recovery):
            monkeypatch.setattr(module, "call", self._call)
        monkeypatch.setattr(stubs, "admin", lambda _: Mock())
        monkeypatch.setattr(context, "language", "en")

    def _call(self, _: Any, request: Any) -> Any:
        self.asked.append(request)
        name = type(request).__name__.removesuffix("Request")
        return self._answers["Job" if name in ("GetJob", "CancelJob") else name]


def _job(*, failure: str = "", failed: int = 0, finished: bool = True) -> rpc.Job:
    job = rpc.Job(service="notify", id="an-id", kind="rebuild", subject="a-group", failure=failure, failed=failed)
    job.actor, job.reason = "operator", "why not"
    job.create_time.FromSeconds(1)
    if finished:
        job.finish_time.FromSeconds(2)
    return job


@pytest.mark.parametrize(
    ("job", "state"),
    [
        (_job(finished=False), " open "),
        (_job(), " done "),
        (_job(failure="cancelled by x"), " not done "),
        (_job(failed=1), " not done "),
    ],
)
def test_a_list_says_how_each_job_stands(monkeypatch: pytest.MonkeyPatch, job: rpc.Job, state: str) -> None:
    services = Services(monkeypatch, rpc.ListJobsResponse(jobs=[job]))
    done = CliRunner().invoke(jobs.app, ["list", "notify", "--open"])
    assert (done.exit_code, len(services.asked), services.asked[0].open) == (0, 1, True)
    for text in ("notify", "an-id", "rebuild", "a-group", state, "operator", "why not", job.failure):
        assert text in done.output


def test_without_a_service_all_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(monkeypatch, rpc.ListJobsResponse())
    assert CliRunner().invoke(jobs.app, ["list"]).exit_code == 0
    assert [one.open for one in services.asked] == [False] * len(SERVICES)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_cancelled_job_is_shown(monkeypatch: pytest.MonkeyPatch, dry_run: bool) -> None:
    services = Services(monkeypatch, _job(failure="cancelled by operator: a test"))
    done = CliRunner().invoke(jobs.app, ["cancel", "notify", "an-id", "--reason", "a test", *["--dry-run"] * dry_run])
    (asked,) = services.asked
    assert (done.exit_code, asked.id, asked.reason, asked.dry_run) == (0, "an-id", "a test", dry_run)
    assert "cancelled by operator: a test" in done.output
    assert ("would be cancelled" in done.output) == dry_run


def test_who_does_not_wait_any_more_is_told_that_the_job_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alliance_cli.commands.recovery.time.sleep", interrupted)
    Services(monkeypatch, rpc.ReplayTopicResponse(job="an-id"), _job(finished=False))
    app = typer.Typer()
    app.command()(recovery.replay)
    done = CliRunner().invoke(app, ["alliance.public.listing.v1", "--reason", "a test"])
    assert done.exit_code == 130
    assert "alliance jobs list --open" in done.output
    assert "alliance jobs cancel listings an-id" in done.output
