"""Tokens of social media and words of every script, as one pattern of named parts.

Every part takes bounded looks ahead, so that a message is cut in linear time.
"""

from __future__ import annotations

from functools import lru_cache
from html import unescape
from html.entities import html5

import numpy as np
import regex
from numpy.typing import NDArray

from sklearn_profiling.sources.text._weibo import EMOTICONS

__all__ = [
    "HAN",
    "LETTER",
    "SPACE",
    "TRIGGER",
    "chinese_pattern",
    "chunks_pattern",
    "classes",
    "is_ideograph",
    "kind_of",
    "lower",
    "mixed_pattern",
    "person_pattern",
    "shorten",
    "split_hashtag",
    "without_references",
]

_FLAGS = regex.VERSION1 | regex.VERBOSE | regex.DOTALL

# Scripts without blanks between words; kana, ideographs and the others by their parts.
_CLUSTERS = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_KANA = r"\p{Hiragana}\p{Katakana}ーｰﾞﾟ"
_WIDE = r"\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_UNSPACED = rf"\p{{Han}}{_KANA}\p{{Bopomofo}}{_CLUSTERS}"
# Characters of words that blanks separate: letters with their marks, digits, the
# underscore, joiners of Persian and Hindi, and marks without width such as the soft
# hyphen. Marks of direction, which apps put around mentions, belong to no word.
_W = rf"[[\w\p{{WB=Format}}]--[{_UNSPACED}{_WIDE}\p{{Bidi_C}}]]"
_START = rf"[[\p{{L}}\p{{Nd}}\p{{Nl}}_]--[{_UNSPACED}{_WIDE}]]"
_NO_WORD_BEFORE = rf"(?<!{_W})"
_NO_WORD_AFTER = rf"(?!{_W})"
_ASCII = r"[A-Za-z0-9]"
# White space as str.isspace knows it.
_BLANK = r"\s\x1c-\x1f"

_SAFE = rf"[{_W}%&=+$/@\#~-]"
_REST_OF_URL = rf"""(?:
    {_SAFE} | [.,:;!?'*] (?={_SAFE}) | \( [^{_BLANK}()]{{0,200}}+ \)
)"""
_COUNTRIES = "ar|be|br|ca|ch|cl|cn|co|de|es|eu|fr|gl|in|io|it|jp|kr|ly|me|mx|nl|pt"
_COUNTRIES += "|ru|to|tv|uk|us"
_EMOJI = r"""(?:
    [\p{Extended_Pictographic}--[\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297
    \u3299]] | \p{Extended_Pictographic} (?=\ufe0f) | \p{EMod}
) (?: \ufe0f | \p{EMod} )*+ (?: [\U000e0020-\U000e007e]++ \U000e007f )?+"""
_FACE = r"[*≧≦><=^・•´｀`;╥T▔▽∀ω_ᴗ˘ಠ¬°□.~'oOuvxQqдДσツ～-]"

# Parts of social media. What stands first wins.
_MARKUP = {
    "url": rf"""
        {_NO_WORD_BEFORE} (?i: https?:// | www\. (?={_ASCII}) )
        {_REST_OF_URL}++
      | {_NO_WORD_BEFORE} (?= [A-Za-z0-9-]{{1,63}}+ \. )
        (?= [A-Za-z0-9.-]{{1,100}} ) (?: [A-Za-z0-9-]{{1,63}}+ \. ){{1,4}}
        (?: (?i: com|net|org|edu|gov ) (?![\w@-]) (?: / {_REST_OF_URL}*+ )?+
          | (?i: {_COUNTRIES} ) / {_REST_OF_URL}++ )""",
    "email": rf"""
        (?<![A-Za-z0-9._%+-]) (?= [A-Za-z0-9._%+-]{{1,64}}+ @ {_ASCII} )
        {_ASCII}++ (?: [._%+-]++ {_ASCII}++ )*+
        @ (?: [A-Za-z0-9-]{{1,63}}+ \. ){{1,8}} [A-Za-z]{{2,24}}+""",
    "mention": rf"""
        {_NO_WORD_BEFORE} (?<![@＠]) [@＠] [\p{{L}}\p{{Nd}}_] \w*+
        (?: -\w++ )*+ (?: @ [A-Za-z0-9-]{{1,63}}+ (?: \. [A-Za-z0-9-]{{1,63}}+ ){{1,4}}
        )?+""",
    "hashtag": rf"""
        {_NO_WORD_BEFORE} (?<![\#＃&/])
        (?: [\#＃] (?= [^\#＃{_BLANK}]{{0,80}} \p{{Han}} )
            [^\#＃{_BLANK}]{{1,80}}+ [\#＃]
          | [\#＃] (?= [\p{{L}}\p{{Nd}}] ) \w{{1,80}}+ [\#＃] {_NO_WORD_AFTER}
          | [\#＃] (?! \p{{Nd}}{{1,80}}+ (?!\w) ) (?= _{{0,9}}+ [\p{{L}}\p{{Nd}}] ) \w++
          | \$ [A-Za-z]{{1,6}}+ (?! [\w.,]\w ) )""",
    "emoji": rf"""
        [0-9\#*] \ufe0f? \u20e3 | \p{{RI}}{{2}}
      | {_EMOJI} (?: \u200d {_EMOJI} )*+""",
    "emoticon": rf"""
        (?: (?<!\w) [:;=] [-^'’o]? [)(\]\[}}{{]++ | [:;=] [-^'’]? [)(\]\[]++ (?!\w) )
      | (?<![\w:;=]) [:;=] [-^']? [DPpOo3Ss/\\|*$] (?! [\w/] )
      | (?<!\w) [(] [-^']? [:;=] (?! [\w)] )
      | </?3++ (?!\w)
      | {_NO_WORD_BEFORE} (?: [xX]++D++ | [oOTQ][_.][oOTQ] ) (?![\w.])
      | (?<![\^<>=-]) (?: \^ [_.o-]?+ \^ | > [_.]++ < | =[_.]= | -[_.]++- )
        (?![\^<>=-])
      | [(（] (?= [^)）\w]{{0,8}} [_^▽∀ωдДಠ´｀°ツ] ) {_FACE}{{2,10}}+ [)）]
      | ¯\\?_?[(（]ツ[)）]_?/¯""",
}
_BRACKETED = r"\[ \L<emoticons> \]"

# Words and numbers of scripts with blanks between words. Rules WB5 to WB13 of UAX 29,
# but that hyphens join and that points join digits and the letters of abbreviations
# only, since many writers leave out the blank after a full stop.
_WORD = rf"""
    (?= {_START} ) (?:
        {_NO_WORD_BEFORE} [[\p{{L}}]--[{_UNSPACED}{_WIDE}]]
        (?: \. [[\p{{L}}]--[{_UNSPACED}{_WIDE}]] (?! {_W} ) )++ \.?+
      | {_NO_WORD_BEFORE} [A-Za-z] (?: \+\+ | \# ) (?! [\w+\#] )
      | {_W}++ (?:
            (?: ['’ʼ·‧׳״‐‑-] (?={_START})
              | (?<=\p{{Nd}}) [.,:/٫٬] (?=\p{{Nd}})
              | (?<=\p{{Lu}}) & (?=\p{{Lu}})
              | (?<=\p{{Hebrew}}) " (?=\p{{Hebrew}})
            ) {_W}++
        )*+ (?: (?<=\p{{Nd}}) [%％٪‰] )?+
    )"""
# Jieba knows words of ideographs with Latin letters and digits in them.
_CHINESE_RUN = rf"""
    {_ASCII}{{0,20}}+ \p{{Han}}++ (?: {_ASCII}{{1,20}}+ \p{{Han}}++ )*+
    (?: {_ASCII}{{1,20}}+ (?! {_W} | [@:/%+\#&] | [.,'’-] {_W} ) )?+"""
_FOREIGN = rf"[[\p{{L}}\p{{Nd}}]--[{_UNSPACED}{_WIDE}A-Za-z0-9]]"
_FOREIGN_WORD = rf"""
    (?<! {_ASCII} ) (?= {_ASCII}{{0,20}}+ {_FOREIGN} ) {_W}++
    (?: ['’ʼ·-] (?={_START}) {_W}++ )*+ | {_FOREIGN} {_W}*+"""
# Some vowels of Burmese stand alone in Unicode's grapheme clusters.
_CLUSTER = rf"(?=[{_CLUSTERS}]) \X \p{{M}}*+"
_KANA_RUN = r"""
    [\p{Hiragana}] [\p{Hiragana}\p{M}ー]*+ | [\p{Katakana}] [\p{Katakana}\p{M}ーｰﾞﾟ]*+"""


def _either(*parts: str) -> str:
    return "|".join(f"(?:{part})" for part in parts)


def _tokens(*chinese: str) -> str:
    """Return alternatives of which one matches at every place."""
    return _either(
        # most words end so; what follows is for all others
        r"[A-Za-zÀ-ÖØ-öø-ɏА-я]++ (?! [^\s,!?;)\"] )",
        # what begins like a word and is none
        rf"(?={_ASCII}) (?: {_either(_MARKUP['url'], _MARKUP['email'])} )",
        r"[0-9] \ufe0f?+ \u20e3",
        *chinese,
        _WORD,
        *(_MARKUP[name] for name in ("mention", "hashtag", "emoji", "emoticon")),
        _KANA_RUN,
        _CLUSTER,
        rf"[{_WIDE}]++ | \p{{Bopomofo}}++",
        r"\.++ | -++ | \+++ | _++ | &++ | %++",
        ".",
    )


@lru_cache(maxsize=1)
def person_pattern() -> regex.Pattern[str]:
    """Find what leads to a person, in groups "link", "mail", "handle" and "phone".

    Wider than the tokens: any scheme of links, any letters in addresses, and every
    number of seven digits or more with one blank or two signs at most between two.
    """
    return regex.compile(
        rf"""
        (?P<link> {_MARKUP["url"]}
          | (?<![A-Za-z0-9+.-]) [A-Za-z][A-Za-z0-9+.-]{{1,20}}+ :// [^{_BLANK}<>"]++ )
      | (?P<mail> {_MARKUP["email"]}
          | (?<![\w.%+-]) [\w.%+-]{{1,64}}+ @ [\w-]{{1,63}}+ (?: \. [\w-]{{1,63}}+ )++ )
      | (?P<handle> {_MARKUP["mention"]} )
      | (?P<phone> (?<![A-Za-z0-9_]) (?<!\d[.,]) [+(]?
          \d (?: [{_BLANK}().\-/]{{0,2}}+ \d ){{6,}}+ (?![A-Za-z_]) )
        """,
        _FLAGS,
    )


@lru_cache(maxsize=1)
def chunks_pattern() -> regex.Pattern[str]:
    """Cut chunks without blanks, one a line, into tokens; the last has the line end."""
    return regex.compile(rf"(?: {_tokens()} ) \n?+", _FLAGS)


@lru_cache(maxsize=1)
def mixed_pattern() -> regex.Pattern[str]:
    """Cut a message with some ideographs into tokens with the blanks behind them.

    The group "chinese" is what jieba cuts.
    """
    chinese = rf"(?P<chinese> {_CHINESE_RUN} )"
    return regex.compile(
        rf"(?: {_tokens(_BRACKETED, chinese)} ) \s*+", _FLAGS, emoticons=EMOTICONS
    )


@lru_cache(maxsize=1)
def chinese_pattern() -> regex.Pattern[str]:
    """Find in a Chinese message what jieba does not cut."""
    return regex.compile(
        _either(*_MARKUP.values(), _BRACKETED, _FOREIGN_WORD, _KANA_RUN, _CLUSTER),
        _FLAGS,
        emoticons=EMOTICONS,
    )


@lru_cache(maxsize=1)
def _kinds() -> regex.Pattern[str]:
    number = r"\p{N}++ (?: [.,:/'’٫٬-] \p{N}++ )*+ [%％٪‰]?+"
    parts = {
        **_MARKUP,
        "emoticon": f"{_MARKUP['emoticon']} | {_BRACKETED}",
        "number": number,
        "word": r"[^\p{L}\p{N}]*+ [\p{L}\p{N}] .*+",
        "punctuation": ".++",
    }
    named = "|".join(f"(?P<{name}> {part} )" for name, part in parts.items())
    return regex.compile(named, _FLAGS, emoticons=EMOTICONS)


def kind_of(token: str) -> str:
    """Return the kind of a token: the name of a part, "word" or "punctuation"."""
    if token.isalpha() and token[-1] != "D":
        return "word"
    match = _kinds().fullmatch(token)
    return "punctuation" if match is None else str(match.lastgroup)


_JOINTS = regex.compile(
    r"""_++ | (?<=\p{Ll}\p{M}*) (?=\p{Lu}) | (?<=\p{Lu}) (?=\p{Lu}\p{Ll})
    | (?<=\p{L}\p{M}*) (?=\p{Nd}) | (?<=\p{Nd}) (?=\p{L})""",
    _FLAGS,
)


def is_ideograph(word: str) -> bool:
    """Whether a word is one ideograph."""
    return len(word) == 1 and bool(classes()[ord(word)] & HAN)


def split_hashtag(hashtag: str) -> str:
    """Write the words of a hashtag with blanks between them."""
    return str(_JOINTS.sub(" ", hashtag.strip("#＃$")))


def shorten(word: str, longest: int) -> str:
    """Shorten runs of one letter to `longest`."""
    return str(
        regex.sub(
            rf"(\p{{L}}\p{{M}}*)\1{{{longest},}}",
            lambda run: run[1] * longest,
            word,
        )
    )


def lower(word: str) -> str:
    """Write a word in lower case, the dotted I of Turkish as "i" alone."""
    return word.lower().replace("i\u0307", "i")


_REFERENCE = regex.compile(r"&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]\w{1,31});")


def without_references(message: str) -> str:
    """Write character references such as "&amp;" as what they stand for, once."""
    if "&" not in message:
        return message
    return str(_REFERENCE.sub(_referred, message))


def _referred(reference: regex.Match[str]) -> str:
    # unescape alone would read "&notes;" as "&not" with "es;" behind it
    written = reference[0]
    known = written[1] == "#" or written[1:] in html5
    return unescape(written) if known else written


#: Bits of :func:`classes`: ideographs, other letters, what a Chinese message with
#: markup or words of other scripts has, and white space.
HAN, LETTER, TRIGGER, SPACE = 1, 2, 4, 8


@lru_cache(maxsize=1)
def classes() -> NDArray[np.uint8]:
    """Table of the bits of each code point, uint8 (0x110000,)."""
    every = "".join(map(chr, range(0x110000)))
    table = np.zeros(len(every), np.uint8)
    for bit, members in (
        (HAN, r"\p{Han}++"),
        (LETTER, r"[\p{L}--\p{Han}]++"),
        (SPACE, f"[{_BLANK}]++"),
        (
            TRIGGER,
            rf"""[{_FOREIGN}{_KANA}{_CLUSTERS}@＠\#＃\[:;=<>^_/▽∀ಠ´｀°¯\u20e3$
            \p{{RI}}\p{{EMod}}\p{{Extended_Pictographic}}]++""",
        ),
    ):
        for match in regex.finditer(members, every, _FLAGS):
            table[match.start() : match.end()] |= bit
    return table
