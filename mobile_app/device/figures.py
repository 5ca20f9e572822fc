"""Tables of words and figures, and long texts page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView

from mobile_app import theme
from mobile_app.device.markdown import Block, Kind
from mobile_app.i18n import text
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped

BLOCKS_ON_A_PAGE = 24


class Table(BoxLayout):
    """Rows of cells; the first column is the widest, and the first row may be a header.

    Args:
        header: whether the first row is one.
    """

    def __init__(self, *, header: bool = True, **kwargs: object) -> None:
        super().__init__(
            orientation="vertical", size_hint_y=None, height=0, spacing=theme.GAP, **kwargs
        )
        self.fbind("minimum_height", lambda _table, height: setattr(self, "height", height))
        self._header = header
        self.rows: tuple[tuple[str, ...], ...] = ()

    def show(self, rows: Sequence[tuple[str, ...]], *, alarming: str = "") -> None:
        """Show other rows.

        Args:
            rows: of words.
            alarming: cells that hold this word are drawn in the colour of alarm; the word says it, too.
        """
        self.rows = tuple(rows)
        self.padding = (0, theme.GAP if rows else 0, 0, 0)
        self.clear_widgets()
        for place, cells in enumerate(self.rows):
            muted = self._header and place == 0
            self.add_widget(_row(cells, muted=muted, alarming=alarming))


def _row(cells: tuple[str, ...], *, muted: bool, alarming: str) -> BoxLayout:
    row = BoxLayout(size_hint_y=None, spacing=theme.GAP * 2)
    for column, told in enumerate(cells):
        color = theme.MUTED if muted or (column == 0 and len(cells) == 2) else theme.TEXT
        if alarming and alarming in told:
            color = theme.ALARM
        width = 1.7 if column == 0 and len(cells) > 2 else 1.0
        if len(cells) == 2:
            width = (0.45, 1.0)[column]
        label = Wrapped(text=told, color=color, size_hint_x=width, pos_hint={"top": 1})
        label.font_size = theme.SMALL if muted else theme.BODY
        label.fbind(
            "height", lambda *_: setattr(row, "height", max(c.height for c in row.children))
        )
        row.add_widget(label)
    return row


class PageSheet(Sheet):
    """A long text, page by page: one label cannot hold it, its texture would be too high.

    Args:
        language: of the buttons.
        title: what it is.
        pages: each the blocks of a page.
    """

    def __init__(self, *, language: str, title: str, pages: Sequence[Sequence[Block]]) -> None:
        super().__init__(widest=theme.TARGET * 18)
        self._language, self._pages = language, list(pages) or [[]]
        self.number = 0
        self.content = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP)
        self.content.bind(minimum_height=self.content.setter("height"))
        self.back, self.next = ActionButton(), ActionButton()
        self.back.bind(on_release=lambda *_: self.turn(-1))
        self.next.bind(on_release=lambda *_: self.turn(1))
        self.where = Wrapped(color=theme.MUTED, halign="center")
        self.close_button = ActionButton(text=text(language, "app.close"), kind="primary")
        self.close_button.bind(on_release=lambda *_: self.dismiss())
        self.buttons = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP)
        turns = (self.back, self.next) if len(self._pages) > 1 else ()
        for button in (*turns, self.close_button):
            self.buttons.add_widget(button)
        self.back.text, self.next.text = (text(language, f"device.{k}") for k in ("back", "next"))
        for widget in (Heading(text=title), self.where, self.content, self.buttons):
            self.body.add_widget(widget)
        self._show()

    def turn(self, by: int) -> None:
        """Go to another page, from its top."""
        self.number = min(max(self.number + by, 0), len(self._pages) - 1)
        self._show()
        self.scroll.scroll_y = 1

    @property
    def told(self) -> str:
        """The words of the page."""
        return "\n".join(block.text for block in self._pages[self.number])

    def _show(self) -> None:
        count = len(self._pages)
        where = text(self._language, "device.page", number=self.number + 1, count=count)
        self.where.text = where if count > 1 else ""
        self.back.disabled = self.number == 0
        self.next.disabled = self.number == count - 1
        self.content.clear_widgets()
        for block in self._pages[self.number]:
            self.content.add_widget(block_widget(block))


class ChoiceSheet(Sheet):
    """A list of buttons to choose from, and one to close.

    Args:
        language: of the closing button.
        title: what it is.
        entries: labels.
        on_chosen: told the number of the one that was touched; the sheet stays open.
    """

    def __init__(
        self,
        *,
        language: str,
        title: str,
        entries: Sequence[str],
        on_chosen: Callable[[int], object],
    ) -> None:
        super().__init__()
        self.body.add_widget(Heading(text=title))
        self.entries = [ActionButton(text=label, halign="left") for label in entries]
        for number, button in enumerate(self.entries):
            button.bind(on_release=lambda *_, number=number: on_chosen(number))
            self.body.add_widget(button)
        self.close_button = ActionButton(text=text(language, "app.close"), kind="primary")
        self.close_button.bind(on_release=lambda *_: self.dismiss())
        self.body.add_widget(self.close_button)


def block_widget(block: Block) -> Wrapped:
    """A block of text as a label."""
    if block.kind is Kind.HEADING:
        return Heading(text=block.text)
    color = theme.MUTED if block.kind is Kind.ROW else theme.TEXT
    return Wrapped(text=block.text, color=color)


def block_pages(blocks: Sequence[Block]) -> list[list[Block]]:
    """Blocks cut into pages."""
    starts = range(0, len(blocks), BLOCKS_ON_A_PAGE)
    return [list(blocks[start : start + BLOCKS_ON_A_PAGE]) for start in starts]


def scrolled(*widgets: BoxLayout) -> ScrollView:
    """Cards in a column that scrolls, no wider than one reads."""
    column = BoxLayout(
        orientation="vertical",
        size_hint=(1, None),
        spacing=theme.GAP * 2,
        # At the right the bar needs room: it must not lie on the cards.
        padding=(0, theme.GAP, theme.GAP * 2, theme.GAP),
    )
    column.bind(minimum_height=column.setter("height"))
    for widget in widgets:
        column.add_widget(widget)
    view = ScrollView(do_scroll_x=False, bar_width=theme.GAP, scroll_type=["bars", "content"])
    view.add_widget(column)
    return view
