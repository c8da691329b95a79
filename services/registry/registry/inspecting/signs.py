"""What a file is, by how it begins or what it is called: a program, or what can hold one."""

_PROGRAMS = (
    b"MZ",  # Windows, DOS
    b"\x7fELF",
    b"#!",
    b"\xfe\xed\xfa\xce",  # Mach-O
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # Mach-O of several architectures; a class of Java
    b"dex\n",
    b"\x4c\x00\x00\x00\x01\x14\x02\x00",  # a shortcut of Windows
)
ARCHIVE, COMPOUND, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-"
_PDF_BEGINS = 1024  # bytes within which (ISO 32000-1, annex H)
_PACKED = (b"Rar!", b"7z\xbc\xaf\x27\x1c", b"MSCF")
_ENDINGS = (
    *(
        ".exe",
        ".com",
        ".scr",
        ".pif",
        ".dll",
        ".cpl",
        ".ocx",
        ".sys",
        ".msi",
        ".msp",
        ".msix",
        ".appx",
        ".jar",
        ".apk",
        ".elf",
    ),
    *(
        ".bat",
        ".cmd",
        ".ps1",
        ".psm1",
        ".vbs",
        ".vbe",
        ".vb",
        ".js",
        ".jse",
        ".wsf",
        ".wsh",
        ".wsc",
        ".sct",
        ".hta",
        ".chm",
        ".sh",
    ),
    *(
        ".lnk",
        ".url",
        ".scf",
        ".reg",
        ".inf",
        ".msc",
        ".application",
        ".settingcontent-ms",
        ".py",
        ".iso",
        ".img",
        ".vhd",
        ".vhdx",
    ),
)


def is_program(begin: bytes) -> bool:
    """Whether a file that begins like this is a program."""
    return begin.startswith(_PROGRAMS)


def is_packed(begin: bytes) -> bool:
    """Whether it is an archive of a form that is not looked into."""
    return begin.startswith(_PACKED)


def is_holder(begin: bytes) -> bool:
    """Whether it holds parts that are looked at."""
    return begin.startswith((ARCHIVE, COMPOUND)) or is_pdf(begin)


def is_pdf(begin: bytes) -> bool:
    """Whether it is a PDF."""
    return PDF in begin[:_PDF_BEGINS]


def is_programs_name(name: str) -> bool:
    """Whether a file of this name is run when it is opened. Windows leaves out dots and blanks at its end."""
    return name.strip("\0").rstrip(" .").lower().endswith(_ENDINGS)
