"""Ten thousand queries of brands, and what people write in four languages: made up, the same for a seed."""

import random
from itertools import accumulate

from shared.analysis.queries.subject import Subject

# Of each language about the words that it uses most, the most used first.
_WORDS = {
    "fr": """
de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec mais on
nous comme ou si leur y dire elle tout même très bien aussi où être fait cette été vraiment toujours service
magasin commande livraison client reçu acheté produit qualité prix merci bonjour déçu super équipe accueil
colis réponse semaine jours attente problème nouveau meilleur déjà français goût bière café œuvre hôtel soirée
""",
    "nl": """
de het een en van in is dat op te zijn met voor niet aan er om ook als maar bij ze hij nog wel naar uit dan
kan geen al heel veel meer deze goed zo door over wat we jullie hun altijd winkel bestelling levering klant
gekregen gekocht product kwaliteit prijs bedankt hallo teleurgesteld super team onthaal pakje antwoord week
dagen wachten probleem nieuw beste reeds smaak bier koffie avond lekker mooi vriendelijk café geïnteresseerd
ruzie
""",
    "de": """
der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat
dass sie nach wird bei einer um am sind noch wie einem über so zum war haben nur oder aber vor zur bis mehr
durch man sehr schön Laden Bestellung Lieferung Kunde bekommen gekauft Produkt Qualität Preis danke hallo
enttäuscht super Team Empfang Paket Antwort Woche Tage warten Problem neu beste schon Geschmack Bier Kaffee
Straße große
""",
    "en": """
the of and to a in for is on that by this with i you it not or be are from at as your all have new more an was
we will can us about if my has but our one other do no they he up may what which their out use any there see
only so his when here really store order delivery customer received bought product quality price thanks hello
disappointed great team reception parcel answer week days waiting problem best already taste beer coffee can't
""",
}
_SYLLABLES = """
ba ber bi bo bra da del di do du fa fe fi fo ga gri ka kel ki ko la le li lo ma me mi mo na ne ni no pa pe pi
po ra re ri ro sa se si so sta ta te ti to tra va ve vi vo wa we za zi zo
"""


class Stream:
    """The names of brands, queries for them, and texts of which a share names one."""

    def __init__(self, seed: int, *, brands: int = 2_000) -> None:
        self._chance = random.Random(seed)
        self._syllables = _SYLLABLES.split()
        self._words = {language: words.split() for language, words in _WORDS.items()}
        self._weights = {
            language: list(accumulate(1 / (n + 3) for n in range(len(words))))
            for language, words in self._words.items()
        }
        self.names = sorted({self._name() for _ in range(brands)})

    def _name(self) -> str:
        return "".join(self._chance.choice(self._syllables) for _ in range(self._chance.choice((2, 3, 3, 4))))

    def _said(self, language: str, count: int) -> list[str]:
        return self._chance.choices(self._words[language], cum_weights=self._weights[language], k=count)

    def queries(self, count: int) -> list[str]:
        """So many queries, five forms of them in turns, several a brand."""
        pick = self._chance.choice
        made = []
        for n in range(count):
            name = self.names[n % len(self.names)]
            words = self._words[pick(sorted(self._words))]
            topic, other, bad = pick(words[30:]), pick(words[30:]), pick(words[30:])
            made.append(
                (
                    f"{name} OR #{name} OR @{name}",
                    f"{name} AND ({topic} OR {other} OR “{topic} {other}”) NOT {bad}",
                    f"{name} NEAR/5 ({topic} OR {other})",
                    f'("{name} {topic}" OR {name}* {other}) -{bad}',
                    f"({name} OR {pick(self.names)}) {topic} -url:{name}",
                )[n // len(self.names) % 5]
            )
        return made

    def text(self, *, named: float) -> Subject:
        """A text of six to 28 words; with the chance `named` it says a brand's name."""
        chance = self._chance
        language = chance.choice(sorted(self._words))
        words = self._said(language, chance.randint(6, 28))
        if chance.random() < named:
            name = chance.choice(self.names)
            form = chance.choice((name, name, name.capitalize(), f"#{name}", f"@{name}"))
            words.insert(chance.randrange(len(words)), form)
        for share, more in (
            (0.15, f"#{chance.choice(self._words[language])}"),
            (0.15, f"https://{self._name()}.example/{self._name()}"),
            (0.1, f"@{self._name()}_{chance.randrange(99)}"),
            (0.15, chance.choice("🔥❤👍😡😂")),
        ):
            if chance.random() < share:
                words.append(more)
        words[chance.randrange(len(words))] += chance.choice(",.!?")
        return Subject(" ".join(words).capitalize(), language=language)
