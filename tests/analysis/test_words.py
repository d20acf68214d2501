"""How texts come apart into words."""

import numpy as np
import pytest

from shared.analysis import hashing
from shared.analysis.text import cleaned
from shared.analysis.words import FACE, WORD, Words, words


def _words(text: str) -> tuple[Words, list[str]]:
    whole = cleaned(text)
    found = words([whole])
    return found, [whole[begin:end] for begin, end in zip(found.start, found.end, strict=True)]


def test_words_keep_their_places_in_the_text() -> None:
    assert _words("C'était super-bon, Straße!")[1] == ["C", "était", "super", "bon", ",", "Straße", "!"]


def test_a_word_has_the_hash_of_its_lower_case_letters() -> None:
    found, _ = _words("MASSE Maße masse")
    assert len(set(found.hash.tolist())) == 1
    assert found.hash[0] == hashing.of_words(["masse"])[0]


def test_the_place_in_the_batch_does_not_change_a_hash() -> None:
    assert words(["xyz", "a b bonjour"]).hash[-1] == words(["bonjour"]).hash[0]


def test_stretched_letters_are_one() -> None:
    found, _ = _words("nuuuuul nul")
    assert found.hash[0] == found.hash[1]
    assert found.stretched.tolist() == [True, False]


def test_digits_are_not_stretched() -> None:
    assert words(["1000 10"]).hash[0] != words(["1000 10"]).hash[1]


def test_accents_count_in_one_hash_and_not_in_the_other() -> None:
    found, _ = _words("cassé casse")
    assert found.hash[0] != found.hash[1]
    assert found.bare[0] == found.bare[1]


def test_the_dots_of_german_always_count() -> None:
    found, _ = _words("schön schon")
    assert found.bare[0] != found.bare[1]


def test_handles_are_all_one_name_and_tags_are_words() -> None:
    found, _ = _words("@lea @max #bravo bravo")
    assert found.hash[0] == found.hash[1]
    assert found.named.tolist() == [True, True, False, False]
    assert found.tagged.tolist() == [False, False, True, False]
    assert found.hash[2] == found.hash[3]


@pytest.mark.parametrize("link", ["https://example.com/terrible", "www.terrible.be/x?y=awful", "terrible.com/awful"])
def test_what_a_link_says_is_not_read(link: str) -> None:
    found, _ = _words(f"voir {link} ici")
    assert found.hash.tolist() == words(["voir http ici"]).hash.tolist()


@pytest.mark.parametrize("words_alone", ["fini.le repas", "trop cher.bof", "v2.0 est nul"])
def test_words_that_a_stop_alone_parts_are_no_link(words_alone: str) -> None:
    assert not _words(words_alone)[0].link.any()


def test_faces_of_signs_are_pictures() -> None:
    found, _ = _words("bien :-) mal :( <3")
    assert found.kind.tolist() == [WORD, FACE, WORD, FACE, FACE]


def test_skin_and_variants_make_no_other_picture() -> None:
    found, _ = _words("👍 👍🏽 ❤ ❤️")
    assert found.hash[0] == found.hash[1]
    assert found.hash[2] == found.hash[3]


def test_sentences_open_after_stops() -> None:
    found, _ = _words("Bonjour, ça va? Oui. Merci")
    assert np.flatnonzero(found.opens_sentence).tolist() == [0, 5, 7]


def test_a_shouted_word_is_one_of_three_capitals_or_more() -> None:
    assert _words("NON OK Non")[0].shouted.tolist() == [True, False, False]
