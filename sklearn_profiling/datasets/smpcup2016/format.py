"""Lines of SMP CUP 2016 files: their fields, allowed values and classes."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final, NamedTuple

from sklearn_profiling.datasets._files import BadLine

MISSING: Final = "None"
GENDERS: Final = ("m", "f")
AGE_CLASSES: Final = ("-1979", "1980-1989", "1990+")
REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "东北": ("辽宁", "吉林", "黑龙江"),
    "华北": ("河北", "山西", "内蒙古", "北京", "天津"),
    "华东": ("山东", "江苏", "安徽", "浙江", "台湾", "福建", "江西", "上海"),
    "华中": ("河南", "湖北", "湖南"),
    "华南": ("广东", "广西", "海南", "香港", "澳门"),
    "西南": ("云南", "重庆", "贵州", "四川", "西藏"),
    "西北": ("新疆", "陕西", "宁夏", "青海", "甘肃"),
    "境外": ("其他", "海外"),
}
REGION_OF_PROVINCE: Final[dict[str, str]] = {
    province: region for region, provinces in REGIONS.items() for province in provinces
}
TASKS: Final = ("gender", "age", "region", "birth_year", "province", "city")
STATUS_COLUMNS: Final = ("retweets", "reviews", "source", "time")

_YEARS: Final = range(1900, 2017)  # the competition was held in 2016
_DIGITS = 18  # of a number that 64 bits hold
_ID = re.compile(r"[^\s,|]+")


class LabelRecord(NamedTuple):
    """One line of ``labels.txt``; None marks a missing value."""

    user_id: str
    gender: str | None
    birth_year: int | None
    province: str | None
    city: str | None

    @property
    def age(self) -> str | None:
        """The class of the birth year."""
        return None if self.birth_year is None else age_class(self.birth_year)

    @property
    def region(self) -> str | None:
        """The region of the province."""
        return None if self.province is None else REGION_OF_PROVINCE[self.province]


def age_class(birth_year: int) -> str:
    """Return the age class of a birth year: to 1979, 1980 to 1989, from 1990."""
    return AGE_CLASSES[(birth_year >= 1980) + (birth_year >= 1990)]


def parse_label_line(line: str) -> LabelRecord:
    """Read ``uid||m/f||birth year||province city``."""
    user_id, gender, year, location = _split(
        line, "||", 4, "uid||gender||birth year||province city"
    )
    if gender not in (*GENDERS, MISSING):
        allowed = "'m', 'f' or 'None'"
        raise BadLine(
            kind="unknown gender", detail=f"must be {allowed}; got {gender!r}"
        )
    return LabelRecord(
        check_user_id(user_id),
        None if gender == MISSING else gender,
        _parse_year(year),
        *_parse_location(location),
    )


def parse_info_line(line: str) -> tuple[str, str | None, str | None]:
    """Read ``uid||screen_name||avatar_url``."""
    user_id, name, avatar = _split(line, "||", 3, "uid||screen_name||avatar_url")
    return check_user_id(user_id), _or_none(name), _or_none(avatar)


def split_status_line(line: str, known: Container[str]) -> list[str]:
    """Split ``uid,retweets,reviews,source,time,content``; content may hold commas.

    The fields stay strings: most are not kept, and there may be a hundred million
    lines. Ids in `known` are not checked again.
    """
    fields = line.split(",", 5)
    if len(fields) != 6:
        raise _wrong_number(len(fields), 6, "uid,retweets,reviews,source,time,content")
    if fields[0] not in known:
        check_user_id(fields[0])
    for count in fields[1:3]:
        if not (count.isdecimal() and len(count) <= _DIGITS) and count != MISSING:
            detail = f"must be a whole number or 'None'; got {count!r}"
            raise BadLine(kind="bad count", detail=detail)
    return fields


def parse_status_field(column: str, field: str) -> int | str | None:
    """Return the value of a field before the content."""
    value = _or_none(field)
    return value if value is None or column in ("source", "time") else int(value)


def check_user_id(user_id: str) -> str:
    """Return the id if all four files can hold it."""
    if user_id == MISSING or not _ID.fullmatch(user_id):
        detail = f"must hold no blank, comma or '|' and not be 'None'; got {user_id!r}"
        raise BadLine(kind="bad user id", detail=detail)
    return user_id


def _split(line: str, separator: str, n_fields: int, layout: str) -> list[str]:
    fields = [field.strip() for field in line.split(separator)]
    if len(fields) != n_fields:
        raise _wrong_number(len(fields), n_fields, layout)
    return fields


def _wrong_number(found: int, expected: int, layout: str) -> BadLine:
    detail = f"expected {expected} ({layout}), found {found}"
    return BadLine("wrong number of fields", detail)


def _or_none(field: str) -> str | None:
    return None if field == MISSING else field


def _parse_year(field: str) -> int | None:
    if field == MISSING:
        return None
    is_number = field.isascii() and field.isdigit() and len(field) <= _DIGITS
    if not (is_number and int(field) in _YEARS):
        span = f"{_YEARS.start} to {_YEARS.stop - 1}"
        raise BadLine(
            kind="bad birth year",
            detail=f"must be a year from {span} or 'None'; got {field!r}",
        )
    return int(field)


def _parse_location(field: str) -> tuple[str | None, str | None]:
    province, _, city = field.partition(" ")
    if province == MISSING:
        return None, None
    if province not in REGION_OF_PROVINCE:
        detail = (
            f"the location must be 'province city' with one of the "
            f"{len(REGION_OF_PROVINCE)} known provinces, or 'None'; got {field!r}"
        )
        raise BadLine(kind="unknown province", detail=detail)
    city = city.strip()
    return province, None if city in ("", MISSING) else city
