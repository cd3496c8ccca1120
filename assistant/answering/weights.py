"""Fitted weights; ``python -m eval.fit`` makes them again, with their figures."""

from __future__ import annotations

from assistant.answering.logistic import LogisticModel

EVIDENCE = LogisticModel(
    -7.1478,
    {
        "standing": 0.3287,
        "best_sentence_cosine": 1.5238,
        "second_sentence_cosine": 0.8498,
        "exact_coverage": -4.4841,
        "soft_coverage": 10.1248,
        "matched": 0.5126,
        "unmatched": -2.8541,
        "second_lack": 2.5816,
        "second_lack_aligned": -4.6875,
        "name_missing": -1.2699,
        "has_focus": -1.7741,
        "focus_coverage": 1.3461,
        "number_missing": -2.1968,
    },
)
"""Whether a passage answers a question: 536 questions, cross-validated AUROC .795 between
answerable and absent questions, .885 when the gold papers are taken away."""
CALIBRATION = (0.7033, 1.4819)
"""Slope and shift from the best evidence's log-odds to those of the confidence (Platt)."""

LEXICAL_EVIDENCE = LogisticModel(
    -4.0148,
    {
        "coverage": 2.4647,
        "exact_coverage": 3.9469,
        "name_missing": -1.3171,
        "number_missing": -2.0381,
    },
)
"""The same without the states of words, for other embedding models: AUROC .657 and .799."""
LEXICAL_CALIBRATION = (0.4390, 1.1942)

SELECTION = LogisticModel(
    -16.0965,
    {
        "cosine": 4.1244,
        "coverage": 2.0185,
        "evidence": 0.1659,
        "paper_score": 10.7535,
        "number": 1.5205,
        "wanted_number": 0.5206,
        "position": 1.873,
        "background": -1.5139,
    },
)
"""Whether a sentence states what a fact question asks for: the 124 fact questions of sample and
listing-pages, one of the first five sentences does for 90.3% of them. Fitted to those of
listing-pages-2 as well, answers hold fewer facts (of these 89 in place of 91%)."""
