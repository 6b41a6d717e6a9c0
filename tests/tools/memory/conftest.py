"""The graphs of these tests are those of the scheduler's, the stages those that run on the host."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "schedule"))
sys.path.insert(0, str(Path(__file__).parents[2] / "firmware" / "stage"))
