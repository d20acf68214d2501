"""Reading is quick enough for every mention. The figure that counts is printed by `parvis evaluate`."""

import time

from shared.analysis.reading import Text, read

_TEXTS = [
    "J'ai attendu 45 minutes au guichet et personne ne s'est excusé, c'est vraiment décevant @gare #retard",
    "Gisteren heerlijk gegeten bij jullie, vriendelijke bediening en een mooie kaart, wij komen zeker terug! 😍",
    "Könnt ihr mir bitte sagen, wann der nächste Zug nach Köln fährt? Die App zeigt seit einer Stunde nichts an.",
    "Your app keeps crashing when I open the map https://example.com/x, please fix it before the weekend :(",
]


def test_a_thousand_texts_take_less_than_a_second_of_the_processor() -> None:
    batch = [Text(text) for text in _TEXTS * 250]
    read(batch[:8])
    begun = time.process_time()
    read(batch)
    assert time.process_time() - begun < 1.0
