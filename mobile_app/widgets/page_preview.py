"""A drawn page, as wide as its place; it scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kivy.graphics.texture import Texture
from kivy.uix.image import Image
from kivy.uix.scrollview import ScrollView

from mobile_app import theme

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


class PagePreview(ScrollView):
    """Shows a picture; empty until it has one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(do_scroll_x=False, bar_width=theme.GAP, **kwargs)
        self.image = Image(size_hint_y=None, fit_mode="fill", opacity=0)
        self.add_widget(self.image)
        self.fbind("width", self._fit)

    def show(self, picture: Picture | None) -> None:
        """Show a page, RGB; None shows nothing."""
        if picture is None:
            self.image.texture, self.image.opacity = None, 0
            return
        texture = Texture.create(size=picture.size, colorfmt="rgb")
        texture.blit_buffer(picture.tobytes(), colorfmt="rgb", bufferfmt="ubyte")
        texture.flip_vertical()
        texture.min_filter = "linear"
        self.image.texture, self.image.opacity = texture, 1
        self._fit()

    def _fit(self, *_ignored: object) -> None:
        texture = self.image.texture
        if texture is not None:
            self.image.height = self.width * texture.height / texture.width
