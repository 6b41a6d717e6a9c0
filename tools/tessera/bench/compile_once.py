"""Imports, plans and generates one model, for `bench` to watch from outside: python -m tessera.bench.compile_once M"""

import sys

from tessera.board import load_board
from tessera.models import find_model
from tessera.pipeline import compile_model, generate

if __name__ == "__main__":
    generate(compile_model(find_model(sys.argv[1]), load_board("qemu-m4"), time_limit_s=0.0), "qemu-m4")
