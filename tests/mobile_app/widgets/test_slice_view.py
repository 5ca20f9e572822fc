from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.tests.common import GraphicUnitTest
from kivy.uix.widget import Widget

from mobile_app.widgets.slice_view import Layer


class TestLayer(GraphicUnitTest):
    framecount = 0

    def setUp(self) -> None:
        super().setUp()
        self.widget = Widget(size=(80, 60), size_hint=(None, None))
        self.layer = Layer(self.widget.canvas, "rgba", sharp=True)
        self.picture = np.random.default_rng(0).integers(0, 256, (6, 8, 4)).astype(np.uint8)
        self.picture[..., 3] = 255
        self.render(self.widget)

    def drawn(self) -> np.ndarray:
        """One pixel from the middle of each of the picture's, RGB, top row first."""
        image = self.widget.export_as_image().texture
        pixels = np.frombuffer(image.pixels, np.uint8).reshape(60, 80, 4)
        return pixels[5::10, 5::10, :3]

    def test_rows_and_columns_lie_where_they_should(self) -> None:
        for _ in range(3):  # both textures, and the first one again
            self.picture = self.picture[::-1].copy()
            self.layer.show(self.picture)
            self.layer.place((0, 0, 80, 60))
            assert np.array_equal(self.drawn(), self.picture[..., :3])

    def test_a_part_lies_where_the_whole_would(self) -> None:
        self.layer.show(self.picture, (1, 4, 2, 7))
        self.layer.place((0, 0, 80, 60))
        expected = np.zeros((6, 8, 3), np.uint8)
        expected[1:4, 2:7] = self.picture[1:4, 2:7, :3]
        assert np.array_equal(self.drawn(), expected)

    def test_hidden_it_draws_nothing(self) -> None:
        self.layer.show(self.picture)
        self.layer.place((0, 0, 80, 60))
        self.layer.place(None)
        assert not self.drawn().any()

    def test_a_picture_of_another_shape_gets_textures_of_its_own(self) -> None:
        self.layer.show(self.picture)
        before = self.layer.textures
        self.layer.show(self.picture)
        assert set(map(id, self.layer.textures)) == set(map(id, before))
        self.layer.show(self.picture[:3])
        assert {tuple(one.size) for one in self.layer.textures} == {(8, 3)}
