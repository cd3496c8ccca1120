"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

PLAIN: dict[str, Any] = {
    "add_completion": False,
    "no_args_is_help": True,
    "rich_markup_mode": None,  # rich's help would take as long to load as all the rest
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}
"""How typer is set up, everywhere."""

Library = Annotated[
    str | None,
    typer.Option(
        "--library",
        metavar="NAME|PATH",
        help="Name or folder of the library, a Chroma server's address, or 'sample'; to ask, "
        "also several: 'ml,medicine'. [default: from the settings]",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
Year = Annotated[
    str | None,
    typer.Option(
        "--year",
        metavar="YEARS",
        help="2022, 2021..2024 or 2021..; several with commas.",
        show_default=False,
    ),
]
Venue = Annotated[
    list[str] | None,
    typer.Option("--venue", metavar="TEXT", help="Part of the venue's name; repeatable."),
]
Author = Annotated[
    list[str] | None,
    typer.Option("--author", metavar="TEXT", help="Part of an author's name; repeatable."),
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="TEXT", help="Part of where it came from; repeatable."),
]
Tag = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TEXT", help="A keyword; repeatable.")
]
Count = Annotated[
    int | None,
    typer.Option("-k", min=1, max=1000, metavar="N", help="Papers to find.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="MODEL",
        help="Language model that writes; '' for none. [default: ASSISTANT_LLM]",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Its OpenAI-compatible server, such as http://localhost:11434/v1.",
        show_default=False,
    ),
]
Effort = Annotated[
    Literal["quick", "normal", "deep"] | None,
    typer.Option(
        "--effort",
        help="quick: one call; normal; deep: looks for what the first answer left open.",
        show_default=False,
    ),
]
Verify = Annotated[
    Literal["model", "local", "off"] | None,
    typer.Option(
        "--verify",
        help="Who checks what a model wrote: the model too (one more call), the local checker, "
        "nobody.",
        show_default=False,
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        min=16,
        metavar="N",
        help="Longest reply of the model, in tokens.",
        show_default=False,
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="USD",
        help="US dollars that an answer or review may cost; it stops before.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="NAME",
        help="Language to write in. [default: that of the question]",
        show_default=False,
    ),
]
