"""How a benchmark reports: one line a figure, and a JSON file that holds them all."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench"


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    target: str
    ok: bool


class Report:
    """Collects the figures of one bench."""

    def __init__(self, bench: str) -> None:
        self.bench, self.figures = bench, list[Figure]()

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        target: float | None = None,
        best: Literal["most", "least"] = "most",
    ) -> None:
        """`best` says which side of `target` is good; without a target the figure only informs."""
        ok = target is None or (value <= target if best == "least" else value >= target)
        limit = "-" if target is None else f"{'<=' if best == 'least' else '>='}{target:g}"
        figure = Figure(name, round(value, 4), unit, limit, ok)
        self.figures.append(figure)
        print(f"{figure.name} {figure.value:g} {unit} {limit} {'ok' if ok else 'MISSED'}", flush=True)

    def write(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{self.bench}.json"
        path.write_text(json.dumps([asdict(figure) for figure in self.figures], indent=2) + "\n")

    @property
    def met(self) -> bool:
        return all(figure.ok for figure in self.figures)
