"""LiteRT's reference kernels, which every tensor is compared with."""
