"""What running services count, read from their /metrics."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

_SECONDS = 1.5

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Figures:
    """One process's samples, by name and labels."""

    samples: Mapping[tuple[str, Labels], float]

    def all(self, name: str) -> dict[Labels, float]:
        return {labels: value for (found, labels), value in self.samples.items() if found == name}

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that carry these labels."""
        wanted = set(labels.items())
        return sum(value for found, value in self.all(name).items() if wanted <= found)


async def read(addresses: Mapping[str, str]) -> dict[str, Figures]:
    """The figures of each service that answers, asked all at once; who does not answer is left out."""
    async with httpx.AsyncClient(trust_env=False, timeout=_SECONDS) as http:
        found = await asyncio.gather(*(_one(http, address) for address in addresses.values()))
    return {name: figures for name, figures in zip(addresses, found, strict=True) if figures is not None}


async def _one(http: httpx.AsyncClient, address: str) -> Figures | None:
    try:
        answer = await http.get(address)
        return of(answer.text) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None


def of(text: str) -> Figures:
    """The figures in a page of Prometheus' text format. Raises ValueError where it is none."""
    return Figures(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    )
