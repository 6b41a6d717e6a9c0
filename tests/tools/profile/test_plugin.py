"""What is missing is said in one sentence; the plugin is built for the interface that QEMU has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tessera.errors import TesseraError, ToolMissing
from tessera.profile import plugin as module
from tessera.profile.plugin import plugin, plugin_api


@pytest.mark.parametrize(
    ("version", "api"), [((6, 0), 1), ((7, 2, 22), 1), ((8, 2, 3), 1), ((8, 2, 4), 2), ((9, 0), 2), ((10, 1), 3)]
)
def test_the_interface_follows_the_version(version: tuple[int, ...], api: int) -> None:
    assert plugin_api(version) == api


def test_an_old_qemu_is_refused() -> None:
    with pytest.raises(ToolMissing, match=r"QEMU 5\.2 has no plugins"):
        plugin_api((5, 2))


def test_no_qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing, match="qemu-system-arm is not installed"):
        plugin()


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "qemu_version", lambda: (7, 2, 0))
    monkeypatch.setattr(module, "CACHE", tmp_path)
    monkeypatch.setattr(module, "GCC", "no-such-gcc")
    with pytest.raises(ToolMissing, match="no-such-gcc is not installed"):
        plugin()
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_does_not_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "qemu_version", lambda: (7, 2, 0))
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(module, "SOURCES", tmp_path)
    (tmp_path / "trace.c").write_text("int x = y;\n")
    with pytest.raises(TesseraError, match=r"does not compile the profiler's plugin: .*error"):
        plugin()


def test_both_interfaces_compile_and_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CACHE", tmp_path)
    built = []
    for version in ((7, 2, 0), (10, 1, 0)):
        monkeypatch.setattr(module, "qemu_version", lambda version=version: version)
        built.append(plugin())
        before = built[-1].stat().st_mtime_ns
        assert plugin() == built[-1]
        assert built[-1].stat().st_mtime_ns == before
    assert len(set(built)) == 2
