"""Curves: success over environment steps, or another axis, drawn as SVG with nothing but text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 200, 36, 44
_COLOURS = ("#1b6ca8", "#c8553d", "#2a9d5c", "#8a5fbf", "#b8860b", "#555555")
_NUM_TICKS = 5
_FONT = 'font-family="sans-serif" font-size="12"'


class Step(msgspec.Struct, frozen=True):
    """Mean over seeds and its 95 % interval, in [0, 1]."""

    num_steps: float
    mean: float
    low: float
    high: float


class Curve(msgspec.Struct, frozen=True):
    label: str
    steps: list[Step]


_STEPS = "environment steps; success in %"


def draw(title: str, curves: Sequence[Curve], *, axis: str = _STEPS, thousands: bool = True) -> str:
    """An image of 720 x 400. Bands are the intervals. Raises ValueError where there is no point.

    `axis` says what both axes are; `thousands`: the horizontal one counts in them.
    """
    far = max((step.num_steps for curve in curves for step in curve.steps), default=0.0)
    if not far:
        raise ValueError("there is nothing to draw: no curve has a step above 0")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>',
        *_axes(far, axis, thousands=thousands),
    ]
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        parts += _curve(curve, far, colour)
        y = _TOP + 16 * number + 10
        parts.append(
            f'<text x="{_WIDTH - _RIGHT + 14}" y="{y}" fill="{colour}">{escape(curve.label)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(far: float, axis: str, *, thousands: bool) -> list[str]:
    parts = []
    for tick in range(_NUM_TICKS + 1):
        share = tick / _NUM_TICKS
        x, y = _x(share * far, far), _y(share)
        parts += [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * share:.0f}</text>',
            _below(x, _HEIGHT - _BOTTOM + 18, _tick(share * far, thousands=thousands)),
        ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [*parts, _below(middle, _HEIGHT - 8, axis)]


def _tick(value: float, *, thousands: bool) -> str:
    return f"{value / 1000:.3g}k" if thousands else f"{value:.3g}"


def _below(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{text}</text>'


def _curve(curve: Curve, far: float, colour: str) -> list[str]:
    line = " ".join(f"{_x(step.num_steps, far):.1f},{_y(step.mean):.1f}" for step in curve.steps)
    above = [f"{_x(step.num_steps, far):.1f},{_y(step.high):.1f}" for step in curve.steps]
    below = [f"{_x(step.num_steps, far):.1f},{_y(step.low):.1f}" for step in curve.steps]
    band = " ".join([*above, *reversed(below)])
    return [
        f'<polygon points="{band}" fill="{colour}" fill-opacity="0.15"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
    ]


def _x(num_steps: float, far: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * num_steps / far


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)
