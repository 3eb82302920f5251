"""Formats of links files, recognised by their content."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from os import PathLike
from typing import Final, Literal, NamedTuple, cast

from sklearn_profiling._packed_files import open_text
from sklearn_profiling.exceptions import DataFormatError, shortened

LinksFormat = Literal[
    "auto",
    "fans",
    "edges",
    "konect",
    "matrix_market",
    "metis",
    "graphml",
    "gexf",
    "gml",
    "pajek",
]
WHOLE_FORMATS: Final = ("matrix_market", "metis", "graphml", "gexf", "gml", "pajek")

_SAMPLE_BYTES = 1 << 19
_SAMPLE_LINES = 2000
#: Characters of a dict of networkx, which Python parses in 100 times the memory.
_LONGEST_DICT = 1 << 16
#: A number of so many digits is within 64 bits.
_DIGITS = 18
_MARKS: Final = (
    (r"%%MatrixMarket\b", "matrix_market"),
    (r"%\s*(?:sym|asym|bip)\s+\w+", "konect"),
    (r"<(?:\?xml|!--|graphml|gexf)(?:.|\n)*?<graphml\b|<graphml\b", "graphml"),
    (r"<(?:\?xml|!--|graphml|gexf)(?:.|\n)*?<gexf\b|<gexf\b", "gexf"),
    (r"(?:%.*\n|\s)*\*(?:vertices|network)\b", "pajek"),
    (r"(?:#.*\n|\s|(?:creator|version|comment)\b.*\n)*graph\s*\[", "gml"),
)
# What is certainly no list of links, even where a format is named.
_STRANGERS: Final = (
    (r"<", "XML that is neither GraphML nor GEXF"),
    (r"nodedef\s*>", "GDF"),
    (r"\{\s*\"|\[\s*[\[{\"]", "JSON"),
    (r"[^\n]*\x00|PAR1[\x00-\x08]", "a binary file"),
    (r"(?:strict\s+)?(?:di)?graph\b[^\n\[]*\{", "Graphviz"),
)


def _words(text: str) -> list[str]:
    return text.split()


_SOURCES = frozenset(
    _words(
        "source src sourceid from fromid fromnode fromnodeid fromuser fromuserid "
        "follower followerid fan fanid user1 userid1 user1id node1 nodeid1 id1 u "
        "followers fans usera nodea startid"
    )
)
_TARGETS = frozenset(
    _words(
        "target tgt dst dest destination targetid to toid tonode tonodeid touser "
        "touserid followee followeeid followed followedid following friend friendid "
        "user2 userid2 user2id node2 nodeid2 id2 v friends friendsid userb nodeb endid"
    )
)
_EITHER = frozenset(_words("user userid uid id node nodeid"))
_WEIGHTS = frozenset(_words("weight weights edgeweight w value count strength"))
_SEPARATOR_NAMES = {None: "blanks", "\t": "tabs", ",": "commas", ";": "semicolons"}
# Above this, a column of whole numbers in every line holds Unix times.
_FIRST_TIME = 1e8

_N_SHOWN = 5
_NEO4J = re.compile(r"\([^()]*\)$|(?<=\w):(?:int|long|float|double|string)$")

Columns = tuple[int, int, int | None]


class Layout(NamedTuple):
    """How the links stand in a file.

    `separator` None stands for blanks; `header` is the line of names; `attributes` are
    the dicts that networkx writes behind the ids, and `times` a last column that is
    left out. `type_column` may say "Undirected", as Gephi does; `left_out` are names.
    """

    kind: LinksFormat
    separator: str | None = None
    header: str | None = None
    columns: Columns | None = None
    n_fields: int = 0
    attributes: bool = False
    symmetric: bool = False
    optional_weight: bool = False
    times: bool = False
    type_column: int | None = None
    left_out: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in words what the file was taken for."""
        if self.kind != "edges":
            return self.kind
        name = _SEPARATOR_NAMES.get(self.separator, repr(self.separator))
        weighted = self.attributes or (self.columns and self.columns[2] is not None)
        times = ", without their times" if self.times else ""
        weights = ", with weights" if weighted else ""
        shown = ", ".join(map(shortened, self.left_out[:_N_SHOWN]))
        left_out = f", without the columns {shown}" if shown else ""
        return f"edges separated by {name}{weights}{times}{left_out}"


def is_comment(text: str) -> bool:
    """Whether a line is a comment, as SNAP (#) and KONECT (%) write them."""
    return text.lstrip()[:1] in ("#", "%")


def is_count(text: str | bytes) -> bool:
    """Whether a text is a whole number from 0 up that 64 bits hold."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def split_fields(text: str, separator: str | None) -> list[str]:
    """Split a line; fields in double quotes follow the rules of csv."""
    if '"' not in text or (separator is not None and len(separator) != 1):
        return text.split(separator)
    if separator is None:
        text, separator = " ".join(text.split()), " "
    return next(csv.reader([text], delimiter=separator, strict=True))


def split_attributes(text: str) -> tuple[str, str, str]:
    """Return the ids and the weight of a line ``a b {'weight': 1}`` of networkx."""
    head, _, tail = text.partition("{")
    if len(tail) > _LONGEST_DICT:
        msg = f"number of characters: a dict may have {_LONGEST_DICT:,}"
        raise ValueError(msg)
    try:
        source, target = head.split()
        return source, target, str(ast.literal_eval("{" + tail).get("weight", 1))
    except (
        *(ValueError, SyntaxError, AttributeError, TypeError),
        *(MemoryError, RecursionError),
    ) as error:
        msg = "number of fields: two ids and a dict are needed"
        raise ValueError(msg) from error


def detect(
    path: str | PathLike[str],
    *,
    kind: LinksFormat = "auto",
    encoding: str = "utf-8",
    separator: str | None = None,
    header: bool | Literal["auto"] = "auto",
    directed: bool = False,
    guess: bool = False,
) -> Layout:
    """Find out how the links stand in a file, from its first half megabyte.

    What two formats would read in two ways is refused, or with `guess` taken for edges.
    """
    with open_text(path) as stream:
        sample = stream.read(_SAMPLE_BYTES)
    text = sample.decode(encoding, errors="replace")
    if len(sample) == _SAMPLE_BYTES:
        text = text.rpartition("\n")[0]
    if "\r" in text and "\n" not in text:
        reason = "a carriage return: lines must end in a line feed"
        raise DataFormatError(path, 1, f"{reason}; got {text[:60]!r}.")
    found = _by_mark(path, text, kind)
    if kind in WHOLE_FORMATS or found in WHOLE_FORMATS:
        return Layout(cast("LinksFormat", found or kind))
    if kind == "konect" or found == "konect":
        return _konect(path, text)
    sniffer = _Sniffer(path, text, separator, header, directed=directed, guess=guess)
    return sniffer.layout() if kind == "auto" else sniffer.explicit(kind)


def _by_mark(path: str | PathLike[str], text: str, kind: LinksFormat) -> str | None:
    found = next(
        (name for mark, name in _MARKS if re.match(mark, text.lstrip(), re.IGNORECASE)),
        None,
    )
    if found == kind or (found == "konect" and kind in ("fans", "edges")):
        return None if found == "konect" != kind else found
    if found is not None and kind != "auto":
        reason = f"the file is {found}, not {kind}; name it by the format or use 'auto'"
        raise DataFormatError(path, 1, f"{reason}; got {text.lstrip()[:60]!r}.")
    if found is None and kind not in WHOLE_FORMATS[1:]:
        for mark, name in _STRANGERS:
            if (kind == "auto" or name != "a binary file") and re.match(
                mark, text.lstrip()
            ):
                reason = f"the file is {name}, no list of links that is known"
                raise DataFormatError(path, 1, f"{reason}; got {text.lstrip()[:60]!r}.")
    return found


def _konect(path: str | PathLike[str], text: str) -> Layout:
    named = re.match(r"\s*%\s*(sym|asym|bip)\b", text)
    if named and named[1] == "bip":
        reason = "a bipartite network has two kinds of vertices and links no users."
        raise DataFormatError(path, 1, reason)
    return Layout("konect", symmetric=bool(named and named[1] == "sym"))


class _Sniffer:
    """The first lines of a file, and what they tell about the others."""

    def __init__(
        self,
        path: str | PathLike[str],
        text: str,
        separator: str | None,
        header: bool | Literal["auto"],
        *,
        directed: bool,
        guess: bool,
    ) -> None:
        self.path = path
        self.directed = directed
        self.guess = guess
        self.given = separator
        self.separator = separator
        lines = [(n, line.rstrip("\r")) for n, line in enumerate(text.split("\n"), 1)]
        lines = [(n, line) for n, line in lines if line.strip()]
        self.lines = [(n, line) for n, line in lines if not is_comment(line)]
        self.lines = self.lines[:_SAMPLE_LINES]
        self.commented = len(lines) > 0 and is_comment(lines[0][1])
        self.header = header

    def refuse(self, line: int, reason: str) -> DataFormatError:
        text = dict(self.lines)[line]
        return DataFormatError(
            self.path,
            line,
            f"{reason}; got {text[:60]!r}. The format can be named: format='fans' or "
            "'edges' with its separator.",
        )

    def explicit(self, kind: LinksFormat) -> Layout:
        """Look for a header and for times; the caller has decided the rest."""
        if kind == "edges" and self.given is None:
            self.separator = self._find_separator() if self.guess else "\t"
        if not self.lines:
            return Layout(kind, self.separator)
        rows = self.rows(self.separator if kind == "edges" else None)
        named = self.header == "auto" and _is_header(rows)
        if kind == "fans":
            return Layout(kind, header=self.lines[0][1] if named else None)
        body = rows[1:] if self.header is True else rows
        if named or self.guess or self._has_times(body):
            return self.edges(rows, named=named)
        return Layout(kind, self.separator)

    def rows(self, separator: str | None) -> list[list[str]]:
        return [_try_split(line, separator) for _, line in self.lines]

    def layout(self) -> Layout:
        """Return the layout, or refuse the file with a line."""
        if not self.lines:
            return Layout("edges", self.separator or "\t")
        if self._is_metis():
            return Layout("metis")
        if self._has_attributes():
            return Layout("edges", attributes=True)
        self.separator = self.given or self._find_separator()
        rows = self.rows(self.separator)
        self._refuse_matrix(rows)
        named = self.header is True and self.lines[0][0] == 1
        named = named or (self.header == "auto" and _is_header(rows))
        body = rows[1:] if named else rows
        tabular = named and all(len(row) == len(rows[0]) for row in body)
        if self.separator in (None, "\t") and self.given is None and not tabular:
            loose = self.rows(None)[1:] if named else self.rows(None)
            if self._is_fans(loose, body):
                return Layout("fans", header=self.lines[0][1] if named else None)
        if not (named or self.guess) and body:
            self._check(body)
        return self.edges(rows, named=named)

    def _has_attributes(self) -> bool:
        found = sum(
            line.rstrip().endswith("}") and len(line.partition("{")[0].split()) == 2
            for _, line in self.lines
        )
        return 2 * found > len(self.lines)

    def _find_separator(self) -> str | None:
        for separator in ("\t", ";", ","):
            rows = self.rows(separator)
            n_fields, count = Counter(map(len, rows)).most_common(1)[0]
            count = 0 if n_fields == 1 else count
            if self.guess:  # weights may stand in some lines
                count = max(count, sum(2 <= len(row) <= 3 for row in rows))
            if 2 * count > len(rows):
                tokens = [t for _, line in self.lines for t in line.split()]
                mixed = separator == "\t" and len(tokens) > sum(map(len, rows))
                return None if mixed and all(map(_is_number, tokens)) else separator
        return None

    def _is_fans(self, loose: list[list[str]], rows: list[list[str]]) -> bool:
        """Whether each line is a user and any number of fans."""
        tokens = [token for row in loose for token in row]
        firsts = [row[0] for row in loose]
        if len(set(firsts)) < len(firsts) or max(map(len, loose), default=0) < 2:
            return False
        if any(
            _is_fraction(t) or re.search(r'[,;:!?."<>{}]$|^["<{(]', t) for t in tokens
        ):
            return False
        counts = set(map(len, rows))
        if len(counts) > 1:
            # ids and weights in some lines, as records have them
            return not (self.guess and counts <= {2, 3} and _weights_stand(rows))
        return max(counts) > 3 or (max(counts) == 3 and not _weights_stand(rows))

    def _refuse_matrix(self, rows: list[list[str]]) -> None:
        """Refuse a table of users by users, with the ids on its sides or bare."""
        sides = [row[0] for row in rows[1:]]
        named = len(rows) > 2 and sides == rows[0][1 : len(rows)]
        cells = [row[1:] for row in rows[1:]]
        if _is_matrix(rows, len(rows[0])) or (
            named and _is_matrix(cells, len(rows[0]) - 1)
        ):
            reason = (
                "the file looks like an adjacency matrix, which is no list of links: "
                "read it with pandas or numpy and give it to SocialGraph"
            )
            raise DataFormatError(
                self.path, self.lines[0][0], f"{reason}; got {self.lines[0][1][:60]!r}."
            )

    def _has_times(self, rows: list[list[str]]) -> bool:
        """Whether a third or fourth column holds Unix times, as KONECT and SNAP do."""
        n_fields = _mode(rows) if rows else 0
        rows = [row for row in rows if len(row) == n_fields]
        times = [row[-1] for row in rows]
        if n_fields not in (3, 4) or not all(map(_is_number, times)):
            return False
        if min(map(float, times)) <= _FIRST_TIME:
            return False
        if n_fields == 4:
            return all(_is_number(row[2]) for row in rows)
        ids = [
            float(row[place]) for row in rows for place in (0, 1) if _is_id(row[place])
        ]
        if self._undecided and any(user > _FIRST_TIME for user in ids):
            reason = (
                "the third field looks like a time, not like a weight, and may be an id"
            )
            raise self.refuse(self.lines[0][0], reason)
        return True

    @property
    def _undecided(self) -> bool:
        """Whether the separator may also stand between fans."""
        return self.separator in (None, "\t") and self.given is None

    def _check(self, rows: list[list[str]]) -> None:
        """Refuse what would be read in two ways, or in none."""
        lines = self.lines[-len(rows) :]
        counts = Counter(map(len, rows))
        n_fields, count = counts.most_common(1)[0]
        odd = next((n for n, row in enumerate(rows) if len(row) != n_fields), 0)
        if 2 * count <= len(rows):
            reason = f"{len(rows[odd])} fields, where others have {n_fields}"
            raise self.refuse(lines[odd][0], reason)
        if self._has_times(rows):
            return
        if n_fields not in (2, 3):
            reason = (
                f"{n_fields} fields, and no header that names columns as 'source', "
                "'target' and 'weight'; two ids and at most a weight are known"
            )
            raise self.refuse(lines[0][0], reason)
        unique = len({row[0] for row in rows}) == len(rows)
        unclear = self._undecided and unique and not self.commented
        if n_fields == 3:
            self._check_weights(lines[0][0], rows, unclear=unclear)
        elif self.directed and unclear:
            reason = (
                "as 'edges' the first id follows the second, as 'fans' the second "
                "follows the first, and nothing in the file tells which it is"
            )
            raise self.refuse(lines[0][0], reason)

    def _check_weights(
        self, line: int, rows: list[list[str]], *, unclear: bool
    ) -> None:
        rows = [row for row in rows if len(row) == 3]
        if not any(_is_number(_point(row[2], self.separator)) for row in rows):
            raise self.refuse(line, "the third field is no weight")
        if unclear and all(text.isdigit() for row in rows for text in row):
            reason = "the third number may be a weight ('edges') or an id ('fans')"
            raise self.refuse(line, reason)

    def edges(self, rows: list[list[str]], *, named: bool) -> Layout:
        """Return the layout of lines of two ids; a header names the columns."""
        if named:
            return self._named_edges(rows[0])
        body = rows[1:] if self.header is True else rows
        n_fields = _mode(body or rows)
        times = self._has_times(body)
        columns: Columns = (0, 1, 2 if n_fields - times == 3 else None)
        return Layout(
            "edges",
            self.separator,
            columns=columns,
            n_fields=n_fields,
            optional_weight=self.guess and not times,
            times=times,
        )

    def _named_edges(self, names: list[str]) -> Layout:
        columns = _columns_of(names)
        n_fields = len(names)
        if columns is None and self.header != "auto" and n_fields in (2, 3):
            columns = (0, 1, 2 if n_fields == 3 else None)
        if columns is None:
            reason = (
                "the header must name two columns of ids, for example 'source' "
                "and 'target', and may name a 'weight'"
            )
            raise self.refuse(self.lines[0][0], reason)
        types = [n for n, name in enumerate(_names(names)) if name == "type"]
        return Layout(
            "edges",
            self.separator,
            self.lines[0][1],
            columns,
            n_fields,
            type_column=types[0] if types else None,
            left_out=tuple(
                name for n, name in enumerate(names) if name and n not in columns
            ),
        )

    def _is_metis(self) -> bool:
        """Whether n vertices and m edges are told first, and n lines follow."""
        first, *rows = ([*line.split()] for _, line in self.lines)
        if not 2 <= len(first) <= 4 or not all(map(is_count, first)):
            return False
        n, m = int(first[0]), int(first[1])
        if not all(is_count(t) and 0 < int(t) <= n for row in rows for t in row):
            return False
        if len(first) > 2 and int(first[2]):
            return len(set(map(len, rows))) > 1 and self._n_vertices() == n
        return self._n_vertices() == n and self._n_tokens() == len(first) + 2 * m

    def _n_vertices(self) -> int:
        with open_text(self.path) as stream:
            return sum(not line.startswith((b"%", b"#")) for line in stream) - 1

    def _n_tokens(self) -> int:
        with open_text(self.path) as stream:
            return sum(
                len(line.split())
                for line in stream
                if not line.startswith((b"%", b"#"))
            )


def _try_split(line: str, separator: str | None) -> list[str]:
    try:
        return [field.strip() for field in split_fields(line, separator)]
    except csv.Error:
        return [line]


def _is_matrix(rows: list[list[str]], n_users: int) -> bool:
    """Whether rows of numbers have a diagonal of zeros, as no ids and weights have."""
    n_rows = min(n_users, _SAMPLE_LINES)
    whole = len(rows) == n_rows if n_users < 5 else len(rows) <= n_rows
    return (
        n_users > 2
        and whole
        and all(len(row) == n_users and all(map(_is_number, row)) for row in rows)
        and all(float(row[place]) == 0 for place, row in enumerate(rows))
    )


def _mode(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_fraction(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d*\.\d+(?:[eE][-+]?\d+)?|\d+\.\d*", text))


def _point(text: str, separator: str | None) -> str:
    return text.replace(",", ".") if separator == ";" else text


def _weights_stand(rows: list[list[str]]) -> bool:
    """Whether every third field is a number."""
    return all(_is_number(row[2]) for row in rows if len(row) == 3)


def _names(fields: list[str]) -> list[str]:
    # Neo4j writes :START_ID(User) and weight:int
    bare = (_NEO4J.sub("", field.lower()) for field in fields)
    return [re.sub(r"[^0-9a-z]", "", field) for field in bare]


def _columns_of(fields: list[str]) -> Columns | None:
    """Return the columns of source, target and weight by their names."""
    names = _names(fields)

    def place(wanted: frozenset[str], *taken: int | None) -> int | None:
        return next(
            (i for i, n in enumerate(names) if n in wanted and i not in taken), None
        )

    source, target = place(_SOURCES), place(_TARGETS)
    weight = place(_WEIGHTS)
    if source is None:
        source = place(_EITHER, target)
    if target is None:
        target = place(_EITHER, source)
    if source is not None and target is not None:
        return source, target, weight
    unnamed = source is None and target is None
    if unnamed and (len(names) == 2 or (len(names) == 3 and weight == 2)):
        return 0, 1, weight
    return None


def _are_ids(names: set[str], rows: list[list[str]]) -> bool:
    """Whether names are ids, since others are like them: user1, user2, user3."""
    stems = {name.rstrip("0123456789") for name in names if name[-1].isdigit()}
    fields = (field.lower() for row in rows for field in row)
    return any(
        field in names or (field[-1:].isdigit() and field.rstrip("0123456789") in stems)
        for field in fields
    )


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first line names the columns of the others."""
    first = rows[0]
    others = [row for row in rows if row != first]
    if any(map(_is_number, first)) or len(first) < 2 or "None" in first:
        return False
    names = set(_names(first))
    known = names & (_SOURCES | _TARGETS | _EITHER)
    if len(known) > 1 and names & (_SOURCES | _TARGETS):
        return not _are_ids(known, others)
    if not others:
        return False
    table = len(first) > 2 and all(len(row) == len(first) for row in others)
    if table and (known or all(_is_number(row[2]) for row in others)):
        return True
    return all(_is_number(field) for row in others for field in row)
