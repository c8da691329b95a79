"""COMMUNITY 行业产教融合共同体 (S2 四, 五; R29).

Filled in, sealed by every lead and by one province among theirs, reviewed there, reported to the ministry. The headquarters of
a central SOE may file direct, without a province; that it is one is its own word until the ministry confirms it.
"""

from collections.abc import Mapping
from datetime import date

from registry.domain.conditions import Text
from registry.domain.names import MemberRole, Programme
from registry.domain.procedure import (
    Applicants,
    Case,
    Deadline,
    Effect,
    Party,
    Procedure,
    Refusal,
    State,
    Step,
    Taken,
    Unit,
)
from registry.domain.programmes.common import (
    CORRECTION_DAYS,
    correction_ends,
    is_education_department,
    lapse,
    window_closes,
    withdraw_of_leads,
)

_FLOW, _TIMES = "S2 四", "S2 五"
_REVIEWERS: Mapping[State, Party] = {State.SUBMITTED: Party.PROVINCE, State.REPORTED: Party.AUTHORITY}
"""Whose review it is: the province's first, and the ministry's once it is reported."""
_APPLY = frozenset({MemberRole.LEAD_ENTERPRISE})
_IN_HAND = (State.DRAFT, State.SEALING, State.RETURNED)
SEALED_STATES = frozenset(_IN_HAND)
"""States in which a document that comes with a step is one of those that are sealed; later ones are the reviewers' own."""
UNSEALED_KINDS = frozenset({"SEALED_FORM"})
"""Kinds of documents that no seal is put on: what comes of the sealing."""


def _lead_enterprise_applies(case: Case) -> Refusal | None:
    lead = case.leads.get(MemberRole.LEAD_ENTERPRISE)
    if lead is not None and lead.name == case.applicant.name:
        return None
    return Refusal(
        "NOT_THE_LEAD",
        "由牵头企业注册填报；请先设置牵头企业角色，并以该企业申报",
        "the lead enterprise registers and applies; give it its role first, and apply for it",
    )


def _province_named(case: Case) -> Refusal | None:
    if case.named is None:
        return (
            None
            if _is_central_soe(case)
            else Refusal(
                "INPUT_REQUIRED",
                "请填写推荐省份的省级教育行政部门；中央管理企业集团总部可直报而不填",
                "name the education department of the recommending province; only a central SOE may file direct without",
            )
        )
    return _does_not_recommend(case, case.named, ("请改填", "name another"))


def _province_that_sealed(case: Case) -> Refusal | None:
    """What was asked of the province when it was named holds still: regions of the leads and its own may change since."""
    province = _province(case)
    return _does_not_recommend(case, case.units[province], _NAMING_ANOTHER[case.state]) if province else None


def _province_as_filed(case: Case) -> Refusal | None:
    return None if _filed_direct(case) else _province_that_sealed(case)


def _does_not_recommend(case: Case, one: Unit, fix: Text) -> Refusal | None:
    """Why an organization is not one that recommends: the education department of a province in which a lead is."""
    fix_zh, fix_en = fix
    if not _is_provincial(case, one):
        return Refusal(
            "NOT_A_PROVINCIAL_DEPARTMENT",
            "推荐单位须为省级教育行政部门：名称为…教育厅、教育委员会、教委或教育局（考试院、研究院等事业单位除外），"
            f"地区为整个省份（如 120000），已核验，且不是主管单位；{fix_zh}",
            "it has to be the education department of a province: called …教育厅, 教育委员会, 教委 or 教育局 (no 考试院 or "
            f"the like), its region a whole province (like 120000), verified, and not the authority; {fix_en}",
        )
    if one.province not in {lead.province for lead in case.leads.values() if lead.province}:
        return Refusal(
            "NOT_A_PROVINCE_OF_A_LEAD",
            f"推荐省份须为某一牵头单位所在省份；{fix_zh}",
            f"the recommending province has to be that of a lead; {fix_en}",
        )
    return None


_NAMING_ANOTHER: Mapping[State, Text] = {
    State.SEALING: (
        "请收回修改（reopen），重新发起盖章（start_sealing）并改填",
        "take the form back (reopen) and send it round again with the step start_sealing, naming another",
    ),
    State.RETURNED: (
        "请重新发起盖章（start_sealing）并改填",
        "send the form round again with the step start_sealing, naming another",
    ),
    **dict.fromkeys(
        (State.SUBMITTED, State.REPORTED),
        (
            "请退回补正（return），由牵头企业重新发起盖章（start_sealing）并改填",
            "return it, and the lead enterprise sends the form round again with the step start_sealing, naming another",
        ),
    ),
}
"""How another province is named, by the state in which the form is handed in, or judged."""


def _province(case: Case) -> str:
    """The province that was named when the form last went round; "" for none."""
    return next((one.subject for one in reversed(case.steps("start_sealing"))), "")


def _dropped_province(case: Case) -> frozenset[str]:
    """The province that was named before, unless the step names it again: it has no part in the application any more."""
    return frozenset({_province(case)} - {"", case.named.name if case.named else ""})


def _is_provincial(case: Case, one: Unit) -> bool:
    """Whether it is the education department of a province 省级教育行政部门: the ministry, which decides, is none."""
    return is_education_department(one, case.called(one.name)) and one.is_of_a_province and one.name != case.authority


def _is_central_soe(case: Case) -> bool:
    return case.facts.get("lead_is_central_soe") is True


def _seals(case: Case) -> list[Taken]:
    """Seals since the form last went round."""
    return [one for one in case.since("start_sealing", "reopen") if one.step == "seal"]


def _sealed_by(case: Case) -> set[str]:
    """Whose seals count: those put on the form, the evidence and the body's facts as they are now."""
    return {one.organization for one in _seals(case) if one.sealed == case.content}


def _all_sealed(case: Case) -> Refusal | None:
    province = _province(case)
    if not province:
        return Refusal(
            "NO_PROVINCE",
            "未选定推荐省份；请先收回修改（reopen），再写明省级教育行政部门发起盖章（start_sealing --organization），"
            "或由中央管理企业直报（file_direct）",
            "no province was named; take it back (reopen) and begin the sealing with a province's education department "
            "(start_sealing --organization), or file direct as a central SOE (file_direct)",
        )
    return _unsealed(case, {lead.name for lead in case.leads.values()} | {province})


def _leads_sealed(case: Case) -> Refusal | None:
    return _unsealed(case, {lead.name for lead in case.leads.values()})


def _unsealed(case: Case, wanted: set[str]) -> Refusal | None:
    missing = wanted - _sealed_by(case)
    if not missing:
        return None
    named = [case.called(name) for name in sorted(missing)]
    fix_zh, fix_en = _SEALING.get(case.state, _SEALING_AFTER_A_RETURN)
    changed = not missing.isdisjoint(one.organization for one in _seals(case))
    why_zh, why_en = _CHANGED if changed else ("", "")
    return Refusal(
        "SEALS_MISSING",
        f"尚缺盖章：{'、'.join(named)}{why_zh}；{fix_zh}",
        f"not sealed yet by: {', '.join(named)}{why_en}; {fix_en}",
    )


_CHANGED: Text = (
    "（盖章后申报书、佐证材料或组织事实已变更，原章失效）",
    " (form, evidence or the body's facts changed after the seals, which are void)",
)
_SEALING: Mapping[State, Text] = {
    State.SEALING: ("请其办理盖章（seal）", "each takes the step seal"),
    State.RETURNED: ("请重新发起盖章（start_sealing）", "send the form round again with the step start_sealing"),
}
"""How seals that are missing are got, by state."""
_SEALING_AFTER_A_RETURN: Text = (
    "请退回补正（return），由牵头企业重新发起盖章",
    "return it, and the lead enterprise sends the form round again",
)


def _form_of_these_seals(case: Case) -> Refusal | None:
    """Once sealed anew, the form is one that came after the seals; an earlier one shows others."""
    if len(case.steps("start_sealing")) < 2 or "SEALED_FORM" in case.new:
        return None
    return Refusal(
        "FORM_OUTDATED",
        "重新盖章前的加盖公章的申报书（SEALED_FORM）不再有效（R29）；请随本步骤上传重新盖章后的申报书",
        "a sealed form (SEALED_FORM) of before the new seals does not serve (R29); bring the one that was sealed since with "
        "this step",
    )


def _handed_in_by(case: Case) -> date | None:
    """The last day for handing in: of the corrections where it was returned, else of the window."""
    return correction_ends(case) or window_closes(case)


def _sealed_as_filed(case: Case) -> Refusal | None:
    """Whoever leads now has sealed it, and the province if it went by way of one: leads may change after the seals."""
    if _filed_direct(case):
        return _central_soe(case) or _leads_sealed(case)
    return _all_sealed(case)


def _filed_direct(case: Case) -> bool:
    """Whether it was last filed without a province."""
    return [one.step for one in case.steps("submit", "file_direct")][-1:] == ["file_direct"]


def _central_soe(case: Case) -> Refusal | None:
    if _is_central_soe(case):
        return None
    return Refusal(
        "NO_CENTRAL_SOE",
        "只有中央管理企业集团总部可以直报；请经省级教育行政部门审核（start_sealing --organization）",
        "only the headquarters of a central SOE files direct; go by way of a province (start_sealing --organization)",
    )


def _to_be_confirmed(case: Case) -> Refusal | None:
    """Only what came direct and the authority has not confirmed yet."""
    if not _filed_direct(case):
        return Refusal(
            "NOT_FILED_DIRECT",
            "本申报经省级审核而来，无须核实直报资格；请直接办理入库、退回或不通过",
            "it came by way of a province, so there is no direct filing to confirm; accept, return or reject it",
        )
    if case.steps("confirm_direct"):
        return Refusal(
            "ALREADY_DONE", "直报资格已核实，无须再办", "the direct filing is confirmed already; there is nothing to do"
        )
    return None


def _confirmed(case: Case) -> Refusal | None:
    """What came direct rests on more than the applicant's own word."""
    if not _filed_direct(case) or case.steps("confirm_direct"):
        return None
    return Refusal(
        "NOT_CONFIRMED",
        "直报资格尚未核实；请先核实申报单位为中央管理企业集团总部（confirm_direct），否则退回，改经省级审核",
        "nobody has confirmed yet that the applicant is the headquarters of a central SOE; take confirm_direct first, or "
        "return it, to come by way of a province",
    )


def _once_since_the_last_start(case: Case) -> Refusal | None:
    if case.unit.name not in _sealed_by(case):
        return None
    return Refusal("ALREADY_DONE", "贵单位已盖章，无须再办", "your organization has sealed it already; there is nothing to do")


PROCEDURE = Procedure(
    Programme.COMMUNITY,
    ("行业产教融合共同体申报", "application of a 行业产教融合共同体"),
    _FLOW,
    {
        "EVIDENCE": ("佐证材料", "evidence"),
        "APPLICATION_FORM": ("申报书", "application form"),
        "SEALED_FORM": ("加盖公章的申报书", "sealed application form"),
    },
    (
        Step(
            "start_sealing",
            ("形成申报书并送盖章", "sending the form round to be sealed"),
            _FLOW,
            (State.DRAFT, State.RETURNED),
            State.SEALING,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM", "EVIDENCE"),
            takes=("organization",),
            checks_rules=True,
            guards=(_lead_enterprise_applies, _province_named),
            releases=_dropped_province,
        ),
        Step(
            "seal",
            ("盖章", "sealing"),
            _FLOW,
            (State.SEALING,),
            State.SEALING,
            (Party.LEAD, Party.PROVINCE),
            guards=(_once_since_the_last_start,),
        ),
        Step(
            "reopen",
            ("收回修改", "taking it back for changes"),
            _FLOW,
            (State.SEALING,),
            State.DRAFT,
            (Party.APPLICANT,),
            asks=("reason",),
            ours=("已盖的章作废，须重新送盖章", "the seals are void, and the form goes round again"),
            after=lambda case: State.RETURNED if case.was_returned else State.DRAFT,
            releases=_dropped_province,
        ),
        Step(
            "submit",
            ("上传提交", "submission"),
            f"{_FLOW}, 五",
            (State.SEALING,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("SEALED_FORM",),
            in_window=True,
            checks_rules=True,
            guards=(_province_that_sealed, _all_sealed, _form_of_these_seals),
        ),
        Step(
            "file_direct",
            ("直报", "direct filing"),
            f"{_FLOW}, 五",
            (State.SEALING,),
            State.REPORTED,
            (Party.APPLICANT,),
            documents=("SEALED_FORM",),
            in_window=True,
            checks_rules=True,
            guards=(_central_soe, _leads_sealed, _form_of_these_seals),
        ),
        Step(
            "approve",
            ("省级审核通过", "approval"),
            _FLOW,
            (State.SUBMITTED,),
            State.REPORTED,
            (Party.PROVINCE,),
            settles_rules=True,
            guards=(_province_that_sealed, _all_sealed),
        ),
        Step(
            "return",
            ("退回补正", "return"),
            _FLOW,
            tuple(_REVIEWERS),
            State.RETURNED,
            tuple(_REVIEWERS.values()),
            turns=_REVIEWERS,
            asks=("reason",),
            ours=(f"补正期 {CORRECTION_DAYS} 天", f"{CORRECTION_DAYS} days for corrections"),
        ),
        Step(
            "resubmit",
            ("补正后提交", "submission after correction"),
            _FLOW,
            (State.RETURNED,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            brings=("SEALED_FORM",),
            checks_rules=True,
            guards=(_province_as_filed, _sealed_as_filed),
            after=lambda case: State.REPORTED if _filed_direct(case) else State.SUBMITTED,
        ),
        Step(
            "confirm_direct",
            ("核实直报资格", "confirming the direct filing"),
            _FLOW,
            (State.REPORTED,),
            None,
            (Party.AUTHORITY,),
            asks=("reason",),
            guards=(_to_be_confirmed,),
            ours=(
                "文件未规定如何核实中央管理企业集团总部",
                "the document does not say how a central SOE's headquarters is told",
            ),
        ),
        Step(
            "reject",
            ("审核不通过", "rejection"),
            _FLOW,
            tuple(_REVIEWERS),
            State.REJECTED,
            tuple(_REVIEWERS.values()),
            turns=_REVIEWERS,
            asks=("reason",),
        ),
        Step(
            "accept",
            ("入库", "acceptance"),
            _FLOW,
            (State.REPORTED,),
            State.RUNNING,
            (Party.AUTHORITY,),
            settles_rules=True,
            guards=(_province_as_filed, _sealed_as_filed, _confirmed),
            effect=Effect.FORM,
            ours=("文件只写到报送教育部", "the document ends with the report to the ministry"),
        ),
        withdraw_of_leads(_FLOW, _APPLY, *_IN_HAND, State.SUBMITTED),
        lapse(_TIMES, *_IN_HAND),
    ),
    (
        Deadline((State.DRAFT,), window_closes, ("受理截止", "end of the window"), _TIMES, "lapse"),
        Deadline((State.SEALING,), _handed_in_by, ("提交截止", "last day for handing in"), _TIMES, "lapse"),
        Deadline((State.RETURNED,), correction_ends, ("补正截止", "end of the correction"), _FLOW, "lapse"),
    ),
    Applicants(
        ("该共同体的牵头企业", "the lead enterprise of the community"),
        of_body=True,
        roles=_APPLY,
    ),
)
