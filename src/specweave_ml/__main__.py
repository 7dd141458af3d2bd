"""`python -m specweave_ml` is the command `specweave-ml`."""

import sys

from specweave_ml.cli import main

if __name__ == "__main__":
    sys.exit(main())
