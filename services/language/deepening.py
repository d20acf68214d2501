"""The deep reader's weights: a regression over embeddings, and how much it counts beside the fast model."""

import hashlib
import itertools
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.language import fitting, judging, keeping, seeing
from services.language.corpus import BadCorpus, Sheet
from services.language.fitting import Array
from shared.analysis import deep, model, sentiment
from shared.analysis.embedding import DIMENSIONS, Embed, prepared
from shared.analysis.reading import LABELS
