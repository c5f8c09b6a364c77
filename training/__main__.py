"""`python -m training` is `banyan-train`."""

from __future__ import annotations

import sys

from training.main import main

sys.exit(main())
