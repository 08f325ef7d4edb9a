"""``python -m laneway`` is the ``laneway`` command."""

import sys

from laneway.cli import main

sys.exit(main())
