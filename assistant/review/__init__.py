"""Literature reviews: from a topic to a document, with a language model and without.

search      several queries of the topic; which papers are about it
roles       what each sentence of an abstract does there
themes      papers clustered, clusters named
extractive  sections without a model      generative  sections with one
table       the comparison table, by rules
drafting    citations, verdicts, numbers
writer      the whole document
rendering   Markdown, HTML, BibTeX, RIS, CSV, JSON
"""

from assistant.review.model import Review, ReviewEstimate, ReviewProgress

__all__ = ["Review", "ReviewEstimate", "ReviewProgress"]
