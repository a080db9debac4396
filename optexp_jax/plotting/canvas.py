"""Make figures that look the same in a file, in a notebook and in a program."""

from __future__ import annotations

import io

from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from optexp_jax.plotting import style

_DPI = 200
_SHOWN = 110  # dots per inch of a notebook


class PageFigure(Figure):
    """Make a figure in the style of the library, without using or changing pyplot."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure in its style, whatever the settings of Matplotlib are now."""
        with style.context():
            super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, float]]:
        """Show the figure in a notebook, even if pyplot was never imported."""
        drawn = io.BytesIO()
        with style.context():
            self.savefig(drawn, format="png", dpi=_DPI)
        width, height = self.get_size_inches() * _SHOWN
        return drawn.getvalue(), {"width": float(width), "height": float(height)}
