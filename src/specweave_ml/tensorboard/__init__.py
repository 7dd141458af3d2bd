"""TensorBoard: its event files as a source of runs."""
