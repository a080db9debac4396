"""A small Penn Treebank, and where its texts are placed."""

from optexp_jax.datasets.text import (
    Streams,
    Words,
)

TRAIN = " the cat n't <unk> sat on the mat \n \n the dog <unk> sat N times $ the end \n"
VALID = " the dog saw a cat and the mat \n the end \n"
TEST = " a mat \n the the cat \n sat on N dogs \n"
SMALL = {"tokens": Words(13), "layout": Streams(2, 3)}


def place(workspace, corpus, contents):
    folder = corpus.folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(corpus.files, contents, strict=True):
        (folder / name).write_text(content)
    return folder


def slow_streams(tokens, batch, length):
    """Chunks as the paper's loader makes them: a list of (inputs, targets) by stream."""
    size = len(tokens) // batch
    rows = [tokens[i * size : (i + 1) * size] for i in range(batch)]
    for start in range(0, size - 1, length):
        end = min(start + length, size - 1)
        yield [(row[start:end], row[start + 1 : end + 1]) for row in rows]
