"""docs/memory.md and the READMEs show pictures that exist and are as ./inv docs draws them."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tessera.report.docs_pictures import patch_pictures, schedule_pictures

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "docs" / "pictures"


def test_pictures_of_patches_are_fresh() -> None:
    for name, text in patch_pictures():
        assert (PICTURES / name).read_text() == text, "run ./inv docs"


@pytest.mark.slow
def test_pictures_of_schedules_are_the_same_every_time() -> None:
    first, second = dict(schedule_pictures()), dict(schedule_pictures())
    assert first == second
    assert set(first) <= {p.name for p in PICTURES.iterdir()}


@pytest.mark.parametrize("page", ["docs/memory.md", "models/mobilenetv2/README.md"])
def test_pages_show_pictures_that_exist(page: str) -> None:
    path = ROOT / page
    found = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text())
    assert found
    for link in found:
        ET.parse(path.parent / link)
