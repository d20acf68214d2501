"""When posts go out: wall clocks, slots, recurrences, days of silence, and the calendar of all that."""
