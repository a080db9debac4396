"""A checkpoint is written beside training."""

import threading

import numpy as np

from optexp_jax.runner.checkpoint import (
    Checkpoint,
    CheckpointWriter,
    checkpoint_writer,
    read_checkpoint,
)


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path, monkeypatch):
    begun, may_end = threading.Event(), threading.Event()
    write = CheckpointWriter._write

    def slow(writer, checkpoint):
        begun.set()
        assert may_end.wait(60)
        return write(writer, checkpoint)

    monkeypatch.setattr(CheckpointWriter, "_write", slow)
    with checkpoint_writer(tmp_path / "pack") as writer:
        writer.save(Checkpoint(3, ("a",), {"x": np.ones((1, 2))}))
        assert begun.wait(60)
        assert writer.is_writing
        may_end.set()
        writer.wait()
        assert not writer.is_writing
        assert writer.seconds > 0
    assert read_checkpoint(tmp_path / "pack").step == 3
