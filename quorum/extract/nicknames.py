"""What a nickname says about its member: an address, a number, a name; judged on texts alone.

What belongs here: the judgement, and the forms in which texts are compared. What does not: rows
(`quorum.extract.p09`). Nothing here logs or raises with a text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from quorum.patterns import find_identifiers, normalise

LONGEST = 64
"""Characters; nothing longer is a nickname."""

_JOINER = "\u200d"  # inside an emoji
_UNSHOWN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_MARKUP = re.compile(r"<[A-Za-z/!?]|&#?\w{2,};|\]\(|javascript:|https?:|www\.", re.IGNORECASE)
_AT = re.compile(r"[(\[{<]\s*(?:at|アット|あっと|@)\s*[)\]}>]|\s+at\s+(?=.*\s(?:dot|\.)\s)", re.IGNORECASE)
_DOT = re.compile(r"[(\[{<]\s*(?:dot|ドット|どっと|\.)\s*[)\]}>]|。|\s+dot\s+", re.IGNORECASE)
_NUMERALS = str.maketrans("〇零○◯一二三四五六七八九壱弐参肆伍陸漆捌玖", "0000123456789123456789")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
_LONG_NUMBER = re.compile(r"\d{7}")  # an account has seven digits, a telephone ten, a card fourteen or more
_SHORTEST_PHONE = 7
_BLANK = str.maketrans("", "", "\u115f\u1160\u3164\uffa0\u2800")  # letters and symbols that show nothing
_VARIANTS = str.maketrans(
    "髙﨑邊邉齋齊斎濵濱澤廣德郞櫻國嶋嶌眞惠彌條瀨淵鷗祐", "高崎辺辺斉斉斉浜浜沢広徳郎桜国島島真恵弥条瀬渕鴎祐"
)
"""Characters of names in two shapes, each to one of them."""
_ALIKE = str.maketrans("аеорсухіјѕԁһкмтвнιοαρυ", "aeopcyxijsdhkmtbhioapu")
"""Cyrillic and Greek letters, each to the Latin one that it looks like."""
_LATIN_MARKS = re.compile("[\u0300-\u036f]")
_KATAKANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


@dataclass(frozen=True)
class Known:
    """What is registered of the member, as it stands.

    Args:
        name: the real name.
        email: the e-mail address.
        phone: the telephone number.
    """

    name: str | None = None
    email: str | None = None
    phone: str | None = None


def fault(nickname: str, known: Known) -> str | None:
    """Return why a nickname may not be shown, or None.

    Args:
        nickname: as registered.
        known: what it must not give away.

    Returns:
        The first that fits: ``empty``, ``too_long``, ``control`` (characters that are not shown or turn the text
        round), ``markup``, ``email``, ``telephone``, ``number`` (seven digits or more: an account, a card, a date),
        ``identifier`` or ``real_name``.

    Example:
        >>> fault("はなちゃん", Known(name="佐藤 花子")), fault("ﾊﾅｺ･ｻﾄｳ", Known(name="さとう はなこ"))
        (None, 'real_name')
    """
    shown = nickname.strip()
    if not shown.translate(_BLANK).strip() or not (_squashed(shown) or _has_symbols(shown)):
        return "empty"
    if len(shown) > LONGEST:
        return "too_long"
    if any(unicodedata.category(c) in _UNSHOWN and c != _JOINER for c in shown):
        return "control"
    if _MARKUP.search(normalise(shown)):
        return "markup"
    return _address_or_number(shown, known) or ("real_name" if _is_named(shown, known.name) else None)


def _address_or_number(shown: str, known: Known) -> str | None:
    plain = _DOT.sub(".", _AT.sub("@", normalise(shown))).translate(_NUMERALS)
    found = {name for text in {plain, "".join(plain.split())} for name in find_identifiers(text)}
    email = _squashed(known.email or "")
    if "email" in found or (email and email in _squashed(plain)):
        return "email"
    if "telephone" in found or _gives_phone(plain, known.phone):
        return "telephone"
    if "card" in found or _LONG_NUMBER.search(_BETWEEN_DIGITS.sub("", plain)):
        return "number"
    return "identifier" if found else None


def _gives_phone(plain: str, phone: str | None) -> bool:
    """Tell whether the digits of a text are those of the member's telephone, with or without the country."""
    own = re.sub(r"\D", "", normalise(phone or "").replace("+81", "0"))
    digits = re.sub(r"\D", "", plain)
    return len(own) >= _SHORTEST_PHONE and own.lstrip("0") in digits


def _is_named(shown: str, name: str | None) -> bool:
    """Tell whether a nickname holds the whole name: in one piece, in another order, or all of its parts apart."""
    text = _squashed(shown)
    parts = [part for part in map(_squashed, re.split(r"[\s・･,、=＝.]+", normalise(name or ""))) if part]
    whole = "".join(parts)
    if len(whole) <= 1:
        return bool(whole) and text == whole
    turned = (each[place:] + each[:place] for each in (whole, whole[::-1]) for place in range(len(whole)))
    return any(spelt in text for spelt in turned) or (len(parts) > 1 and all(part in text for part in parts))


def _squashed(text: str) -> str:
    """Return the letters and digits of a text in one spelling: no width, case, accents, kana, shape or spaces."""
    bare = _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", normalise(text)))
    spelt = unicodedata.normalize("NFC", bare).casefold().translate(_KATAKANA | _VARIANTS | _ALIKE)
    return "".join(c for c in spelt if c.isalnum())


def _has_symbols(shown: str) -> bool:
    return any(unicodedata.category(c)[0] in "PS" for c in shown)
