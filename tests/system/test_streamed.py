"""Streamed schedules from the file to the simulated board: every tensor, limits, and images that are pulled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from single_op import Spec, model_of, options
from small_net import small_net
from tessera.board import load_board
from tessera.cli.build import firmware
from tessera.cli.memory import input_sentence, memory_report
from tessera.cli.verify import verify_report
from tessera.device import open_device
from tessera.errors import BadInput, DoesNotFit
from tessera.models import ModelFile, find_model
from tessera.oracle.inputs import test_inputs as inputs_for
from tessera.pipeline import Compiled, Edges, compile_model
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.schedule import InputMode
from tessera.telemetry.message import Want

BOARD = load_board("qemu-m4")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("models") / "tall.tflite"
    path.write_bytes(small_net(height=48, width=40))
    return find_model(str(path))


def compiled_for(model: ModelFile, options: ScheduleOptions) -> Compiled:
    return compile_model(model, BOARD, options=options, time_limit_s=1)


@pytest.mark.qemu
@pytest.mark.parametrize("max_macs", [1.0, 1.5])
@pytest.mark.parametrize("mode", InputMode)
def test_every_tensor_equals_the_reference(model: ModelFile, mode: InputMode, max_macs: float) -> None:
    layerwise = compiled_for(model, ScheduleOptions())
    compiled = compiled_for(model, ScheduleOptions(mode, max_macs=max_macs))
    assert compiled.plan.arena_bytes < layerwise.plan.arena_bytes
    report = verify_report(compiled, BOARD, inputs=2, seed=5, port="")
    assert report["first_difference"] is None
    assert report["equal"] == report["tensors"] > 0
    assert report["schedule"] == "streamed"
    assert 1 <= report["macs_factor"] <= max_macs
    assert report["input_frame_in_arena_bytes"] == (48 * 40 * 3 if mode is InputMode.RESIDENT else 0)


@pytest.mark.qemu
@pytest.mark.parametrize("mode", [InputMode.STREAMED, InputMode.REREAD])
def test_an_image_is_pulled_alike_from_a_file_and_over_the_line(
    model: ModelFile, mode: InputMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compiled_for(model, ScheduleOptions(mode, max_macs=1.3))
    (pixels,) = inputs_for(compiled.graph, 1, 3)[0]
    wanted: list[Want] = []
    with open_device(BOARD, elf=firmware(compiled, BOARD, simulated=True).elf) as device:
        device.load_input(0, pixels.tobytes())
        by_file, outputs = device.run(), device.outputs()
        give = device._give

        def give_and_remember(want: Want) -> None:
            wanted.append(want)
            give(want)

        monkeypatch.setattr(device, "_give", give_and_remember)
        device.load_input(0, pixels.tobytes(), by_uart=True)
        by_uart = device.run()
        assert device.outputs() == outputs
        unchecked = device.run(crcs=False)
        device.load_input(0, np.roll(pixels, 7, axis=1).tobytes(), by_uart=True)
        assert device.run().steps[0].crc != by_file.steps[0].crc
    assert by_uart.steps == by_file.steps
    assert [step.count for step in unchecked.steps] == [step.count for step in by_file.steps]
    assert by_uart.count == by_file.count == sum(step.count for step in by_file.steps)
    report = memory_report(compiled, BOARD)
    assert sum(want.bytes for want in wanted) == 3 * report["input_bytes_pulled"]
    assert report["input_pulls_per_byte"] == report["input_bytes_pulled"] / pixels.nbytes
    if mode is InputMode.STREAMED:
        rows = [(y * 40 * 3, 40 * 3) for y in range(48)]
        assert [(want.offset, want.bytes) for want in wanted] == rows * 3


@pytest.mark.qemu
@pytest.mark.parametrize("sram", [12_700, 8_000])
def test_a_limit_holds_for_all_that_is_linked(model: ModelFile, sram: int) -> None:
    """12,700 B are the resident image and little more; in 8,000 B it has to be pulled."""
    mode = InputMode.RESIDENT if sram == 12_700 else InputMode.STREAMED
    report = verify_report(compiled_for(model, ScheduleOptions(mode, sram)), BOARD, inputs=1, seed=1, port="")
    assert report["equal"] == report["tensors"]
    assert report["within_limit"]
    parts = ("arena_bytes", "stack_reserved_bytes", "static_ram_bytes")
    assert sum(report[p] for p in parts) <= report["sram_total_bytes"] <= sram == report["sram_limit_bytes"]
    assert 0 < report["stack_bytes"] < BOARD.stack_bytes


def test_an_impossible_limit_is_one_sentence(model: ModelFile) -> None:
    with pytest.raises(DoesNotFit, match=r"^tall does not fit on qemu-m4 in 6,600 B of SRAM: [^\n]*$"):
        firmware(compiled_for(model, ScheduleOptions(InputMode.STREAMED, 6_600)), BOARD, simulated=True)
    with pytest.raises(DoesNotFit, match=r"^tall does not fit in 5,000 B of SRAM: the stack of qemu-m4 [^\n]*$"):
        compiled_for(model, ScheduleOptions(InputMode.STREAMED, 5_000))


def test_a_float_input_is_not_pulled(tmp_path: Path) -> None:
    shape = (1, 4, 6, 3)
    tensors = [Spec(shape, np.float32), Spec(shape, np.int8, 1 / 128, 0), Spec(shape, np.int8, 1 / 256, -128)]
    ops = [("QUANTIZE", [0], [1], options("Quantize"), 1), ("LOGISTIC", [1], [2], None, 1)]
    path = tmp_path / "real.tflite"
    path.write_bytes(model_of(tensors, ops, [0], [2]))
    asked = ScheduleOptions(InputMode.STREAMED)
    with pytest.raises(BadInput, match=r"^--input streamed: with --edges float the input t0 is float32, [^\n]*$"):
        compile_model(find_model(str(path)), BOARD, edges=Edges.FLOAT, options=asked)
    pulled = compile_model(find_model(str(path)), BOARD, options=asked)
    assert memory_report(pulled, BOARD)["input_modes"] == {"t1": "streamed"}


def test_an_input_that_is_no_map_stays_resident(tmp_path: Path) -> None:
    path = tmp_path / "vector.tflite"
    tensors = [Spec((1, 24), np.int8, 1 / 128, 0), Spec((1, 24), np.int8, 1 / 256, -128)]
    path.write_bytes(model_of(tensors, [("LOGISTIC", [0], [1], None, 1)], [0], [1]))
    compiled = compile_model(find_model(str(path)), BOARD, options=ScheduleOptions(InputMode.REREAD))
    report = memory_report(compiled, BOARD)
    assert report["input"] == "reread"
    assert report["input_modes"] == {"t0": "resident"}
    assert input_sentence(report) == (
        "input   reread was asked for; t0 stays resident: no 8-bit map [1, H, W, C] that a stage reads row by row"
    )
