"""Remote work 远程办公: a post whose title says that it is done from anywhere has no place, whatever office it belongs to.

Read of the title alone, where people say it of the post (`全国远程`, `（远程）`, `可居家办公`); not where it is denied
(`不支持远程办公`), nor of what is made or looked after (`远程办公系统`, `远程医疗`). Our own reading: no document says it.
"""

import re

from matching.domain import text

_WORK = "(?:办公|工作|上班)"
_REMOTE = re.compile(
    f"(?:全国|完全|纯)远程|(?:远程|居家|在家){_WORK}(?!软件|系统|平台|产品|工具|设备|方案|站|流)|远程(?:岗|兼职|实习)"
    r"|[（(【\[]\s*(?:可|支持|接受)?(?:远程|remote)\s*[）)】\]]"
    r"|\bwork(?:ing)? from home\b|\b(?:fully|100%) remote\b|\bremote (?:jobs?|work|position|role)\b"
)
_DENIED = re.compile(r"(?:不(?:支持|接受|可以?|能|提供|允许)?|非|无法?|谢绝|\bno |\bnot )\s*$")


def is_remote(title: str) -> bool:
    """Whether a post's title says that it is done from anywhere."""
    plain = text.normal(title)
    return any(not _DENIED.search(plain[: found.start()]) for found in _REMOTE.finditer(plain))
