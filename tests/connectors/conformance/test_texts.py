"""Text is counted as the network counts it."""

import pytest

from tests.connectors.conformance.specimen import Specimen
from tests.connectors.specimens import SPECIMENS, each

ALL = each(SPECIMENS.values())


@pytest.mark.parametrize("specimen", ALL)
def test_every_vector_has_its_length(specimen: Specimen) -> None:
    for text, used, unit in specimen.vectors:
        length = specimen.connector.count(text)
        assert (length.used, length.unit) == (used, unit), text


@pytest.mark.parametrize("specimen", ALL)
def test_the_vectors_hold_nothing_an_emoji_of_several_code_points_and_an_address(specimen: Specimen) -> None:
    texts = [text for text, _, _ in specimen.vectors]
    assert "" in texts
    assert any("\u200d" in text for text in texts)
    assert any("https://" in text for text in texts)


@pytest.mark.parametrize("specimen", ALL)
def test_the_longest_text_fits_and_one_that_is_longer_by_one_does_not(specimen: Specimen) -> None:
    fitting, too_long = (specimen.connector.count(text) for text in specimen.longest)
    assert (fitting.fits, fitting.used) == (True, fitting.limit)
    assert (too_long.fits, too_long.used) == (False, fitting.used + 1)


@pytest.mark.parametrize("specimen", ALL)
@pytest.mark.parametrize("text", ["\ud800", "\x00", "@" * 5000, "https://" * 2000, "\u0301" * 5000], ids=ascii)
def test_whatever_a_text_holds_it_is_counted(specimen: Specimen, text: str) -> None:
    assert specimen.connector.count(text[:50_000]).used >= 0
