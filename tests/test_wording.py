"""The words of errors. Every sentence stands in `wording.toml`; other tests know codes and values.

To word a sentence better, write it where it is raised and in `wording.toml`. What some errors say
in full stands in `helpers/said_errors.py`.
"""

import pickle
import re
from pathlib import Path

import pytest
from errors import refuses
from raise_sites import bare_raises, error_classes, sites
from said_errors import FULL
from wording import ROOMS, SENTENCES, is_told, pattern_of

from optexp_jax.errors import OptexpError, UnreadableError

# They take the sentence of something else, or end with one.
PASSED_ON = {
    "experiment-failed",
    "command-refused",
    "definition-unread",
    "unknown-home-folder",
    "method-not-run",
    "wandb-not-sent",
}
# They are read as the end of another sentence.
FRAGMENTS = {"nothing-released", "status-entry-malformed"}
# What is wrong says what to do, or nothing can be done.
WITHOUT_REMEDY = {
    "input-outside",
    "no-claim",
    "not-exact",
    "not-indices",
    "not-one-pack",
    "not-one-word",
    "only-pack-can-be-auto",
    "outside-of-profile",
    "parameters-not-kept",
    "run-not-ended",
    "shapes-unknown",
    "streamed-pack-not-by-seed",
    "wrong-type",
}

ALL = [(code, sentence) for code, told in SENTENCES.items() for sentence in told]


def test_every_error_has_a_code():
    assert not bare_raises()
    assert not [site.where for site in sites() if site.code is None]
    assert {"MissingDataError", "GoneError", "MissingRunsError"} <= error_classes()


def test_codes_are_words_with_dashes():
    assert not [code for code in SENTENCES if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)]


def test_every_sentence_of_the_source_is_in_the_table_and_no_other():
    said = {(site.code, site.sentence) for site in sites() if site.code}
    assert said - set(ALL) == set()  # to be written in the table
    assert set(ALL) - said == set()  # to be removed from it


def test_a_code_stands_in_one_room_of_the_table():
    assert len(SENTENCES) == sum(len(room) for room in ROOMS.values())


@pytest.mark.parametrize(("code", "sentence"), [told for told in ALL if told[1] != "{...}"])
def test_sentences_follow_the_rules(code, sentence):
    assert not re.search(rf"\n|://|{code}", sentence)
    assert sentence.endswith(".") or code in PASSED_ON | FRAGMENTS
    remedy = re.search(r": |; |, not |[.] Use ", sentence)
    assert remedy or code in WITHOUT_REMEDY | PASSED_ON | FRAGMENTS


def test_exceptions_from_the_rules_are_needed():
    assert set(SENTENCES) >= PASSED_ON | FRAGMENTS | WITHOUT_REMEDY


@pytest.mark.parametrize(("code", "make", "sentence"), FULL, ids=[row[2][:40] for row in FULL])
def test_what_errors_say_in_full(code, make, sentence, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))  # no copy of this machine's
    with pytest.raises(OptexpError) as caught:
        make(tmp_path)
    assert caught.value.code == code
    assert str(caught.value).replace(str(tmp_path), "W") == sentence
    assert any(re.fullmatch(pattern_of(told), sentence) for told in SENTENCES[code])


def test_errors_keep_code_and_values_between_processes():
    error = UnreadableError(
        "A sentence.", code="some-code", number=3, path=Path("a"), odd=lambda: 0
    )
    sent = pickle.loads(pickle.dumps(error))
    assert (type(sent), str(sent), sent.code) == (UnreadableError, "A sentence.", "some-code")
    assert sent.values == error.values | {"odd": repr(error.values["odd"])}


def test_an_error_of_a_sentence_alone_has_a_code_too():
    assert (OptexpError("A sentence.").code, OptexpError("A sentence.").values) == ("error", {})


def test_another_code_or_value_is_seen():
    for wrong in (("size-too-big", 0), ("size-too-small", 1)):
        with pytest.raises(AssertionError), refuses(wrong[0], size=wrong[1]):
            raise OptexpError("Size is 0: take 1.", code="size-too-small", size=0)
    with refuses("size-too-small", size=0):
        raise OptexpError("Size is 0: take 1.", code="size-too-small", size=0)


def test_a_sentence_is_found_with_its_values():
    text = "error: There is no pack mode 'both': choose map or vmap.\n"
    assert is_told("unknown-pack-mode", text, mode="both")
    assert not is_told("unknown-pack-mode", text, mode="other")
    assert not is_told("devices-below-one", text)
