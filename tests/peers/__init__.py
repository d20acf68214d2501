"""Parvis against real third-party servers, on this machine: `make peers`."""
