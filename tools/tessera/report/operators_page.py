"""docs/operators.md: what Tessera imports, from the same rules that refuse the rest."""

from __future__ import annotations

from tessera.frontend.supported import operator_table

HEAD = """# Operators

Written by `./inv docs` from the rules in `tools/tessera/frontend/supported.py`; do not edit. A model that breaks a
rule is refused with that rule's sentence. Every operator equals LiteRT's reference kernels byte for byte. Shape
arithmetic on int32 constants (SHAPE, PACK, GATHER and the like) is folded away while a file is read.

| operator | conditions |
|---|---|
"""


def operators_page() -> str:
    rows = (f"| {kind} | {'; '.join(sentences)} |\n" for kind, sentences in operator_table())
    return HEAD + "".join(rows)
