"""The labelled texts that are known: what each is for, where it comes from, and whether weights may be trained on
it."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["sentiment", "offence", "emotion", "intent", "language"]
Kind = Literal["social", "review", "subtitle"]


@dataclass(frozen=True)
class Source:
    """One source: its task, the kind of text, its licence as found, and whether shipped weights may come from it."""

    task: Task
    kind: Kind
    origin: str
    licence: str
    trained: bool = True


SOURCES: dict[str, Source] = {
    "umsab": Source(
        "sentiment",
        "social",
        "UMSAB (cardiffnlp/xlm-t): SemEval-2017, DEFT-2017, SB-10k, Sentipolc-2016, TASS-2017, TweetSentBR",
        "Apache-2.0 of the collection; the parts may have terms of their own",
    ),
    "te": Source("sentiment", "social", "SemEval-2017 task 4 (cardiffnlp/tweeteval)", "none stated; Twitter's terms"),
    "potts": Source("sentiment", "social", "PotTS (W. Sidorenko; oliverguhr/german-sentiment)", "MIT"),
    "eva": Source("sentiment", "social", "Dutch members of parliament on Twitter (cltl-students)", "none stated"),
    "mabsa": Source("sentiment", "review", "M-ABSA (swaggy66/M-ABSA)", "none stated"),
    "olid": Source("offence", "social", "OLID, OffensEval 2019 (cardiffnlp/tweeteval)", "none stated"),
    "ge18": Source("offence", "social", "GermEval 2018 (uds-lsv)", "CC BY 4.0"),
    "mlma": Source("offence", "social", "MLMA hate speech (HKUST-KnowComp)", "MIT"),
    "intent": Source("intent", "social", "written for Parvis", "Apache-2.0"),
    "xed": Source("emotion", "subtitle", "XED (Helsinki-NLP), emotions in subtitles", "CC BY 4.0"),
    "mhc": Source(
        "offence", "social", "Multilingual HateCheck (rewire-online)", "CC BY 4.0; kept for judging", trained=False
    ),
    "bol": Source("sentiment", "review", "reviews of the Pattern corpus (clips)", "personal use only", trained=False),
    "airline": Source("sentiment", "social", "US airline tweets (CrowdFlower)", "CC BY-NC-SA 4.0", trained=False),
}
"""By the first word of a file's name."""

TASKS: dict[str, Source] = {
    "sentiment": Source("sentiment", "social", "yours", "yours", trained=False),
    "reviews": Source("sentiment", "review", "yours", "yours", trained=False),
    "offence": Source("offence", "social", "yours", "yours", trained=False),
    "language": Source("language", "social", "yours", "yours", trained=False),
}
"""Files of one's own, to be judged by, named after their task."""
