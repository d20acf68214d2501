"""What the language knows is what the models know."""

from enum import StrEnum

import pytest

from shared.analysis.queries import vocabulary
from shared.models.enums import MentionKind, Network


@pytest.mark.parametrize(("known", "kind"), [(vocabulary.NETWORKS, Network), (vocabulary.KINDS, MentionKind)])
def test_a_field_knows_every_value_and_no_other(known: frozenset[str], kind: type[StrEnum]) -> None:
    assert known == {one.value for one in kind}
