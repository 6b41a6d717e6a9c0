"""fold_constants, fuse_lookups, remove_dead."""

import numpy as np
from graphs import assert_same_outputs, graph_of, kinds, tensor

from tessera.ir.attrs import Add, Lookup, Reshape
from tessera.passes.fold_constants import fold_constants
from tessera.passes.fuse_lookups import fuse_lookups
from tessera.passes.remove_dead import remove_dead

REVERSE = Lookup(np.arange(256, dtype=np.uint8)[::-1].copy(), "NEG")
SHIFT = Lookup(np.roll(np.arange(256), 3).astype(np.uint8), "TANH")


def test_an_operator_on_constants_becomes_a_constant() -> None:
    tensors = [tensor(1, 4), tensor(4, data=[1, 2, 3, 4]), tensor(1, 4), tensor(1, 4)]
    before = graph_of(tensors, [(Reshape(), [1], [2]), (Add((-128, 127)), [0, 2], [3])], [0], [3])
    after = fold_constants(before)
    assert kinds(after) == ["Add"]
    assert after.tensors[2].data.tolist() == [[1, 2, 3, 4]]
    assert_same_outputs(before, after)


def test_a_constant_output_is_still_computed() -> None:
    tensors = [tensor(1, 4), tensor(4, data=[1, 2, 3, 4]), tensor(1, 4)]
    before = graph_of(tensors, [(Reshape(), [1], [2])], [0], [2])
    assert kinds(fold_constants(before)) == ["Reshape"]


def test_tables_in_a_row_become_one() -> None:
    tensors = [tensor(1, 64) for _ in range(4)]
    before = graph_of(tensors, [(REVERSE, [0], [1]), (SHIFT, [1], [2]), (REVERSE, [2], [3])], [0], [3])
    after = fuse_lookups(before)
    assert kinds(after) == ["Lookup"]
    assert after.ops[0].attrs.origin == "NEG+TANH+NEG"
    assert_same_outputs(before, after)


def test_a_table_that_is_read_elsewhere_stays() -> None:
    tensors = [tensor(1, 64) for _ in range(4)]
    before = graph_of(tensors, [(REVERSE, [0], [1]), (SHIFT, [1], [2]), (REVERSE, [1], [3])], [0], [2, 3])
    assert kinds(fuse_lookups(before)) == ["Lookup"] * 3


def test_what_no_output_needs_goes() -> None:
    tensors = [tensor(1, 64) for _ in range(4)]
    before = graph_of(tensors, [(REVERSE, [0], [1]), (SHIFT, [1], [2]), (SHIFT, [0], [3])], [0], [3])
    after = remove_dead(before)
    assert kinds(after) == ["Lookup"]
    assert_same_outputs(before, after)
