import pytest
from hand_stages import in_place
from small_graphs import three_ops

from tessera.board import BoardMemory
from tessera.errors import DoesNotFit
from tessera.memory.fit import check_fit
from tessera.memory.planner import plan_memory
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.schedule import InputMode, Schedule


def test_says_by_how_much_where_and_what_would_fit() -> None:
    schedule = make_schedule(three_ops())
    plan = plan_memory(schedule)
    needed = plan.arena_bytes
    check_fit(plan, schedule, needed, "f4")
    with pytest.raises(DoesNotFit) as caught:
        check_fit(plan, schedule, needed - 400, "f4")
    message = str(caught.value)
    for part in ("f4", "400 B more than", "step 2 (conv2d2)", "conv2d2 1x8x8x16 1,024 B", "2 KiB", "about 8x8"):
        assert part in message
    assert message.count(". ") == 0, "one sentence"


def test_names_the_streamed_stage_and_the_least() -> None:
    schedule, plan = in_place()
    with pytest.raises(DoesNotFit) as caught:
        check_fit(plan, schedule, 48, "f4", least=(56, 1.375))
    message = str(caught.value)
    for part in (
        "16 B more than the 48 B",
        "stage 0 (conv2d0 to conv2d2, at conv2d0) alone needs 56 B, even with the output sliding over the input",
        "input0 1x4x4x2 32 B",
        "a window of conv2d0 1x4x4x8 16 B",
        "the least that was found is 56 B at 1.38 times its MACs",
        "--input",
    ):
        assert part in message, message


def test_says_what_to_ask_for_instead() -> None:
    schedule, plan = in_place()
    rooms = (BoardMemory("SRAM", 64, 1),)
    asked = ScheduleOptions(InputMode.RESIDENT, sram_bytes=5000, max_macs=1.2)
    with pytest.raises(DoesNotFit, match=r"--input streamed, allow .* --max-macs, or allow 16 B more with --sram\.$"):
        check_fit(plan, schedule, 48, "f4", memories=rooms, options=asked)
    streamed = Schedule(schedule.graph, schedule.stages, InputMode.STREAMED)
    small = (BoardMemory("SRAM", 48, 1),)
    beyond, asked = plan_memory(streamed, memories=small), ScheduleOptions(sram_bytes=5000)
    with pytest.raises(DoesNotFit, match=r"at 1.2 times its MACs; take a board with at least 1 KiB for it\.$"):
        check_fit(beyond, streamed, 48, "f4", memories=small, least=(64, 1.2), options=asked)


def test_memories_that_cannot_share_a_map() -> None:
    schedule = make_schedule(three_ops())
    rooms = (BoardMemory("FAST", 256, 1), BoardMemory("SLOW", 512, 2), BoardMemory("SLOWER", 512, 3))
    plan = plan_memory(schedule, memories=rooms)
    with pytest.raises(DoesNotFit, match=r"cannot be spread over FAST \+ SLOW \+ SLOWER \(256 \+ 512 \+ 512 B\)"):
        check_fit(plan, schedule, 1 << 20, "board", memories=rooms)
    enough = (*rooms, BoardMemory("SLOWEST", 4096, 4))
    check_fit(plan_memory(schedule, memories=enough), schedule, 1 << 20, "board", memories=enough)
