"""Finding: words are compared without accents and punctuation, the best comes first, and views are kept."""

import unicodedata
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SEEN = "brand_id = ANY (parvis.seen_brands())"


def _folded() -> tuple[str, str]:
    """Latin letters with marks, and what is left of each without them."""
    pairs = {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i"}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        bare = unicodedata.normalize("NFD", chr(code))
        if len(bare) > 1 and bare[0].isascii():
            pairs[chr(code)] = bare[0].lower()
    return "".join(pairs), "".join(pairs.values())


_LETTERS, _BARE = _folded()
_MARKS = "".join(map(chr, (*range(0x300, 0x370), 0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF)))
_PUNCTUATION = r"""!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~’ʼ‘“”«»…–—·"""


# What an index and a search agree on. PostgreSQL's own parser takes `retard/remboursement` for a file and
# `super.Merci` for a host, each one word: here words are what stands between punctuation. One sign becomes one space,
# so that places in the text stay. `translate` goes through its list for each letter of a text, so that it is asked
# about the letters beyond ASCII by themselves, and then with a list of those alone: 10 µs a text, not 170.
_WORDS = f"""
CREATE FUNCTION parvis.search_words(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT translate(said, '{_PUNCTUATION}', '{" " * (len(_PUNCTUATION) - 1)}')
$$;
CREATE FUNCTION parvis.search_fold(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  beyond text;
BEGIN
  IF octet_length(said) = length(said) THEN RETURN said; END IF;
  said := replace(replace(replace(replace(replace(replace(said, 'ß', 'ss'), 'œ', 'oe'), 'Œ', 'oe'),
                                  'æ', 'ae'), 'Æ', 'ae'), 'ĳ', 'ij');
  beyond := regexp_replace(said, '[\\x01-\\x7f]+', '', 'g');
  IF beyond ~ '[{_MARKS}]' THEN
    said := translate(said, '{_MARKS}', '');
    beyond := translate(beyond, '{_MARKS}', '');
  END IF;
  RETURN translate(said, beyond, translate(beyond, '{_LETTERS}', '{_BARE}'));
END $$;
"""


def upgrade() -> None:
    op.execute("DROP FUNCTION parvis.search_mentions(text, timestamptz, timestamptz, timestamptz, uuid, int)")
    for source in (_WORDS, Path(__file__).with_suffix(".sql").read_text("utf-8")):
        for statement in source.split("$$;\n")[:-1]:
            op.execute(f"{statement}$$".replace(":", r"\:"))
    for function in (
        "search_words(text)",
        "search_fold(text)",
        "search_vector(regconfig, text)",
        "search_terms(text)",
        "search_term(regconfig, text, boolean)",
        "search_reading(regconfig, text)",
        "search_mentions(text, timestamptz, timestamptz, timestamptz, uuid, int, boolean)",
        "found_spans(text, text, text)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION parvis.{function} FROM public")
    op.execute(
        "GRANT EXECUTE ON FUNCTION parvis.found_spans(text, text, text),"
        " parvis.search_mentions(text, timestamptz, timestamptz, timestamptz, uuid, int, boolean)"
        " TO parvis_app, parvis_worker"
    )
    index_anew()
    _views()


def index_anew() -> None:
    """Every text, by what it is compared by now: rows first and the index over all of them at once.
    The owner sees every brand's texts only while row security is not forced upon it."""
    op.execute("ALTER TABLE mention NO FORCE ROW LEVEL SECURITY")
    op.execute("DROP INDEX ix_mention_search_tsv")
    op.execute("TRUNCATE mention_search")
    op.execute(
        "INSERT INTO mention_search (brand_id, mention_id, published_at, language, tsv)"
        " SELECT brand_id, id, published_at, language, parvis.search_vector(parvis.search_config(language), text)"
        " FROM mention WHERE heard AND deleted_at IS NULL AND text <> ''"
    )
    op.execute("CREATE INDEX ix_mention_search_tsv ON mention_search USING gin (brand_id, tsv)")
    op.execute("ALTER TABLE mention FORCE ROW LEVEL SECURITY")


def _views() -> None:
    op.create_table(
        "view",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("where", postgresql.JSONB(), nullable=False),
        sa.Column("order", sa.String(32), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.brand_id"], name=op.f("fk_view_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_view")),
    )
    op.execute("ALTER TABLE view ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE view FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON view USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON view TO parvis_app, parvis_worker")


def downgrade() -> None:
    raise RuntimeError("what was indexed without accents is not read with them: restore a backup instead")
