"""What the page tells of an error, here and on another machine."""

from __future__ import annotations

import pytest

from assistant.errors import KeyRefused, QuestionError
from assistant.results import ErrorEvent
from assistant.ui.answers import Live
from assistant.ui.turns import Turn

REFUSED = KeyRefused("http://10.0.0.5:9/v1 refuses the key sk-12…89.", "Set OPENAI_API_KEY.")


@pytest.mark.parametrize(
    ("error", "here", "told"),
    [
        (REFUSED, True, "http://10.0.0.5:9/v1 refuses the key sk-12…89. Set OPENAI_API_KEY."),
        (REFUSED, False, f"{KeyRefused.public} "),
        (QuestionError("No word.", "Ask."), False, "No word. Ask."),
    ],
)
def test_others_are_told_no_address_and_no_key(
    error: KeyRefused | QuestionError, here: bool, told: str
) -> None:
    live = Live(Turn(question="Why?"), "conversation", here=here)
    live.take(ErrorEvent(message=str(error), error=error))
    assert live.turn.failure is not None
    assert f"{live.turn.failure.what} {live.turn.failure.do}" == told
