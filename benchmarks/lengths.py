"""How long the figures run that are promised by the minute: a part of it, or with FULL=1 all of it."""

import os

FULL = os.environ.get("FULL", "") not in ("", "0")
