"""Keys of records IN, and what a refused record is called whose key is not to be kept, or that has none.

A refusal stays for days and is listed, so it names nobody. No plain hash stands for a key either: whoever has one tries all
phone numbers there are. The secret of these digests is the process's own and written nowhere; another process calls the
record otherwise, which costs a second line among the refusals for as long as both stay.
"""

from chassis.crypto import keyed_digest, secret
from chassis.errors import Violation
from chassis.personal import screen

_SECRET = secret()


def problems(key: str) -> list[Violation]:
    """Violations for personal data in a record's key, which would stay with the feed and its listing."""
    return [
        one._replace(
            zh=f"{one.zh.partition('；')[0].replace('文字', '编号')}；请改用不含个人信息的编号",
            en=f"{one.en.partition('; ')[0].replace('the text', 'the key')}; take a key that tells of nobody",
        )
        for one in screen("key", key)
    ]


def called(key: str) -> str:
    """What a record of this key is refused as: the key, or what stands for it where it holds personal data."""
    return stand_in(f"key {key}".encode()) if problems(key) else key


def stand_in(content: bytes) -> str:
    """32 hex digits for a key or a line: the same for the same content, as long as this process runs."""
    return keyed_digest(_SECRET, content)[:32]
