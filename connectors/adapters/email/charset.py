"""Bytes of a named, misnamed or unnamed charset as text. Never raises (reference/email.md §2.1)."""

from __future__ import annotations

import codecs
import re

_DETECTED_BYTES = 4096
_WRONG_SHARE = 0.02  # how many replacement characters still speak for the label

# What a label means in practice (WHATWG), not by its strict name.
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "euc-cn": "gb18030", "cn-gb": "gb18030",
    "iso-gb2312": "gb18030", "gb-2312": "gb18030", "hz-gb-2312": "hz",
    "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949", "windows-949": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "ms_kanji": "cp932", "windows-31j": "cp932",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs",
    "iso-8859-9": "cp1254", "latin5": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8",
    "iso-2022-jp": "iso2022_jp_ext", "cp-850": "cp850", "cp-1252": "cp1252", "ansi": "cp1252", "windows-1252": "cp1252",
    "unicode-1-1-utf-7": "utf-7", "utf8": "utf-8", "utf-8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8",
}  # fmt: skip
_WESTERN = {
    "ascii",
    "us-ascii",
    "iso-8859-1",
    "iso8859-1",
    "latin1",
    "latin-1",
    "iso_8859-1",
    "iso88591",
    "ansi_x3.4-1968",
}
# Only real text codecs: "base64", "rot13" or "idna" as a charset must not reach Python's registry of transforms.
_TEXT_CODECS = (
    {f"iso8859-{n}" for n in (*range(2, 12), 13, 14, 15, 16)}
    | {f"cp{n}" for n in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 865, 866, 869, 874, 932, 949)}
    | {f"cp{n}" for n in range(1250, 1259)}
    | {"utf-8", "utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "gb18030", "hz"}
    | {"big5hkscs", "euc_jp", "euc_jis_2004", "iso2022_jp", "iso2022_jp_ext", "iso2022_kr", "johab", "koi8-r", "koi8-u"}
    | {"koi8-t", "kz1048", "ptcp154", "mac-roman", "mac-cyrillic", "mac-greek", "mac-latin2", "mac-turkish"}
)
# What mail without a usable label is written in; rarer relatives (mac_cyrillic) would only steal from these.
_COMMON = [f"cp{n}" for n in (*range(1250, 1258), 874, 932, 949)]
_COMMON += ["koi8_r", "gb18030", "big5", "euc_jp", "iso8859_2"]
_LABEL_JUNK = re.compile(r"[\s\"';,]+")


def decode(data: bytes, label: str = "", *, detect: bool = True) -> str:
    """`data` as text. `detect` allows guessing by content, which is slow: for bodies, not for header words."""
    name = _LABEL_JUNK.sub("", label).lower()
    codec = _codec(name)
    if codec is None:
        return _unlabelled(data, western=name in _WESTERN, detect=detect)
    for candidate in (codec, "utf-8"):
        text = _strict(data, candidate)
        if text is not None:
            return text
    text = _loose(data, codec)
    if text.count("\ufffd") <= 1 + len(text) * _WRONG_SHARE:
        return text
    return _unlabelled(data, western=False, detect=detect)


def _codec(name: str) -> str | None:
    for spelling in (name, name.removeprefix("x-"), name.removeprefix("cs")):
        if spelling in _WESTERN:
            return None
        try:
            codec = codecs.lookup(_MEANT.get(spelling, spelling)).name
        except (LookupError, ValueError, UnicodeError):
            continue
        return codec if codec in _TEXT_CODECS else None
    return None


def _unlabelled(data: bytes, *, western: bool, detect: bool) -> str:
    if data.isascii() and b"\x1b$" in data:
        return _loose(data, "iso2022_jp_ext")
    text = _strict(data, "utf-8")
    if text is not None:
        return text
    if detect and not western:
        codec = _detected(data)
        if codec:
            return _loose(data, codec)
    return _loose(data, "cp1252")


def _detected(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # 30 ms to load and needed by one mail in a thousand

    best = from_bytes(data[:_DETECTED_BYTES], steps=5, chunk_size=512, cp_isolation=_COMMON).best()
    return _codec(best.encoding) if best else None


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec).removeprefix("\ufeff")
    except (UnicodeError, ValueError):
        return None


def _loose(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec, "replace").removeprefix("\ufeff")
    except (UnicodeError, ValueError):  # utf-16 of an odd length, a broken escape
        return data.decode("cp1252", "replace")
