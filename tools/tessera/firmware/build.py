"""Builds firmware with PlatformIO."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tessera.board import Board, load_board
from tessera.errors import BadInput, BoardError, DoesNotFit, ToolMissing
from tessera.firmware.elf import Sizes, read_sizes

ROOT = Path(__file__).resolve().parents[3]
CONFIG = "tess_model_config.h"
COMPILER = "arm-none-eabi-gcc"
# PlatformIO reports home at each run and looks for updates every week, for a minute when offline
QUIET = {"PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no", "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Firmware:
    """A linked image. `sizes` says what its parts cost."""

    elf: Path
    sizes: Sizes

    @property
    def flash_bytes(self) -> int:
        return self.sizes.flash_bytes

    @property
    def static_ram_bytes(self) -> int:
        return self.sizes.static_ram_bytes

    @property
    def sections(self) -> dict[str, int]:
        return dict(self.sizes.sections)


def build_firmware(board: Board | str, gen_dir: Path, app: str = "infer", simulated: bool = True) -> Firmware:
    """The app with the generated model in `gen_dir`, for the chip or for its simulated twin."""
    described = load_board(board) if isinstance(board, str) else board
    gen_dir = gen_dir.resolve()
    if not (gen_dir / CONFIG).is_file():
        raise BadInput(f"{gen_dir} holds no generated model ({CONFIG} is absent).")
    if not (ROOT / "firmware" / "apps" / app).is_dir():
        raise BadInput(f"There is no application {app!r} in firmware/apps.")
    if not simulated and described.is_simulator:
        raise BoardError(f"The board {described.name} is a simulator: there is no chip to build for.")
    env = described.sim_env if simulated else described.env
    output = _run_pio(env, gen_dir, app)
    if output is not None:
        raise _explain(output, described, app)
    elf = ROOT / ".pio" / "build" / env / f"{_label(gen_dir, app)}.elf"
    return Firmware(elf, read_sizes(elf))


def _label(gen_dir: Path, app: str) -> str:
    """The name of the image, as boards/platform/builder/main.py makes it."""
    return f"{app}-{gen_dir.name}-{hashlib.sha256(str(gen_dir).encode()).hexdigest()[:8]}"


def _pio() -> str:
    beside = Path(sys.executable).parent / "pio"
    found = str(beside) if beside.is_file() else shutil.which("pio")
    if found is None:
        raise ToolMissing("PlatformIO is not installed; ./inv installs it from requirements.txt.")
    return found


def _packaged_compiler() -> bool:
    """PlatformIO has its own, in the project's folder."""
    return (ROOT / ".pio" / "core" / "packages" / "toolchain-gccarmnoneeabi").is_dir()


def _run_pio(env: str, gen_dir: Path, app: str) -> str | None:
    """Everything that it said if the build failed."""
    if shutil.which(COMPILER) is None and not _packaged_compiler():
        raise ToolMissing(
            f"{COMPILER} is not installed; install the packages gcc-arm-none-eabi libnewlib-arm-none-eabi."
        )
    # sources come and go in our folders; dependencies are tracked by content, so wiping is never needed
    command = [_pio(), "run", "-s", "--disable-auto-clean", "-d", str(ROOT), "-e", env]
    environ = {**os.environ, **QUIET, "TESSERA_MODEL_DIR": str(gen_dir), "TESSERA_APP": app}
    done = subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    return None if done.returncode == 0 else done.stdout


def _explain(output: str, board: Board, app: str) -> BoardError | DoesNotFit:
    """The first thing that went wrong, as one sentence."""
    over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", output)
    if over:
        parts = []
        for name, count in over:
            alias = name.removesuffix("_REGION").lower()
            uses = {"code": board.code_region, "data": board.data_region, "stack": board.stack_region}
            region = board.region({**uses, "arena": board.arena_region}.get(alias, name))
            parts.append(f"{region.name} ({region.bytes} bytes) by {count} bytes")
        return DoesNotFit(
            f"{app} does not fit {board.name}: it exceeds {' and '.join(parts)}; take a larger board or model."
        )
    if "exceeds the board's data_bytes" in output:
        limit = f"the {board.data_bytes} bytes that {board.name} keeps for it"
        return DoesNotFit(f"Static data of {app} exceeds {limit}; make its variables smaller or raise data_bytes.")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = re.compile(r"\berror\b:|undefined reference|multiple definition|cannot find|is not set|^\*\*\*|Error:")
    first = next((line for line in lines if telling.search(line)), lines[-1] if lines else "no output")
    return BoardError(f"The firmware {app} for {board.name} does not build: {first.replace(str(ROOT) + '/', '')}.")
