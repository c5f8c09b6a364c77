"""`python -m training` is `banyan-train`."""

from __future__ import annotations

from training.main import main

main()
