"""Fitted weights; ``python -m eval.fit`` makes them again, with their figures."""

from __future__ import annotations

from assistant.answering.logistic import LogisticModel

EVIDENCE = LogisticModel(
    -15.1925,
    {
        "best_cosine": -0.7474,
        "standing": 0.3051,
        "second_sentence_cosine": 5.5879,
        "exact_coverage": -5.1855,
        "soft_coverage": 11.3822,
        "soft_coverage_aligned": 8.7728,
        "second_lack": 5.2392,
        "second_lack_aligned": -5.3192,
        "name_missing": -1.13,
        "has_focus": -0.3378,
        "number_missing": -2.1073,
        "number_coverage": 0.7799,
    },
)
"""Whether a passage answers a question: 280 questions, cross-validated AUROC .825 between
answerable and absent questions, .914 when the gold papers are taken away."""
CALIBRATION = (0.7793, 1.6285)
"""Slope and shift from the best evidence's log-odds to those of the confidence (Platt)."""

LEXICAL_EVIDENCE = LogisticModel(
    -4.2169,
    {
        "coverage": 2.52,
        "exact_coverage": 4.224,
        "name_missing": -1.1743,
        "number_missing": -2.0496,
        "number_coverage": 0.2882,
    },
)
"""The same without the states of words, for other embedding models: AUROC .686 and .825."""
LEXICAL_CALIBRATION = (0.5044, 1.3387)

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
"""Whether a sentence states what a fact question asks for: 124 questions, one of the first
five sentences does for 90.3% of them."""
