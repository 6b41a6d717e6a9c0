"""Integer arithmetic of the TFLite reference kernels.

Multipliers and tables are computed once, here: the interpreter and the C generator call the same functions, so that no
float reaches the target.
"""
