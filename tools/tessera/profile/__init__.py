"""What a model executes on a simulator, instruction by instruction, and what that would take on a chip, estimated."""
