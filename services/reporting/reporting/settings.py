"""Settings of reporting, beside those that every service has (prefix ALLIANCE_)."""

from chassis.settings import ServiceSettings


class ReportingSettings(ServiceSettings):
    """To whom reports go beside the task force."""

    service: str = "reporting"
    report_copies: tuple[str, ...] = ("市教委", "市科委中关村管委会", "市经济和信息化局")
    """Copies 抄送 of the quarterly information report (S0 附件1 二(六))."""
