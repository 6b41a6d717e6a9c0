"""Fixtures that tests of every folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shared_files import SHARED_MODELS
from tessera.oracle.litert import Oracle

settings.register_profile("any machine", deadline=None)  # a slow one is no failure
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=60, help="random single-operator models an operator")
    parser.addoption("--update-golden", action="store_true", help="write the generated text as the golden text")


@pytest.fixture(scope="session")
def cases(request: pytest.FixtureRequest) -> int:
    """How many random models of an operator to try."""
    return int(request.config.getoption("--cases"))


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The folder of other people's models; a test that asks for it is skipped where it is absent."""
    if not SHARED_MODELS.is_dir():
        pytest.skip(f"no models at {SHARED_MODELS}")
    return SHARED_MODELS


@pytest.fixture(scope="session")
def oracle() -> Iterator[OracleBox]:
    """LiteRT in one child process for the whole session."""
    box = OracleBox()
    yield box
    box.close()


class OracleBox:
    """`oracle(model)` gives the session's Oracle with `model` loaded."""

    def __init__(self) -> None:
        self._oracle: Oracle | None = None

    def __call__(self, model: bytes) -> Oracle:
        if self._oracle is None:
            self._oracle = Oracle(model)
        else:
            self._oracle.load(model)
        return self._oracle

    def close(self) -> None:
        if self._oracle is not None:
            self._oracle.close()
