"""docs/operators.md is what its sources say."""

from __future__ import annotations

import re

from tessera.frontend.supported import SUPPORTED
from tessera.models import ROOT
from tessera.report.operators_page import operators_page


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "operators.md").read_text() == operators_page(), "run ./inv docs"


def test_the_kernels_of_every_operator_are_named_once() -> None:
    _, _, kernels = operators_page().partition("## Which kernels")
    table, _, others = kernels.rpartition("|\n")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")][2:]
    found = re.findall(r"[A-Z][A-Z0-9_]{2,}", " ".join(rows)) + re.findall(r"[A-Z][A-Z0-9_]{2,}", others)
    assert sorted(found) == sorted(SUPPORTED)
