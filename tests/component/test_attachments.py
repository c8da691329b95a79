"""Documents of an application: what is attached, counted, read and erased."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import document_service_pb2 as documents
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import papers, world
from tests.applying import (
    COLLEGE,
    DEPARTMENT,
    ENTERPRISE,
    begun,
    called,
    pilot,
    placed,
    refusal,
    take,
)
from tests.world import Member


def test_a_check_says_which_evidence_is_attached(platform: Platform) -> None:
    school, commission = placed(platform, COLLEGE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    facts = pb.MajorAdjustmentFacts(
        change=pb.MAJOR_CHANGE_NEW, major_code="460301", deep_cooperation_enterprises=1, practice_hours_percent=55
    )
    made = begun(school, call, major_adjustment=facts)

    def evidence() -> dict[str, dict[str, list[str]]]:
        found = school.caller.applications.CheckApplication(rpc.CheckApplicationRequest(name=made.name)).findings
        return {one.rule: {piece.kind: list(piece.documents) for piece in one.evidence} for one in found}

    assert evidence() == {"R26": {"PROGRAMME": []}, "R27.2": {"PROGRAMME": []}}
    attached = papers.attached(school, "PROGRAMME")
    request = rpc.AttachDocumentsRequest(name=made.name, documents=attached)
    stranger = world.organization(platform, ENTERPRISE)
    assert "PERMISSION_DENIED" in refusal(stranger.caller.applications.AttachDocuments, request)
    first = school.caller.applications.AttachDocuments(request)
    assert list(first.documents) == attached
    again = rpc.AttachDocumentsRequest(name=made.name, documents=papers.attached(school, "PROGRAMME"))
    assert school.caller.applications.AttachDocuments(again) == first, "the same paper, uploaded once more"
    assert evidence() == {rule: {"PROGRAMME": [attached[0].document]} for rule in ("R26", "R27.2")}
    take(school, made.name, "submit", "PROPOSAL")
    assert "ILLEGAL_STATE" in refusal(
        school.caller.applications.AttachDocuments, rpc.AttachDocumentsRequest(name=made.name, documents=attached)
    )


def test_what_was_said_of_an_application_can_be_asked_for_later(platform: Platform) -> None:
    school, commission = placed(platform, COLLEGE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    facts = pb.MajorAdjustmentFacts(change=pb.MAJOR_CHANGE_NEW, major_code="460301", practice_hours_percent=49)
    made, applications = begun(school, call, major_adjustment=facts), school.caller.applications

    def said(**of: Timestamp) -> dict[str, body_pb2.RuleFinding]:
        found = applications.CheckApplication(rpc.CheckApplicationRequest(name=made.name, **of)).findings
        return {one.rule: one for one in found}

    before = said()
    changed = pb.Application(name=made.name)
    changed.major_adjustment.practice_hours_percent = 55
    mask = FieldMask(paths=["major_adjustment.practice_hours_percent"])
    later = applications.UpdateApplication(rpc.UpdateApplicationRequest(application=changed, update_mask=mask))
    assert (before["R27.2"].verdict, said()["R27.2"].verdict) == (body_pb2.VERDICT_VIOLATED, body_pb2.VERDICT_SATISFIED)
    then = said(check_time=made.create_time)
    assert then.keys() == before.keys()
    assert [(one.verdict, one.rule_version, dict(one.facts)) for one in then.values()] == [
        (one.verdict, one.rule_version, dict(one.facts)) for one in before.values()
    ]
    assert said(check_time=later.update_time)["R27.2"].verdict == body_pb2.VERDICT_SATISFIED
    assert "NOT_FOUND" in refusal(said, check_time=Timestamp(seconds=made.create_time.seconds - 1))
    assert "still to come" in refusal(said, check_time=Timestamp(seconds=made.create_time.seconds + 3600))


def test_an_application_has_no_more_documents_than_a_record_holds(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    made = begun(company, called(platform, commission, pb.PROGRAMME_CERTIFICATION))
    uploads = [papers.upload(company, papers.PDF + b"%% %d" % number).name for number in range(201)]
    first, *most, last = [pb.ApplicationDocument(document=one, kind="APPLICATION_FORM") for one in uploads]
    attach = company.caller.applications.AttachDocuments
    some = attach(rpc.AttachDocumentsRequest(name=made.name, documents=[first, first]))
    assert list(some.documents) == [first]
    assert attach(rpc.AttachDocumentsRequest(name=made.name, documents=[first])).etag == some.etag, "it is there already"
    attach(rpc.AttachDocumentsRequest(name=made.name, documents=most))
    assert "TOO_MANY_DOCUMENTS" in refusal(attach, rpc.AttachDocumentsRequest(name=made.name, documents=[last]))


def test_what_was_erased_is_no_longer_there_for_a_step(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE, front_line_training_percent=60)
    made = begun(company, called(platform, commission, pb.PROGRAMME_CERTIFICATION), certification=facts)
    (paper,) = papers.attached(company, "APPLICATION_FORM")
    company.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=made.name, documents=[paper]))
    company.caller.documents.EraseDocument(documents.EraseDocumentRequest(name=paper.document, reason="有误"))
    assert "DOCUMENT_REQUIRED" in refusal(take, company, made.name, "submit")
    found = company.caller.applications.CheckApplication(rpc.CheckApplicationRequest(name=made.name)).findings
    assert [list(one.evidence[0].documents) for one in found] == [[]]
    take(company, made.name, "submit", "APPLICATION_FORM")


def test_a_document_is_not_erased_while_it_is_handed_in(platform: Platform) -> None:
    """Whichever comes first: either the step finds no document, or the erasure is refused."""
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE, front_line_training_percent=60)

    def answer(what: Any) -> str:
        try:
            what()
        except grpc.RpcError as refused:
            return str(refused)
        return ""

    for attached in (True, False) * 4:
        made, papers_of_it = begun(company, call, certification=facts), papers.attached(company, "APPLICATION_FORM")
        if attached:
            company.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=made.name, documents=papers_of_it))
        submit = rpc.TakeStepRequest(name=made.name, step="submit", documents=[] if attached else papers_of_it)
        erase = documents.EraseDocumentRequest(name=papers_of_it[0].document, reason="有误")
        both = (
            partial(company.caller.applications.TakeStep, submit),
            partial(company.caller.documents.EraseDocument, erase),
        )
        with ThreadPoolExecutor(2) as pool:
            submitted, erased = pool.map(answer, both)
        assert "IN_USE" in erased if not submitted else not erased


def test_a_document_counts_as_one_kind_and_a_sealed_form_is_a_pdf(platform: Platform) -> None:
    body, university = pilot(platform)
    made = begun(university, called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT), body=body.name)
    attach = university.caller.applications.AttachDocuments
    image = papers.upload(university, b"\x89PNG\r\n\x1a\n an invented picture", media_type="image/png", file_name="a.png").name
    sealed = pb.ApplicationDocument(document=image, kind="SEALED_FORM")
    assert "PDF" in refusal(attach, rpc.AttachDocumentsRequest(name=made.name, documents=[sealed]))
    (sealed,) = papers.attached(university, "SEALED_FORM")
    receipt = pb.ApplicationDocument(document=sealed.document, kind="PLATFORM_RECEIPT")
    assert "attached as SEALED_FORM already" in refusal(
        attach, rpc.AttachDocumentsRequest(name=made.name, documents=[sealed, receipt])
    )
    attach(rpc.AttachDocumentsRequest(name=made.name, documents=[sealed]))
    assert "attached as SEALED_FORM already" in refusal(
        attach, rpc.AttachDocumentsRequest(name=made.name, documents=[receipt])
    )
    (again,) = papers.attached(university, "PLATFORM_RECEIPT")
    assert papers.upload(university).sha256 == papers.upload(university).sha256
    two = attach(rpc.AttachDocumentsRequest(name=made.name, documents=[again])).documents
    assert [one.kind for one in two] == ["SEALED_FORM", "PLATFORM_RECEIPT"], "the same bytes, and another upload of them"
    picture = pb.ApplicationDocument(document=image, kind="PLATFORM_RECEIPT")
    assert len(attach(rpc.AttachDocumentsRequest(name=made.name, documents=[picture])).documents) == 3


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAMED = {WORD: "a.docx", SHEET: "a.xlsx"}


def archive(*names: str) -> bytes:
    """A ZIP with some names in it."""
    file = BytesIO()
    with ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "<Types/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("media_type", "names", "is_one"),
    [
        (WORD, ("[Content_Types].xml", "word/document.xml"), True),
        (SHEET, ("[Content_Types].xml", "xl/workbook.xml"), True),
        (WORD, ("[Content_Types].xml", "xl/workbook.xml"), False),
        (WORD, ("word/vbaProject.bin",), False),
        (SHEET, ("META-INF/MANIFEST.MF",), False),
    ],
)
def test_an_office_document_is_not_just_any_archive(
    platform: Platform, media_type: str, names: tuple[str, ...], is_one: bool
) -> None:
    member, content = world.organization(platform, ENTERPRISE), archive(*names)
    if is_one:
        assert papers.upload(member, content, media_type=media_type, file_name=NAMED[media_type]).size == len(content)
    else:
        assert "another type" in refusal(papers.upload, member, content, media_type=media_type, file_name=NAMED[media_type])


@pytest.mark.parametrize(
    ("name", "media_type", "content", "said"),
    [
        ("a.docx", WORD, archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "it holds macros"),
        ("a.docx", WORD, archive("[Content_Types].xml", "word/a.exe"), "it holds a program (word/a.exe)"),
        ("a.pdf", "application/pdf", b"%PDF-1.7 1 0 obj << /S /Launch >>", "the PDF holds an action"),
    ],
)
def test_a_document_with_what_runs_is_refused(
    platform: Platform, name: str, media_type: str, content: bytes, said: str
) -> None:
    member = world.organization(platform, ENTERPRISE)
    english = Member(member.name, Caller(platform, member.caller.sub, member.name, "en"))
    assert said in refusal(papers.upload, english, content, media_type=media_type, file_name=name)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 [Content_Types].xml word/ not an archive",
        b"PK\x03\x04 [Content_Types].xml word/ cut PK\x05\x06",
        b"PK\x03\x04 [Content_Types].xml word/document.xml" + b"PK\x05\x06" + bytes(18),
        b"PK\x03\x04 [Content_Types].xml word/document.xml" + b"PK\x01\x02" * 10_001,
        b"PK\x03\x04" + b"PK\x06\x07".ljust(20) + b"PK\x05\x06".ljust(22, b"\x01"),
    ],
)
def test_what_only_looks_like_an_archive_is_none(platform: Platform, content: bytes) -> None:
    member = world.organization(platform, ENTERPRISE)
    assert "another type" in refusal(papers.upload, member, content, media_type=WORD, file_name=NAMED[WORD])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"media_type": "text/html"}, "it can be application/pdf"),
        ({"media_type": "image/png", "file_name": "a.png"}, "another type"),
        ({"media_type": "image/png"}, "it ends in .png"),
        ({"file_name": "说明.exe"}, "it ends in .pdf"),
        ({"file_name": ".pdf"}, "it ends in .pdf"),
        ({"file_name": "  .PDF"}, "it ends in .pdf"),
        ({"file_name": "说明\u200b.pdf"}, "it ends in .pdf"),
        ({"size": 3}, "header.size"),
        ({"size": 20 * 1024 * 1024 + 1}, "20 MiB"),
        ({"sha256": "0" * 64}, "another hash"),
        ({"file_name": "../etc/passwd"}, "slash"),
    ],
)
def test_a_document_is_what_it_says_it_is(platform: Platform, changed: dict[str, Any], field: str) -> None:
    member = world.organization(platform, ENTERPRISE)
    english = Member(member.name, Caller(platform, member.caller.sub, member.name, "en"))
    assert field in refusal(papers.upload, english, **changed)


def test_a_document_is_read_by_whoever_sees_what_it_is_attached_to_until_it_is_erased(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, stranger = placed(platform, ENTERPRISE, "110000"), world.organization(platform, ENTERPRISE)
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    read_by = {university: True, centre: False, stranger: False}

    def check(name: str) -> None:
        for reader, reads in read_by.items():
            request = documents.GetDocumentContentRequest(name=name)
            if reads:
                assert reader.caller.documents.GetDocumentContent(request).content == papers.PDF
            else:
                assert "NOT_FOUND" in refusal(reader.caller.documents.GetDocumentContent, request)

    name = papers.upload(university).name
    check(name)
    attached = [pb.ApplicationDocument(document=name, kind="SEALED_FORM"), *papers.attached(university, "PLATFORM_RECEIPT")]
    university.caller.applications.TakeStep(rpc.TakeStepRequest(name=made.name, step="submit", documents=attached))
    read_by[centre] = True
    check(name)
    erase = documents.EraseDocumentRequest(name=name, reason="依申请删除")
    assert "PERMISSION_DENIED" in refusal(stranger.caller.documents.EraseDocument, erase)
    assert "IN_USE" in refusal(university.caller.documents.EraseDocument, erase)
    gone = world.operator(platform).documents.EraseDocument(documents.EraseDocumentRequest(name=name, reason="依法删除"))
    assert (gone.state, gone.file_name) == (pb.DOCUMENT_STATE_ERASED, "")
    assert "ERASED" in refusal(university.caller.documents.GetDocumentContent, documents.GetDocumentContentRequest(name=name))
    world.settle(platform)  # its content goes afterwards
    assert not (platform.state.folder("objects") / name).exists()
