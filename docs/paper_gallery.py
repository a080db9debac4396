"""The part of the gallery that shows the paper's figures, from their declarations."""

from __future__ import annotations

from pathlib import Path

from plots.figure import PaperFigure
from plots.figures import FIGURES

HERE = Path(__file__).parent
_LAST_OF_MAIN_TEXT = 9
_CARD = """:::{{grid-item-card}} {name}: {title}
:img-top: {image}

{commands}
:::
"""


def write() -> None:
    """Write the part, which the gallery includes."""
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    cards = [_card(figure) for figure in FIGURES if (HERE / _image(figure)).exists()]
    text = "\n".join(["::::{grid} 1 1 2 2", ":gutter: 3", "", *cards, "::::", ""])
    (folder / "paper_figures.md").write_text(text, encoding="utf-8")


def _image(figure: PaperFigure) -> str:
    return f"images/paper/{figure.file}.png"


def _card(figure: PaperFigure) -> str:
    program = "make_all_plots"
    if figure.number.isdigit():
        of_main_text = int(figure.number) <= _LAST_OF_MAIN_TEXT
        program = "paper_figures" if of_main_text else "appendix_figures"
    draw = f"python -m plots.{program} --figure {figure.number} --run-missing --scale small"
    name = f"Figure {figure.number}" if figure.number.isdigit() else "Legends"
    commands = f"```bash\n{draw}\n```"
    if figure.modules:
        modules = ", ".join(f"`{module}`" for module in figure.modules)
        commands += f"\n\nExperiments: {modules}"
    return _CARD.format(name=name, title=figure.title, image=_image(figure), commands=commands)
