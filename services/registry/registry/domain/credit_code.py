"""Unified social credit codes 统一社会信用代码 (GB 32100-2015): 18 characters, the last of which checks the others."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V and Z
LENGTH = 18


def check_character(first: str) -> str:
    """The check character of the first 17: weights are powers of 3 modulo 31 (GB 32100 附录 A)."""
    total = sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first))
    return ALPHABET[-total % 31]


def problem(code: str) -> tuple[str, str] | None:
    """What is wrong with a code, in Chinese and English; None where it is right."""
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        return (
            "统一社会信用代码须为 18 位数字或大写字母（不含 I、O、S、V、Z）",
            "a unified social credit code has 18 digits or capital letters other than I, O, S, V, Z",
        )
    expected = check_character(code[:-1])
    if code[-1] != expected:
        return (
            f"统一社会信用代码校验位应为 {expected}，现为 {code[-1]}；请核对原件",
            f"the check character should be {expected}, not {code[-1]}; compare with the certificate (GB 32100)",
        )
    return None
