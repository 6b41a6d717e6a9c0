"""What the system tests need: networks, and a word where a tool or a file is absent."""

from __future__ import annotations

import shutil

import pytest

from shared_files import SHARED_MODELS, TRANSFORMERS
from small_net import large_net, small_net


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc"):
        return
    for item in items:
        if item.get_closest_marker("qemu"):
            item.add_marker(pytest.mark.skip("needs qemu-system-arm and arm-none-eabi-gcc: run through ./inv"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a file of other people's models; one that skips where there are none."""
    for name, pattern in (("shared_model", "*.tflite"), ("shared_reject", "reject/*.tflite")):
        if name in metafunc.fixturenames:
            files = [p for p in sorted(SHARED_MODELS.glob(pattern)) if not p.name.startswith(TRANSFORMERS)]
            absent = pytest.param(None, marks=pytest.mark.skip("no models in ../shared/models"))
            metafunc.parametrize(name, files or [absent], ids=lambda p: p.stem if p else "none")


@pytest.fixture(scope="session")
def small_model() -> bytes:
    return small_net()


@pytest.fixture(scope="session")
def large_model() -> bytes:
    return large_net()
