"""What an OpenAI client gets of a server, as JSON: ``python openai_client.py URL QUESTION``.

A program of its own, so that it runs with whichever version of the client is on its path.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import openai

MODEL = "abstract-assistant"
REFUSED: tuple[dict[str, Any], ...] = (
    {"n": 2},
    {"logprobs": True},
    {"response_format": {"type": "json_object"}},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
)


def main() -> None:
    url, question = sys.argv[1:]
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
    messages: Any = [{"role": "user", "content": question}]
    chat, responses = client.chat.completions, client.responses
    told: dict[str, Any] = {"version": openai.__version__}
    told["models"] = [model.id for model in client.models.list()]
    told["chat"] = chat.create(model=MODEL, messages=messages).choices[0].message.content
    with chat.create(model=MODEL, messages=messages, stream=True) as chunks:
        told["chat streamed"] = "".join(c.choices[0].delta.content or "" for c in chunks)
    with chat.stream(model=MODEL, messages=messages) as stream:
        told["chat helper"] = stream.get_final_completion().choices[0].message.content
    told["response"] = responses.create(model=MODEL, input=question).output_text
    with responses.create(model=MODEL, input=question, stream=True) as events:
        told["response streamed"] = "".join(
            event.delta for event in events if event.type == "response.output_text.delta"
        )
    with responses.stream(model=MODEL, input=question) as stream:
        told["response helper"] = stream.get_final_response().output_text
    told["refused"] = {}
    for more in REFUSED:
        try:
            chat.create(model=MODEL, messages=messages, **more)
        except openai.BadRequestError as error:
            told["refused"][error.param] = error.status_code
    told["parameters"] = {
        "ChatRequest": sorted(inspect.signature(chat.create).parameters),
        "ResponsesRequest": sorted(inspect.signature(responses.create).parameters),
    }
    client.close()
    print(json.dumps(told))  # noqa: T201


main()
