"""The chat page. Importing `assistant.ui.page` loads Gradio, which takes seconds."""
