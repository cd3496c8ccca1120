"""From ranked papers to an answer whose sentences are cited and checked."""
