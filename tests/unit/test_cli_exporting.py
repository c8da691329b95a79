"""Exports: what a published list holds, and what comes in again as the same."""

import errno
import gc
import json
import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.progress import Progress
from typer.testing import CliRunner, Result

from alliance.listings.v1 import details_pb2, round_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import exporting, files, importing, naming, receipts, rows, stubs, workbook
from alliance_cli.main import app
from alliance_cli.receipts import Settled
from alliance_cli.session import context
from intake import Mapping, contract
from listings.checks import settled


def test_a_list_is_exported_as_it_was_frozen_without_what_it_holds_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[rpc.ListSupplyDemandEntriesRequest] = []

    def entries(request: rpc.ListSupplyDemandEntriesRequest, **_: Any) -> rpc.ListSupplyDemandEntriesResponse:
        asked.append(request)
        listing = pb.Listing(name="listings/2", kind=pb.LISTING_KIND_JOB_POSITION, title="工程师")
        return rpc.ListSupplyDemandEntriesResponse(entries=[round_pb2.RoundEntry(listing=listing)])

    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ListSupplyDemandEntries=entries))
    file = tmp_path / "a.jsonl"
    export = ["listing", "export", "--list", "1", "--kind", "job_position", "--format", "jsonl", "--output", str(file)]
    result = CliRunner().invoke(app, export)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["title"] for line in file.read_text(encoding="utf-8").splitlines()] == ["工程师"]
    assert (asked[0].listing, list(asked[0].kinds)) == ("listings/1", [pb.LISTING_KIND_JOB_POSITION])
    assert round_pb2.ROUND_CHANGE_REMOVED not in asked[0].changes
    assert CliRunner().invoke(app, [*export, "--issuer", "organizations/1"]).exit_code == 2


@pytest.mark.parametrize(("options", "keys"), [((), ["a", "b", ""]), (("--source", "erp"), ["a"])])
def test_the_listings_of_one_source_are_exported_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], keys: list[str]
) -> None:
    held = [pb.Listing(external_key=key, source=source) for key, source in (("a", "erp"), ("b", "crm"), ("", ""))]
    monkeypatch.setattr(
        stubs, "listings", lambda: SimpleNamespace(ListListings=lambda *_, **__: rpc.ListListingsResponse(listings=held))
    )
    file = tmp_path / "a.jsonl"
    assert exported("--output", str(file), *options).exit_code == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [one.get("external_key", "") for one in lines] == keys


def exported(*options: str) -> Result:
    return CliRunner().invoke(app, ["listing", "export", "--kind", "job_position", *options])


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: Any, **__: Any) -> rpc.ListListingsResponse:
        return rpc.ListListingsResponse()

    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ListListings=none))


@pytest.mark.usefixtures("nothing_there")
@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("a.csv", (), "\ufeff外部编号".encode()),
        ("a.CSV", (), "\ufeff外部编号".encode()),
        ("a.jsonl", (), b""),
        ("a.xlsx", (), b"PK"),
        ("a.csv", ("--format", "csv"), "\ufeff外部编号".encode()),
        ("a", ("--format", "csv"), "\ufeff外部编号".encode()),
    ],
)
def test_the_format_is_the_one_that_the_files_ending_says(
    tmp_path: Path, name: str, options: tuple[str, ...], begins: bytes
) -> None:
    result = exported("--output", str(tmp_path / name), *options)
    assert result.exit_code == 0, result.output
    content = (tmp_path / name).read_bytes()
    assert content[: len(begins)] == begins
    assert bool(content) == bool(begins)


@pytest.mark.usefixtures("nothing_there")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--output", "a.csv", "--format", "xlsx"), ("--format xlsx", ".csv")),
        (("--output", "a.xlsx", "--format", "jsonl"), ("--format jsonl", ".xlsx")),
        (("--output", "a.csv.gz", "--format", "csv"), ("--format csv", ".gz")),
        (("--output", "a.txt"), ("--format", "--output")),
        ((), ("--format", "--output")),
        (("--format", "pdf"), ("pdf", "xlsx | csv | jsonl")),
        (("--format", "xlsx"), ("--output",)),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_format_that_contradicts_the_files_ending_is_refused_and_both_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: tuple[str, ...], language: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr(context, "language", language)  # and as it was, afterwards
    result = CliRunner().invoke(app, ["--lang", language, "listing", "export", "--kind", "job_position", *options])
    assert result.exit_code == 2
    assert all(part in result.output for part in said), result.output
    assert not list(tmp_path.iterdir())


def pages(page: Sequence[pb.Listing], *, broken: bool = False) -> Any:
    """A service that answers with a page, and breaks off where another is asked for."""

    def listed(request: rpc.ListListingsRequest, **_: Any) -> rpc.ListListingsResponse:
        if request.page_token and broken:
            raise RuntimeError
        return rpc.ListListingsResponse(listings=page, next_page_token="more" if broken else "")

    return lambda: SimpleNamespace(ListListings=listed)


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_an_export_that_breaks_off_leaves_the_one_before(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, page = tmp_path / f"a.{form}", [pb.Listing(kind=pb.LISTING_KIND_JOB_POSITION, title="工程师")]
    monkeypatch.setattr(naming, "display_names", lambda _: {})
    monkeypatch.setattr(stubs, "listings", pages(page))
    assert exported("--output", str(file)).exit_code == 0
    before = file.read_bytes()
    monkeypatch.setattr(stubs, "listings", pages(page, broken=True))
    assert isinstance(exported("--output", str(file)).exception, RuntimeError)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_where_nothing_can_be_written_is_told_before_anything_is_asked(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ListListings=lambda *_, **__: pytest.fail("asked")))
    result = exported("--output", str(tmp_path / "nowhere" / f"a.{form}"))
    assert (result.exit_code, "没有该文件或文件夹" in result.output) == (2, True)


_MANY = [
    pb.Listing(kind=pb.LISTING_KIND_JOB_POSITION, title=f"工程师{one}", description="负责封装" * 50) for one in range(100)
]


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As `ulimit -f` has it, in bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    (made := tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("form", "size"), [("csv", 1024), ("jsonl", 4096), ("xlsx", 1024), ("xlsx", 4096)])
def test_where_no_more_can_be_written_it_is_told_of_what_and_the_file_before_is_all_that_is_left(
    form: str, size: int, language: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "600")
    monkeypatch.setattr(naming, "display_names", lambda _: {})
    monkeypatch.setattr(stubs, "listings", pages(_MANY))
    monkeypatch.setattr(context, "language", language)
    file = tmp_path / f"a.{form}"
    file.write_bytes(b"before")
    with no_file_beyond(size):
        result = CliRunner().invoke(
            app, ["--lang", language, "listing", "export", "--kind", "job_position", "--output", str(file)]
        )
    assert (result.exit_code, file.read_bytes()) == (2, b"before")
    assert not list(scratch.iterdir())
    assert set(tmp_path.iterdir()) == {scratch, file}
    what = scratch if form == "xlsx" else file  # of a workbook the rows come before the file
    assert all(part in result.output for part in (str(what), "ulimit -f")), result.output


def none_left(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "600")
    monkeypatch.setattr(naming, "display_names", lambda _: {})
    monkeypatch.setattr(stubs, "listings", pages(_MANY))


@pytest.mark.usefixtures("many")
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("full", "told"), [("file", "a.xlsx"), ("scratch", "临时文件夹")])
def test_of_a_workbook_it_is_told_whether_its_place_or_the_one_of_temporary_files_is_full(
    full: str, told: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"before")
    if full == "scratch":
        monkeypatch.setattr("xlsxwriter.packager.Packager._write_worksheet_files", none_left)
    else:
        made = workbook._Target.__init__

        def made_full(target: workbook._Target, file: Path) -> None:
            made(target, file)
            target._stream = Path("/dev/full").open("wb")  # noqa: SIM115 - the target closes it

        monkeypatch.setattr(workbook._Target, "__init__", made_full)
    result = exported("--output", str(file))
    gc.collect()
    assert (result.exit_code, file.read_bytes()) == (2, b"before")
    assert not list(scratch.iterdir())
    assert set(tmp_path.iterdir()) == {scratch, file}
    assert all(part in result.output for part in (told, "空间不足")), result.output
    assert ("TMPDIR" in result.output) is (full == "scratch")


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("named", [True, False])
def test_where_no_folder_takes_temporary_files_it_is_told_why_the_named_one_does_not(
    named: bool, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "language", language)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "nowhere")])
    monkeypatch.delenv("TMPDIR", raising=False)
    if named:
        monkeypatch.setenv("TMPDIR", str(tmp_path / "away"))
    (file := tmp_path / "a.xlsx").write_bytes(b"before")
    result = CliRunner().invoke(
        app, ["--lang", language, "listing", "export", "--kind", "job_position", "--output", str(file)]
    )
    assert (result.exit_code, file.read_bytes(), list(tmp_path.iterdir())) == (2, b"before", [file])
    folder = str(tmp_path / "away") if named else "/tmp"  # noqa: S108
    zh, en = ("不能写：没有该文件", "no such file") if named else ("写不下：空间不足", "no space is left")
    told = (
        (f"临时文件夹 {folder} {zh}", "TMPDIR") if language == "zh" else (f"temporary files {folder} can't be", en, "TMPDIR")
    )
    assert all(part in result.output for part in told), result.output


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
@pytest.mark.parametrize("why", [errno.ENOSPC, errno.EDQUOT])
def test_a_file_system_that_says_only_at_its_end_that_it_is_full_leaves_the_one_before(
    why: int, form: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(FileIO):
        def close(self) -> None:
            was_open = not self.closed
            super().close()
            if was_open:
                raise OSError(why, os.strerror(why))

    class LateNamed(files._Named, Late):
        pass

    made = workbook._Target.__init__

    def made_late(target: workbook._Target, file: Path) -> None:
        made(target, file)
        assert target._stream
        target._stream.close()
        target._stream = BufferedWriter(Late(file, "w"))

    monkeypatch.setattr(workbook._Target, "__init__", made_late)
    monkeypatch.setattr(files, "_Named", LateNamed)
    (file := tmp_path / f"a.{form}").write_bytes(b"before")
    result = exported("--output", str(file))
    assert (result.exit_code, file.read_bytes()) == (2, b"before"), result.output
    assert set(tmp_path.iterdir()) == {scratch, file}
    assert f"{file} 写不下" in result.output
    assert not list(scratch.iterdir())


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_what_is_full_elsewhere_is_told_neither_of_the_file_nor_of_the_temporary_ones(
    form: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As standard output, where the progress is told."""
    monkeypatch.setattr(Progress, "update", none_left)
    (file := tmp_path / f"a.{form}").write_bytes(b"before")
    result = exported("--output", str(file))
    assert (result.exit_code, file.read_bytes()) == (2, b"before")
    assert set(tmp_path.iterdir()) == {scratch, file}
    assert "文件 写不下" in result.output
    assert not any(said in result.output for said in (str(tmp_path), "临时文件夹", "TMPDIR")), result.output


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("which", ["mkdir", "sheet", "headings"])
def test_where_not_even_a_sheet_can_be_begun_the_folder_is_told_and_no_file_in_it(
    which: str, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **options: Any) -> Any:
        name = str(Path(options.get("dir") or scratch) / "k7hq2zr_")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)

    if which == "mkdir":
        monkeypatch.setattr(tempfile, "mkdtemp", full)
    elif which == "headings":
        monkeypatch.setattr(workbook.Book, "put", none_left)
    else:
        as_ever = tempfile.mkstemp
        monkeypatch.setattr(
            tempfile,
            "mkstemp",
            lambda *given, **options: (full if "alliance-" in str(options["dir"]) else as_ever)(*given, **options),
        )
    (file := tmp_path / "a.xlsx").write_bytes(b"before")
    result = exported("--output", str(file))
    assert (result.exit_code, file.read_bytes()) == (2, b"before")
    assert set(tmp_path.iterdir()) == {scratch, file}
    assert not list(scratch.iterdir())
    assert f"临时文件夹 {scratch} 写不下" in result.output, result.output


def test_a_template_is_told_what_is_full_and_a_file_beside_the_temporary_ones_is_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "600")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = tmp_path / "a.xlsx"
    template = ["listing", "template", "job_position", "--output", str(file)]
    with monkeypatch.context() as patched:
        patched.setattr("alliance_cli.templates._codes", none_left)
        assert f"临时文件夹 {tmp_path} 写不下" in CliRunner().invoke(app, template).output
        assert not list(tmp_path.iterdir())
    monkeypatch.setattr(workbook._Target, "close", lambda target: full_told(target._file))
    said = CliRunner().invoke(app, template).output
    assert f"{file} 写不下" in said
    assert "临时文件夹" not in said
    assert not list(tmp_path.iterdir())


def full_told(file: Path) -> None:
    with files.full_told_of(file):
        none_left()


@pytest.mark.parametrize(("name", "full", "left"), [("r.csv", "r.csv", b"\xef\xbb\xbf"), ("r.xlsx", "scratch", b"before")])
def test_receipts_that_no_more_can_be_written_of_say_of_what(
    name: str, full: str, left: bytes, tmp_path: Path, scratch: Path
) -> None:
    """A list keeps those of rows that are done; the marked table is whole or not there."""
    (file := tmp_path / name).write_bytes(b"before")
    mapping = Mapping.parse({"source": "s", "key": "编号", "fields": {"title": "名称"}})
    settled = Settled(["1", "工程师" * 100], rpc.ImportReceipt(row=1, external_key="1", outcome=rpc.IMPORT_OUTCOME_ACCEPTED))

    def write() -> None:
        with closing(receipts.opened(file, [["编号", "名称"]], mapping)) as written:
            for _ in range(1000):
                written.add(settled)

    with no_file_beyond(8192), pytest.raises(OSError, match="too large") as refused:
        write()
    assert refused.value.filename == str(tmp_path / full)
    assert file.read_bytes().startswith(left)
    assert not list(scratch.iterdir())
    assert set(tmp_path.iterdir()) == {scratch, file}


def test_a_device_is_written_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "listings", pages([pb.Listing(title="工程师")]))
    (sheet := tmp_path / "a.xlsx").symlink_to("/dev/null")
    for file in ("/dev/null", str(sheet)):
        exported("--format", "xlsx" if file.endswith("x") else "jsonl", "--output", file)
    assert Path("/dev/null").is_char_device()
    os.mkfifo(pipe := tmp_path / "pipe")
    with ThreadPoolExecutor() as beside:
        read = beside.submit(pipe.read_text, encoding="utf-8")
        assert exported("--format", "jsonl", "--output", str(pipe)).exit_code == 0
        assert json.loads(read.result())["title"] == "工程师"


def test_a_file_stays_whose_it_is_and_one_that_is_not_to_be_written_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stubs, "listings", pages([]))
    file = tmp_path / "a.jsonl"
    file.touch()
    file.chmod(0o660)
    assert exported("--output", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o660
    (longest := tmp_path / f"{'清' * 80}.jsonl").touch()
    assert exported("--output", str(longest)).exit_code == 0
    if os.geteuid():  # root writes what it likes
        file.chmod(0o440)
        assert exported("--output", str(file)).exit_code == 2


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_was_entered_with_blanks_comes_in_again_as_the_same(form: str, tmp_path: Path) -> None:
    given = pb.Listing(kind=pb.LISTING_KIND_JOB_POSITION, external_key="k-1", title="工程师", quantity=1)
    given.visibility, given.description = pb.VISIBILITY_PUBLIC, " 第一行\n第二行\u3000"
    given.industry_codes.append(" 3531  食品、酒、饮料及茶生产专用设备制造")
    details = given.job_position
    details.education_code, details.skills[:] = "硕士 ", [" C", "机器 \r\n学习", " ", "\u3000"]
    details.majors.append(" 计算机  应用技术 ")  # a discipline of postgraduates is in no catalogue: taken as written
    assert settled(given) == []
    assert (list(details.skills), list(details.majors)) == (["C", "机器 学习"], ["计算机 应用技术"])
    assert list(given.industry_codes) == ["3531"]

    file = tmp_path / f"a.{form}"
    with exporting.opened(form, file, given.kind) as export:
        export.add([given])
    source = importing.source_of(file, given.kind, None, "")
    ((_, line),) = source.lines
    again = source.mapping.listing(rows.row(rows.headings(source.head[0]), line))
    again.kind = given.kind
    assert settled(again) == []
    assert again == given


@pytest.mark.parametrize(("hours", "shown"), [(8, True), (0, False)])
def test_a_listing_is_shown_with_the_details_of_its_kind_by_their_names(
    monkeypatch: pytest.MonkeyPatch, hours: int, shown: bool
) -> None:
    equipment = details_pb2.EquipmentSharing(max_hours=hours, open_from="08:00")
    held = pb.Listing(name="listings/1", kind=pb.LISTING_KIND_EQUIPMENT_SHARING, title="示波器", equipment_sharing=equipment)
    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(GetListing=lambda *_, **__: held))
    told = {zh: (en, value) for zh, en, value in exporting.details(held)}
    names = {one.path: one.zh for one in contract.columns(held.kind)}
    assert (names["equipment_sharing.max_hours"] in told) is shown
    assert told[names["equipment_sharing.open_from"]] == ("open_from", "08:00")
    printed = CliRunner().invoke(app, ["listing", "show", "1"])
    assert printed.exit_code == 0, printed.output
    assert names["equipment_sharing.open_from"] in printed.output
