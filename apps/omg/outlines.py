"""The outlines of states as SVG paths, out of the topology in `geodata/`. No Django.

A border is one arc that two states share, so that simplifying it leaves no gap between them.
"""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from apps.omg.places import DATA, STATES

FILE = DATA / "us-atlas-3.0.1-states-albers-10m.json"
VIEW = (-60.0, 10.0, 1022.0, 598.0)
# Square pixels that a corner must make to be kept: in the map of all states, and in that of one.
COARSE, FINE = 1.2, 0.02
MARGIN = 0.06

Point = tuple[float, float]
Arc = list[Point]


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    width: float
    height: float

    def __str__(self) -> str:
        return f"{self.left:.1f} {self.top:.1f} {self.width:.1f} {self.height:.1f}"

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.left + other.width and other.left < self.left + self.width
            and self.top < other.top + other.height and other.top < self.top + self.height
        )  # fmt: skip


WHOLE = Box(*VIEW)


def outlines() -> Mapping[str, str]:
    """The path of each state, for a map of all."""
    return _paths(COARSE, places=1)


def outlines_near(state: str) -> tuple[Box, Mapping[str, str]]:
    """A view of one state in the shape of the map, and the paths of all that is seen in it."""
    view = _view_of(_boxes()[state])
    fine = _paths(FINE, places=2)
    return view, {code: path for code, path in fine.items() if _boxes()[code].meets(view)}


def _view_of(box: Box) -> Box:
    """The state with a margin, widened to the shape of the whole map."""
    width, height = box.width * (1 + 2 * MARGIN), box.height * (1 + 2 * MARGIN)
    shape = WHOLE.width / WHOLE.height
    width, height = max(width, height * shape), max(height, width / shape)
    return Box(box.left + box.width / 2 - width / 2, box.top + box.height / 2 - height / 2, width, height)


@cache
def _paths(least: float, *, places: int) -> Mapping[str, str]:
    arcs = [_simplified(arc, least) for arc in _topology()[0]]
    return {
        code: "".join(_path_of(ring, places) for ring in _rings(geometry, arcs) if len(ring) > 3)
        for code, geometry in _topology()[1].items()
    }


@cache
def _boxes() -> Mapping[str, Box]:
    found = {}
    for code, geometry in _topology()[1].items():
        points = [point for ring in _rings(geometry, _topology()[0]) for point in ring]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        found[code] = Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return found


@cache
def _topology() -> tuple[list[Arc], dict[str, Any]]:
    """Arcs in pixels, and the geometry of each state, which names them."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    (scale_x, scale_y), (left, top) = data["transform"]["scale"], data["transform"]["translate"]
    arcs = []
    for packed in data["arcs"]:
        x = y = 0
        arc: Arc = []
        for step_x, step_y in packed:
            x, y = x + step_x, y + step_y
            arc.append((x * scale_x + left, y * scale_y + top))
        arcs.append(arc)
    codes = {name: code for code, name in STATES.items()}
    return arcs, {codes[one["properties"]["name"]]: one for one in data["objects"]["states"]["geometries"]}


def _rings(geometry: Mapping[str, Any], arcs: Sequence[Arc]) -> Iterator[Arc]:
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    for polygon in polygons:
        for ring in polygon:
            points: Arc = []
            for number in ring:
                # One's complement: the arc the other way round.
                arc = arcs[number] if number >= 0 else arcs[~number][::-1]
                points.extend(arc[1:] if points else arc)
            yield points


def _simplified(arc: Arc, least: float) -> Arc:
    """Visvalingam's way: the corner with the smallest triangle goes first, as long as it is smaller than `least`."""
    before, after = list(range(-1, len(arc) - 1)), list(range(1, len(arc) + 1))
    size = {place: _triangle(arc, place - 1, place, place + 1) for place in range(1, len(arc) - 1)}
    queue = [(area, place) for place, area in size.items()]
    heapq.heapify(queue)
    gone = set()
    while queue and queue[0][0] < least:
        area, place = heapq.heappop(queue)
        if place in gone or area != size[place]:
            continue
        gone.add(place)
        left, right = before[place], after[place]
        after[left], before[right] = right, left
        for corner in (left, right):
            if 0 < corner < len(arc) - 1:
                size[corner] = max(area, _triangle(arc, before[corner], corner, after[corner]))
                heapq.heappush(queue, (size[corner], corner))
    return [point for place, point in enumerate(arc) if place not in gone]


def _triangle(arc: Arc, first: int, second: int, third: int) -> float:
    (ax, ay), (bx, by), (cx, cy) = arc[first], arc[second], arc[third]
    return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2


def _path_of(ring: Arc, places: int) -> str:
    """Relative steps, which are shorter; rounded as places, so that errors do not add up."""
    rounded = [(round(x, places), round(y, places)) for x, y in ring]
    (last_x, last_y), text = rounded[0], [f"M{rounded[0][0]:g},{rounded[0][1]:g}l"]
    steps = []
    for x, y in rounded[1:-1]:
        if (x, y) != (last_x, last_y):
            steps.append(f"{x - last_x:.{places}f},{y - last_y:.{places}f}")
        last_x, last_y = x, y
    return "".join(text) + " ".join(steps) + "z" if steps else ""
