"""Pure text in, facts out: nothing here knows a table, a network or another part of Parvis."""
