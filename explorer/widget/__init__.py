"""The front end: a model with state and commands, panels without logic, and a view that arranges them."""

from __future__ import annotations

from explorer.widget.table_view import TableView, table
from explorer.widget.view import Explorer, explore

__all__ = ["Explorer", "TableView", "explore", "table"]
