"""The names of authors, however a source writes them, as "Given Family".

Lists and objects of services, "Doe, J.; Roe, K." of databases, BibTeX's "von Last, Jr, First"
(split by bibtexparser), a list as Python prints it. What is nobody's name ("et al.", "[No author
name available]"), editors, and the marks and numbers behind names are left out.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from assistant.reading.abstracts import clean_text, flattened

__all__ = ["people"]

_MOST = 10_000
"""Authors of one paper; the largest collaborations have some thousands."""
_LONGEST = 200_000
"""Characters of all names in one text."""
_NOBODY = re.compile(
    r"(?:and )?(?:others?|et al|et alii|anon(?:ymous|ymus)?|unknown(?: author)?|various authors"
    r"|n/?a|none|null|nan|no authors?(?: names?)?(?: (?:available|listed|given|provided))?"
    r"|authors? (?:names? )?not (?:available|listed|given)|not available|\W*)"
)
_MARKS = re.compile(r"(?:[\s*†‡§¶#⁎∗‖¹²³⁴⁵⁶⁷⁸⁹⁰]|,\s*(?=$)|\s\d{4}$|\$\^.{0,12}\$)+$")
_NO_NAME = re.compile(  # what stands in brackets and is no name, and what never is one
    r"\s*[(\[<][^()\[\]<>]*(?:@|://|\d)[^()\[\]<>]*[)\]>]"
    r"|[\s,;]*(?:\be-?mails?\s*:?\s*|\bmailto:)?[^\s,;@()<>]+@[^\s,;()<>]+"
    r"|[\s,;]*(?:\bORCID(?:\s*iD)?\s*:?\s*)?(?:https?://\S+|\d{4}-\d{4}-\d{4}-\d{3}[\dX]\b)",
    re.IGNORECASE,
)
_LONGEST = 1000
"""Characters beyond which a text is no name, whatever stands in brackets behind one."""
_HINT = re.compile(r"[@\d]|://")
_SUFFIX = re.compile(r"(?:Jr|Sr|Junior|Senior|I{2,3}|IV|Ph\.?D|M\.?D)\.?", re.IGNORECASE)


def people(value: object, *, bibtex: bool = False, turned: bool = False) -> list[str]:
    """The names in ``value``: a text of names, a list of texts or objects, an object.

    Args:
        value: as the source has it.
        bibtex: a text follows BibTeX's rules for names.
        turned: a text is "Family, Given" where it has a comma (RIS, PubMed).
    """
    if isinstance(value, str) and (listed := _listed(value)) is not None:
        value = listed
    if isinstance(value, str):
        value = value[:_LONGEST]
        names = _bibtex_names(value) if bibtex else _split(value, turned=turned)
    elif isinstance(value, Mapping):
        names = _of_object(value)
    elif isinstance(value, list):
        names = _of_list(value, bibtex=bibtex, turned=turned)
    else:
        return []
    shown = (_clean(name, bibtex=bibtex) for name in names[:_MOST])
    return list(dict.fromkeys(name for name in shown if name))


def _listed(text: str) -> object | None:
    """A list that somebody printed into a cell."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]") and len(text) < 100_000):
        return None
    for parse in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            found = parse(text)
            return found if isinstance(found, list) else None
    return None


def _of_list(entries: list[object], *, bibtex: bool, turned: bool) -> list[str]:
    names: list[str] = []
    chosen = [e for e in entries[:_MOST] if not isinstance(e, Mapping) or _is_author(e)]
    for entry in chosen:
        if isinstance(entry, str) and bibtex:
            names += _bibtex_names(entry)
        elif isinstance(entry, str):
            names += _one_or_more(entry, turned=turned)
        elif isinstance(entry, list):  # arXiv's authors_parsed: [family, given, suffix]
            parts = [part.strip() for part in entry if isinstance(part, str)]
            names.append(" ".join([*parts[1:2], *parts[:1], *parts[2:3]]))
        elif isinstance(entry, Mapping):
            names += _of_object(entry)
    return names


def _one_or_more(entry: str, *, turned: bool) -> list[str]:
    """An entry of a list is one name; a list of one entry may hold all in a row."""
    if ";" in entry or " and " in entry:
        return _split(entry, turned=turned)
    return [_turned(entry) if turned or _is_turned(entry) else entry]


def _is_author(entry: Mapping[object, object]) -> bool:
    values = _named(entry)
    role = values.get("creatortype") or values.get("role") or values.get("type") or ""
    return not isinstance(role, str) or role.casefold() not in ("editor", "translator", "reviewer")


def _of_object(entry: Mapping[object, object]) -> list[str]:
    """The name of an author that a service describes: in one field, or in parts."""
    values = _named(entry)
    family = _part(values, "family", "last", "lastname", "familyname", "surname", "keyname")
    given = _part(values, "given", "first", "firstname", "givenname", "forename", "forenames")
    given = given or _part(values, "initials")
    middle = _part(values, "middle")
    if family:
        before = _part(values, "nondroppingparticle", "droppingparticle", "prefix", "particle")
        after = _part(values, "suffix")
        return [" ".join(filter(None, (given, middle, before, family, after)))]
    for name in _WHOLE:
        if name in values:
            whole = values[name]
            if isinstance(whole, str):
                return [_turned(whole) if _is_turned(whole) or name == "fullname" else whole]
            if isinstance(whole, list | Mapping):
                return people(whole)
    return [given] if given else []


_WHOLE = (
    "displayname fullname literal rawauthorname name author authname creator collective"
    " collectivename value organization text"
).split()


def _named(entry: Mapping[object, object]) -> dict[str, object]:
    return {re.sub(r"[^a-z]", "", str(name).casefold()): value for name, value in entry.items()}


def _part(values: Mapping[str, object], *names: str) -> str:
    for name in names:
        if text := flattened(values.get(name)):
            return text
    return ""


def _split(text: str, *, turned: bool) -> list[str]:
    """Cut up: "A and B; C" is three names, "Doe, J. and Roe, K." and "Jo Doe, Kim Roe" two."""
    text = " ".join(text.split())
    text = re.sub(r"\([^()]*\)|\[(?:\d|[a-z])[^\[\]]*\]", "", text)  # affiliations, ids
    text = re.sub(r"[⁰¹²³⁴-⁹]+", "", text)
    groups = [part.strip(" ,") for part in re.split(r"(?:\s|^)and\s|;|\||\s&\s|\n", text)]
    names: list[str] = []
    for group in filter(None, groups):
        parts = [part.strip() for part in group.split(",") if part.strip()]
        if len(parts) == 1:
            names.append(parts[0])
        elif (turned and len(parts) <= 3) or _is_turned(group):
            names.append(_turned(group))
        elif len(parts) % 2 == 0 and all(map(_initials, parts[1::2])):
            names += [f"{given} {family}" for family, given in zip(*[iter(parts)] * 2, strict=True)]
        else:
            names += parts
    if names and _ends_with_the_list(names):
        names[-1] = names[-1].rstrip(".")
    return names


def _ends_with_the_list(names: list[str]) -> bool:
    """Whether the full stop behind the last name belongs to the list: "Quill M, Okoro TB."."""
    return re.search(r"\w\w\.$", names[-1]) is not None or (
        len(names) > 1
        and re.fullmatch(r"[^.]+ \w{1,3}\.", names[-1]) is not None
        and not any("." in name for name in names[:-1])
    )


def _bibtex_names(text: str) -> list[str]:
    """By BibTeX's rules: "and" outside braces parts names, "von Last, Jr, First" is turned."""
    from bibtexparser.middlewares.names import (  # noqa: PLC0415  only this format needs it
        InvalidNameError,
        parse_single_name_into_parts,
        split_multiple_persons_names,
    )

    names = []
    for written in split_multiple_persons_names(" ".join(text.split()))[:_MOST]:
        if re.match(r"\w+\s*=", written):
            names.append(_biblatex(written))
        elif written.startswith("{") and written.endswith("}") and "{" not in written[1:]:
            names.append(written)
        else:
            try:
                parts = parse_single_name_into_parts(written, strict=False)
            except (InvalidNameError, IndexError):
                names.append(written)
            else:
                pieces = (*parts.first, *parts.von, *parts.last, *parts.jr)
                names.append(" ".join(pieces))
    return names


def _biblatex(written: str) -> str:
    """The long form of biblatex: "family=Berg, given=Jo, prefix=van den"."""
    pairs = (part.partition("=") for part in written.split(","))
    values = {key.strip().casefold(): value.strip().strip('"') for key, _, value in pairs}
    parts = (values.get(key, "") for key in ("given", "prefix", "family", "suffix"))
    return " ".join(filter(None, parts))


def _initials(name: str) -> bool:
    return re.fullmatch(r"(?:[^\W\d_]\.?[\s-]?){1,4}", name) is not None and len(name) < 12


def _is_turned(name: str) -> bool:
    """Whether one name is written family name first: "Doe, Jane", "van Dam, J. K."."""
    family, comma, given = name.partition(", ")
    if not comma or "," in given:
        return False
    return " " not in family or " " not in given or family[0].islower() or _initials(given)


def _turned(name: str) -> str:
    """The name with the family last: "Doe, Jr., Sam" and "Doe, Sam, Jr." are "Sam Doe Jr."."""
    parts = [part.strip() for part in name.split(",") if part.strip()]
    if len(parts) == 3 and _SUFFIX.fullmatch(parts[2]):
        return " ".join((parts[1], parts[0], parts[2]))
    return " ".join([parts[-1], *parts[:-1]]) if len(parts) > 1 else name.strip()


def _clean(name: str, *, bibtex: bool) -> str:
    """One name without marks; empty for nobody."""
    name = " ".join(clean_text(name, bibtex=bibtex).split())
    if len(name) > _LONGEST:
        return ""
    if _HINT.search(name):
        name = " ".join(_NO_NAME.sub(" ", name).split())
    name = _MARKS.sub("", name).strip(" ,;")
    bare = name.casefold().strip(" .[](){}<>:*")
    return "" if _NOBODY.fullmatch(bare) or len(name) > 300 else name


def glued(names: list[str]) -> Iterator[str]:
    """Names that a source ran into one another ("Mara QuillTobi Okoro"), apart."""
    for name in names:
        yield from re.split(
            r"(?<=[^\W\d_A-Z][^\W\d_A-Z])(?<!\bMac)(?<!\bVan)(?=[A-Z][a-z]+\b)", name
        )
