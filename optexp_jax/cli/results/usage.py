"""`du`: how much disk space the results take."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.results.sizes import in_words, sizes_by_group, sizes_by_kind


def show_usage(context: ResultsContext) -> int:
    """Show the sizes of a workspace by kind and by group, the largest first."""
    kinds, groups = sizes_by_kind(context.workspace), sizes_by_group(context.workspace)
    total = sum(kinds.values())
    if context.json:
        context.emit({"bytes": total, "kinds": kinds, "groups": groups})
        return 0
    table = Table(title=escape(f"{context.workspace}: {in_words(total)}"))
    table.add_column("kind", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for name, size in _largest_first(kinds):
        table.add_row(escape(name), in_words(size))
    context.console.print(table)
    if groups:
        context.console.print(_group_table(groups))
    return 0


def _group_table(groups: dict[str, dict[str, int]]) -> Table:
    table = Table()
    table.add_column("group", overflow="fold")
    for name in ("runs", "checkpoints"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, _ in _largest_first({name: sum(sizes.values()) for name, sizes in groups.items()}):
        table.add_row(escape(name), *map(in_words, groups[name].values()))
    return table


def _largest_first(sizes: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
