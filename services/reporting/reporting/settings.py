"""Settings of reporting, beside those that every service has (prefix ALLIANCE_)."""

from pydantic import Field

from chassis.settings import ServiceSettings
from reporting.domain.deadlines import REPORT_DAYS


class ReportingSettings(ServiceSettings):
    """What the documents leave open of the quarterly information report (S0 附件1 二(六))."""

    service: str = "reporting"
    report_due_days: int = Field(REPORT_DAYS, ge=1, le=90)
    """Days after a quarter, the last inclusive, in which its report is in time; holds for deadlines set up from then on."""
    report_further_copies: tuple[str, ...] = ()
    """Copies 抄送 beside the three that the document names ("等部门")."""
