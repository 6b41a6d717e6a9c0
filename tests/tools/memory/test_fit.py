import pytest
from small_graphs import three_ops

from tessera.errors import DoesNotFit
from tessera.memory.fit import check_fit
from tessera.memory.planner import plan_memory
from tessera.schedule.layerwise import make_schedule


def test_says_by_how_much_where_and_what_would_fit() -> None:
    schedule = make_schedule(three_ops())
    plan = plan_memory(schedule, scratch_bytes=100)
    needed = plan.arena_bytes + 100
    check_fit(plan, schedule, needed, "f4")
    with pytest.raises(DoesNotFit) as caught:
        check_fit(plan, schedule, needed - 400, "f4")
    message = str(caught.value)
    for part in ("f4", "400 B more than", "step 2 (conv2d2)", "conv2d2 1x8x8x16 1,024 B", "2 KiB", "about 8x8"):
        assert part in message
    assert message.count(". ") == 0, "one sentence"
