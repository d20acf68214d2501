"""The services, and the commands that run them."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # said before anything is imported that an older Python stumbles over
    sys.exit("Parvis needs Python 3.11 or newer, and this is {}.{}.".format(*sys.version_info[:2]))
