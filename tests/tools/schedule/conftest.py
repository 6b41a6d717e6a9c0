"""The random networks of these tests are those that the streamed stages run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "firmware" / "stage"))
