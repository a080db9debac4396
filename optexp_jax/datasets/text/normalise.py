"""From a line of text to what tokens are made of, as steps that are saved with a tokenizer."""

from __future__ import annotations

import os
import types
from typing import TYPE_CHECKING

from optexp_jax.extras import require

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

# The rules of torchtext's `basic_english`, in its order, on text in lower case. Strings are
# replaced as they are; the last rule is a pattern: what Python calls white space is more than what
# Unicode does.
RULES = (
    ("'", " '  "),
    ('"', ""),
    (".", " . "),
    ("<br />", " "),
    (",", " , "),
    ("(", " ( "),
    (")", " ) "),
    ("!", " ! "),
    ("?", " ? "),
    (";", " "),
    (":", " "),
)
_WHITE_SPACE = r"[\s\x1c-\x1f\x85]+"
# The library lowers letter by letter, Python a sigma at the end of a word to its final form.
_FINAL_SIGMA = r"(?<=\p{Cased}\p{Case_Ignorable}*)Σ(?!\p{Case_Ignorable}*\p{Cased})"


def library() -> types.ModuleType:
    """The `tokenizers` library, which works on all cores unless TOKENIZERS_PARALLELISM says no.

    It is imported late, to keep the import of data sets light. A choice that is made before its
    first use also keeps it from warning, on standard error, in every later fork of the process.
    """
    require("run", "tokenizers")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    import tokenizers

    return tokenizers


def basic_english() -> Normalizer:
    """Lower case, punctuation set apart, quotes and semicolons dropped, white space collapsed.

    A line starts without a space and, if it ended with a newline, ends with one, so that the
    characters of two lines do not run together.

    >>> basic_english().normalize_str("  He said:\\t'Don't!'\\n")
    "he said ' don ' t ! ' "

    Source: `torchtext.data.utils.get_tokenizer("basic_english")`.
    """
    tokenizers = library()
    steps, pattern = tokenizers.normalizers, tokenizers.Regex
    return steps.Sequence(
        [
            steps.Replace(pattern(_FINAL_SIGMA), "ς"),
            steps.Lowercase(),
            *(steps.Replace(old, new) for old, new in RULES),
            steps.Replace(pattern(_WHITE_SPACE), " "),
            steps.Strip(left=True, right=False),
        ]
    )


def sentence_piece() -> Normalizer:
    """Compatible Unicode forms made one (NFKC), white space collapsed; case is kept.

    >>> sentence_piece().normalize_str(" The  ﬁrst\\tline\\n")
    'The first line'

    Source: the default rule `nmt_nfkc` of SentencePiece.
    """
    tokenizers = library()
    steps = tokenizers.normalizers
    spaces = steps.Replace(tokenizers.Regex(" {2,}"), " ")
    return steps.Sequence([steps.Nmt(), steps.NFKC(), spaces, steps.Strip()])
