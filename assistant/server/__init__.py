"""The web server of ``assistant ui``: the page, an OpenAI-compatible endpoint, an API and MCP.

`assistant.server.running.serve` starts it; `assistant.server.app.create_app` makes the app.
"""
