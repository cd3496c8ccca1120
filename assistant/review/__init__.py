"""Reviews, tables and screenings, with a language model and without.

candidates  which papers are about a topic: core, related, off
cells       what can be read out of an abstract by form alone, letter for letter
comparing   what can be said across papers, from cells
writer      the whole document, and the one without a model
generative  the one with a model          checking   its sentences, compared with the abstracts
table       any columns over many papers  freecells  those that need a model
screening   decisions, ranking, estimate  session    a screening at work
rendering   Markdown, HTML, LaTeX, Word, BibTeX, RIS, CSL-JSON, CSV, XLSX, JSON
"""

from assistant.review.model import Review, ReviewEstimate, ReviewProgress

__all__ = ["Review", "ReviewEstimate", "ReviewProgress"]
