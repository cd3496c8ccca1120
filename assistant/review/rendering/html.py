"""A review as one HTML file without outside resources: quotes on hover, citations that jump,
the themes as a map, light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from assistant.escaping import web_address
from assistant.review.model import (
    Cell,
    LeftOut,
    Review,
    ReviewSentence,
    TableRow,
    Theme,
)
from assistant.review.rendering.blocks import (
    MARKS,
    NUMBER_HEADS,
    SECTIONS,
    beside,
    legend,
    listed,
    sections,
    table_of,
)
from assistant.review.rendering.markdown import citation_line, verdict_line

__all__ = ["html"]

_HUES = (212, 28, 152, 338, 265, 190, 78)
_MAP_WIDTH, _MAP_HEIGHT, _MARGIN = 720, 380, 30
_LONGEST_TITLE = 300


def html(review: Review) -> str:
    """The whole page."""
    body = [
        f"<header><p class='kind'>Literature review</p><h1>{_text(review.topic)}</h1>"
        f"{_chips(review)}</header>",
        _section("scope", "Scope", f"<p class='scope'>{_running(review, review.scope)}</p>"),
    ]
    if review.status != "absent":
        body += [
            _listed("answers", SECTIONS["answers"], review, review.answers),
            _overview(review),
            _table(review),
            _numbers(review),
            *(_theme(review, n, theme) for n, theme in enumerate(sections(review))),
            *(_listed(name, SECTIONS[name], review, said) for name, said in listed(review).items()),
            _map(review),
            _references(review),
            *(_beside(name, papers) for name, papers in beside(review).items()),
            f"<footer><p>{escape(verdict_line(review))}</p></footer>" if review.model else "",
        ]
    body += [f"<p class='note'>{_text(note)}</p>" for note in review.notes]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{_text(review.title)}</title><style>{_STYLE}{_theme_styles()}</style>"
    )
    contents = _contents(review) if review.status != "absent" else ""
    inner = "\n".join(part for part in body if part)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><div class="page">{contents}'
        f"<main>\n{inner}\n</main></div></body></html>\n"
    )


def _overview(review: Review) -> str:
    if not review.overview:
        return ""
    inner = f"<p class='lead'>{_running(review, review.overview)}</p>"
    return _section("overview", "Overview", inner)


def _text(text: str, most: int = 4000) -> str:
    text = " ".join(text.split())
    return escape(text if len(text) <= most else f"{text[:most].rstrip()}…")


def _chips(review: Review) -> str:
    made = f"written by {review.model}" if review.model else "without a language model"
    chips = [*review.extent, made]
    if review.status == "absent":
        chips = ["not in this library"]
    return "<p class='chips'>" + "".join(f"<span>{escape(c)}</span>" for c in chips) + "</p>"


def _section(name: str, heading: str, inner: str, classes: str = "") -> str:
    return f"<section id='{name}' class='{classes}'><h2>{_text(heading, 200)}</h2>{inner}</section>"


def _contents(review: Review) -> str:
    links = [("scope", "Scope", "")]
    if review.answers:
        links.append(("answers", SECTIONS["answers"], ""))
    if review.overview:
        links.append(("overview", "Overview", ""))
    themes = [
        (f"theme-{n}", theme.name, f" class='t{n % len(_HUES)}'")
        for n, theme in enumerate(review.themes)
    ]
    if table_of(review)[1]:
        links.append(("contributions", SECTIONS["contributions"], ""))
    links += [] if sections(review) or len(themes) < 2 else themes
    if review.numbers:
        links.append(("numbers", "Reported numbers", ""))
    links += themes if sections(review) else []
    links += [(name, SECTIONS[name], "") for name in listed(review)]
    links.append(("references", "References", ""))
    rows = "".join(
        f"<li{kind}><a href='#{name}'>{_text(title, 120)}</a></li>" for name, title, kind in links
    )
    return f"<nav aria-label='Contents'><ul>{rows}</ul></nav>"


def _running(review: Review, sentences: list[ReviewSentence]) -> str:
    return " ".join(_sentence(review, s) for s in sentences)


def _sentence(review: Review, sentence: ReviewSentence) -> str:
    quotes = {quote.number: quote for quote in sentence.quotes}
    titles = {r.number: r.paper.label for r in review.references}

    def mark(number: int) -> str:
        quote = quotes.get(number)
        said = (
            f"<q>{_text(quote.text, 700)}</q><em class='{quote.support}'>{quote.support}"
            f"{': ' + escape(quote.why) if quote.why else ''}</em>"
            if quote
            else ""
        )
        card = f"<span class='card' role='note'><b>{_text(titles[number], 160)}</b>{said}</span>"
        return f"<span class='cite'><a href='#ref-{number}'>{number}</a>{card}</span>"

    parts = [escape(piece) + (mark(n) if n else "") for piece, n in sentence.pieces()]
    kind = sentence.support if sentence.support in ("partial", "unsupported") else "fine"
    flag = f"<sup class='flag'>{sentence.support}</sup>" if kind != "fine" else ""
    return f"<span class='s {kind}'>{''.join(parts)}{flag}</span>"


def _theme(review: Review, n: int, theme: Theme) -> str:
    inner = [f"<p>{_running(review, paragraph.sentences)}</p>" for paragraph in theme.paragraphs]
    count = f"<p class='count'>{len(theme.papers)} paper{'s' * (len(theme.papers) != 1)}</p>"
    return _section(f"theme-{n}", theme.name, count + "".join(inner), f"theme t{n % len(_HUES)}")


def _map(review: Review) -> str:
    """The papers in the plane of their two principal components, coloured by theme."""
    if len(review.map) < 3:
        return ""
    titles = {r.number: r.paper.label for r in review.references}
    dots = []
    for point in review.map:
        x = _MARGIN + point.x * (_MAP_WIDTH - 2 * _MARGIN)
        y = _MARGIN + (1 - point.y) * (_MAP_HEIGHT - 2 * _MARGIN)
        dots.append(
            f"<a href='#ref-{point.number}' class='t{point.theme % len(_HUES)}'>"
            f"<title>{_text(titles[point.number], 160)}</title>"
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='11'/>"
            f"<text x='{x:.1f}' y='{y + 3.6:.1f}'>{point.number}</text></a>"
        )
    link = "<a href='#theme-{0}'>{1}</a>" if len(review.themes) > 1 or sections(review) else "{1}"
    legend = "".join(
        f"<li class='t{n % len(_HUES)}'>{link.format(n, _text(theme.name, 90))} "
        f"<small>{len(theme.papers)}</small></li>"
        for n, theme in enumerate(review.themes)
    )
    picture = (
        f"<svg viewBox='0 0 {_MAP_WIDTH} {_MAP_HEIGHT}' role='img' aria-label='Map of the themes'>"
        f"<rect width='{_MAP_WIDTH}' height='{_MAP_HEIGHT}' rx='10'/>{''.join(dots)}</svg>"
    )
    caption = "Near papers are alike in title, abstract and approach; colours are the themes."
    return (
        f"<figure class='map'>{picture}<figcaption><ul>{legend}</ul><p>{caption}</p></figcaption>"
        "</figure>"
    )


def _table(review: Review) -> str:
    columns, filled = table_of(review)
    if not filled:
        return ""
    heads = "".join(f"<th scope='col'>{h}</th>" for h in ("Paper", *columns.values()))
    rows = ""
    for n, theme in enumerate(review.themes):
        if len(review.themes) > 1 and not sections(review):
            rows += (
                f"<tr class='group t{n % len(_HUES)}' id='theme-{n}'><th scope='rowgroup' "
                f"colspan='{1 + len(columns)}'>{_text(theme.name, 200)} "
                f"<small>{len(theme.papers)}</small></th></tr>"
            )
        rows += "".join(_row(review, row, columns) for row in filled if row.theme == theme.name)
    table = (
        f"<div class='wide'><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    told = legend(review)
    table += f"<p>{told}</p>" if told else ""
    return _section("contributions", SECTIONS["contributions"], table, "broad")


def _row(review: Review, row: TableRow, columns: Iterable[str]) -> str:
    theme = next((n for n, t in enumerate(review.themes) if t.name == row.theme), 0)
    link = f"<a href='#ref-{row.number}'>{row.number}</a>"
    new = any(r.new for r in review.references if r.number == row.number)
    cells = "".join(_cell(getattr(row, column)) for column in columns)
    title = _text(row.title, _LONGEST_TITLE) + (" <small>new</small>" * new)
    return (
        f"<tr class='t{theme % len(_HUES)}'><th scope='row'>{title} <span "
        f"class='cite'>{link}</span>"
        f"</th>{cells}</tr>"
    )


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "<td class='empty'><span aria-label='not said'>–</span></td>"
    kind = "" if cell.certainty == "sure" else " class='likely'"
    mark = MARKS[cell.certainty]
    title = f"{cell.certainty}: {_text(cell.quote, 700)}"
    return f"<td{kind} title='{title}'>{_text(cell.text)}{mark}</td>"


def _listed(name: str, heading: str, review: Review, sentences: list[ReviewSentence]) -> str:
    lines = "".join(f"<li>{_sentence(review, sentence)}</li>" for sentence in sentences)
    return _section(name, heading, f"<ul>{lines}</ul>") if sentences else ""


def _numbers(review: Review) -> str:
    """What is reported in numbers, each with its sentence."""
    if not review.numbers:
        return ""
    heads = "".join(f"<th scope='col'>{head}</th>" for head in NUMBER_HEADS)
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{_text(text)}</td>" for text in (row.what, row.value, row.data, row.against)
        )
        + f"<td>“{_text(row.cell.quote)}” <span class='cite'><a href='#ref-{row.cell.citation}'>"
        f"{row.cell.citation}</a></span></td></tr>"
        for row in review.numbers
    )
    table = f"<table class='narrow'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return _section("numbers", "Reported numbers", f"<div class='wide'>{table}</div>", "broad")


def _beside(name: str, papers: list[LeftOut]) -> str:
    rows = "".join(f"<li>{_text(left.title, 300)}</li>" for left in papers)
    return _section(name, SECTIONS[name], f"<ul>{rows}</ul>")


def _references(review: Review) -> str:
    rows = []
    for reference in review.references:
        paper = reference.paper
        unlinked = paper.model_copy(update={"url": None, "doi": None, "arxiv_id": None})
        line = _text(citation_line(unlinked), 600)
        address = web_address(paper.link)
        link = (
            f" <a class='out' href='{escape(address)}' rel='noopener noreferrer'>read</a>"
            if address
            else ""
        )
        theme = next((n for n, t in enumerate(review.themes) if t.name == reference.theme), 0)
        rows.append(
            f"<li id='ref-{reference.number}' class='t{theme % len(_HUES)}' "
            f"value='{reference.number}'>"
            f"{line}{link}</li>"
        )
    return _section("references", "References", f"<ol>{''.join(rows)}</ol>")


def _theme_styles() -> str:
    return "".join(f".t{n}{{--hue:{hue}}}" for n, hue in enumerate(_HUES))


_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--faint:#e4e8ee;--paper:#fff;
--ground:#f5f6f8;--link:#1f5fbf;--warn:#a15c00;--bad:#b3261e;--good:#1c7a43;--hue:212;
--tone:hsl(var(--hue) 58% 42%);--tint:hsl(var(--hue) 70% 96%)}
@media (prefers-color-scheme:dark){:root{--ink:#e3e7ee;--soft:#9aa5b4;--faint:#2b3340;
--paper:#161b23;
--ground:#0f1319;--link:#8ab6ff;--warn:#f0b35e;--bad:#ff8a80;--good:#7fd6a0}}
*{box-sizing:border-box}html{scroll-behavior:smooth;scroll-padding-top:1rem}
body{margin:0;background:var(--ground);color:var(--ink);
font:17px/1.62 Charter,"Bitstream Charter","Iowan Old Style",Georgia,"Times New Roman",serif}
.page{max-width:1180px;margin:0 auto;display:grid;grid-template-columns:210px minmax(0,1fr);
gap:2.2rem;
padding:2.4rem 1.4rem}
nav{position:sticky;top:1.6rem;align-self:start;font:14px/1.45 system-ui,sans-serif}
nav ul{list-style:none;margin:0;padding:0;border-left:2px solid var(--faint)}
nav li{padding:.24rem 0 .24rem .8rem;margin-left:-2px;border-left:2px solid transparent}
nav li[class]{border-left-color:hsl(var(--hue) 58% 52%)}
nav a{color:var(--soft);text-decoration:none}nav a:hover{color:var(--ink)}
main{background:var(--paper);border:1px solid var(--faint);border-radius:14px;
padding:2.6rem clamp(1.2rem,4vw,3.4rem) 2rem;min-width:0}
main>*{max-width:46rem;margin-left:auto;margin-right:auto}
main>.broad,.map{max-width:none}.broad h2{max-width:46rem;margin-left:auto;margin-right:auto}
.kind{margin:0;font:600 13px/1 system-ui,sans-serif;letter-spacing:.09em;text-transform:uppercase;
color:var(--soft)}
h1{font-size:clamp(1.8rem,4.4vw,2.6rem);line-height:1.15;margin:.45rem 0 .8rem;text-wrap:balance;
overflow-wrap:anywhere}
h1::first-letter{text-transform:uppercase}
.chips{display:flex;flex-wrap:wrap;gap:.45rem;margin:0 0 1.6rem;font:13px/1 system-ui,sans-serif}
.chips span{border:1px solid var(--faint);border-radius:99px;padding:.42rem .75rem;
color:var(--soft)}
h2{font-size:1.45rem;line-height:1.25;margin:2.6rem 0 .5rem;overflow-wrap:anywhere}
h3{font:600 13px/1.3 system-ui,sans-serif;letter-spacing:.03em;color:var(--soft);
margin:1.3rem 0 .2rem}
p{margin:.35rem 0 .9rem}.scope{color:var(--soft);font-size:.94em}.lead{font-size:1.06em}
.theme h2{border-top:3px solid hsl(var(--hue) 58% 52%);padding-top:.8rem}
.count{font:13px/1 system-ui,sans-serif;color:var(--soft);margin:0 0 .6rem}
.s.partial{text-decoration:underline dotted var(--warn) 2px;text-underline-offset:4px}
.s.unsupported{text-decoration:underline wavy var(--bad) 1.5px;text-underline-offset:4px}
.flag{font:600 10px/1 system-ui,sans-serif;color:var(--warn);margin-left:.25em}
.cite{position:relative;display:inline-block;line-height:1}
.cite>a{font:600 11px/1 system-ui,sans-serif;color:var(--link);text-decoration:none;
vertical-align:.34em;
padding:.12em .3em;border-radius:4px;background:color-mix(in srgb,var(--link) 11%,transparent);
margin:0 1px}
.cite>a:hover,.cite>a:focus{background:var(--link);color:var(--paper)}
.card{position:absolute;left:50%;bottom:calc(100% + 6px);transform:translateX(-50%);
width:min(23rem,78vw);
background:var(--paper);color:var(--ink);border:1px solid var(--faint);border-radius:10px;
box-shadow:0 10px 34px #0003;padding:.75rem .9rem;font:13.5px/1.45 system-ui,sans-serif;
display:none;z-index:5;text-align:left;pointer-events:none}
.cite:hover .card,.cite:focus-within .card{display:block}
.card b{display:block;margin-bottom:.35rem}.card q{display:block;color:var(--soft)}
.card em{display:block;margin-top:.4rem;font-style:normal;font-size:12px;color:var(--good)}
.card em.partial{color:var(--warn)}.card em.unsupported{color:var(--bad)}
.map{margin:1.6rem 0}.map svg{width:100%;height:auto;display:block}
.map rect{fill:var(--ground);stroke:var(--faint)}
.map circle{fill:hsl(var(--hue) 60% 48%);stroke:var(--paper);stroke-width:2}
.map a:hover circle{fill:hsl(var(--hue) 70% 34%)}
.map text{fill:#fff;font:600 10px system-ui,sans-serif;text-anchor:middle;pointer-events:none}
figcaption{font:13px/1.45 system-ui,sans-serif;color:var(--soft)}
figcaption ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:0;
margin:.7rem 0 .3rem}
figcaption li::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:50%;
margin-right:.4em;background:hsl(var(--hue) 60% 48%)}
figcaption a{color:inherit}
.wide{overflow-x:auto;border:1px solid var(--faint);border-radius:10px}
table{border-collapse:collapse;font:13px/1.45 system-ui,sans-serif;min-width:60rem;width:100%}
th,td{padding:.6rem .7rem;vertical-align:top;text-align:left;border-bottom:1px solid var(--faint);
overflow-wrap:break-word}
thead th{position:sticky;top:0;background:var(--ground);font-weight:600;color:var(--soft)}
tbody th{font-weight:600;width:13rem;border-left:4px solid hsl(var(--hue) 58% 52%);max-width:14rem;
overflow-wrap:anywhere}
tbody tr:last-child>*{border-bottom:0}.group th{max-width:none;background:var(--tint);
color:var(--ink)}@media (prefers-color-scheme:dark){.group th{background:var(--ground)}}
td.empty{color:var(--soft);text-align:center}
td.likely{box-shadow:inset 3px 0 var(--warn)}ul{padding-left:1.2rem}li{margin:.3rem 0}
#references ol{padding-left:2.2rem}#references li{margin:.3rem 0;overflow-wrap:anywhere}
#references li::marker{color:hsl(var(--hue) 58% 48%);font-weight:600}
#references li:target{background:color-mix(in srgb,var(--link) 14%,transparent);border-radius:6px}
.out{font:13px system-ui,sans-serif;color:var(--link)}
footer{border-top:1px solid var(--faint);margin-top:2.4rem;padding-top:1rem;color:var(--soft);
font-size:.92em}
.note{color:var(--soft);font-size:.92em}
@media (max-width:860px){.page{grid-template-columns:1fr;padding:0}nav{display:none}
main{border-radius:0;border-width:0}}
@media print{body{background:#fff}.page{display:block;padding:0}nav,.card{display:none}
main{border:0;padding:0}
.wide{overflow:visible;border:0}table{min-width:0;font-size:9px}}
"""
