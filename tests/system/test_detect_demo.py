"""The demonstration: photos into the simulated board, boxes out of it, pictures and a page on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tessera.board import load_board
from tessera.cli.choices import DEFAULT
from tessera.cli.detect_demo import build_detector, decoder_bytes, detect_demo
from tessera.detect.decode import decode, make_detector
from tessera.detect.letterbox import letterbox
from tessera.detect.spec import read_outputs, read_spec
from tessera.device import open_device
from tessera.errors import BadInput
from tessera.models import find_model
from tessera.oracle.litert import Oracle
from tessera.pipeline import compile_model
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.schedule import InputMode

PHOTOS = sorted((find_model("helmet").path.parent / "photos").glob("*.jpg"))


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("photo", "options"),
    [*((p, ScheduleOptions()) for p in PHOTOS), (PHOTOS[0], ScheduleOptions(InputMode.STREAMED, 65536))],
    ids=[*(p.stem for p in PHOTOS), f"{PHOTOS[0].stem}-streamed"],
)
def test_boxes_from_the_device_are_those_of_litert_and_the_twin(photo: Path, options: ScheduleOptions) -> None:
    model = find_model("helmet")
    spec, outputs = read_spec(model.card), read_outputs(model.read())
    with Image.open(photo) as opened:
        pixels, _ = letterbox(opened, spec.size)
    board = load_board("h7")
    compiled = compile_model(model, board, options=options, application_bytes=decoder_bytes(spec))
    with Oracle(compiled.content) as oracle:
        tensors = oracle.run([pixels[None]])
    by_name = {}
    for i in compiled.loaded.outputs:
        value = tensors[i]
        assert value is not None
        by_name[compiled.loaded.tensor(i).name] = value.view(np.int8)
    expected = decode(make_detector(spec, outputs), by_name)
    with open_device(board, elf=build_detector(compiled, board, simulated=True).elf) as device:
        device.load_input(0, pixels.tobytes())
        device.run(crcs=False)
        found = device.detect()
        again = device.detect()
    assert found.boxes == expected
    assert again == found
    assert found.count > 0


@pytest.mark.qemu
def test_the_demo_draws_every_photo_and_writes_one_page(tmp_path: Path) -> None:
    out, report = tmp_path / "demo", tmp_path / "demo.json"
    detect_demo("", "h7", "helmet", DEFAULT, "", str(out), str(report))
    facts = json.loads(report.read_text())
    page = (out / "report.html").read_text()
    assert [p["picture"] for p in facts["pictures"]] == [p.name for p in PHOTOS]
    assert facts["arena_bytes"] < facts["peak_sram_bytes"] + 1 < 512 * 1024
    for photo in PHOTOS:
        with Image.open(out / f"{photo.stem}.png") as annotated, Image.open(photo) as plain:
            assert annotated.width >= plain.width
        assert photo.name in page
    drawn = next(p for p in facts["pictures"] if p["picture"] == "site_crew.jpg")
    assert sorted(b["label"] for b in drawn["boxes"]) == ["head", "helmet", "helmet", "helmet"]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(BadInput, match="holds no picture"):
        detect_demo(str(tmp_path), "h7", "helmet", DEFAULT, "", str(tmp_path / "out"), "")
    assert not (tmp_path / "out").exists()


@pytest.mark.qemu
def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 this is no JPEG")
    with pytest.raises(BadInput, match=r"broken\.jpg: not a readable picture"):
        detect_demo(str(tmp_path), "h7", "helmet", DEFAULT, "", str(tmp_path / "out"), "")
