import numpy as np
import pytest
import pywt
import torch

from hemx_core.errors import TrainingError
from hemx_core.nn.wavelet import DWT2d


def _pywt_bands(image: torch.Tensor, wavelet: str) -> np.ndarray:
    ll, (lh, hl, hh) = pywt.dwt2(image.numpy(), wavelet, mode="periodization")
    return np.stack([ll, lh, hl, hh], 2).reshape(len(image), -1, *ll.shape[2:])


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "sym4", "coif1", "bior2.2", "rbio3.1"])
def test_equals_pywt_periodization_in_the_documented_channel_order(wavelet: str) -> None:
    image = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(
        DWT2d(wavelet, channels=3)(image), _pywt_bands(image, wavelet), atol=1e-5
    )


def test_sub_band_names_say_which_axis_was_low_passed() -> None:
    stripes_over_rows = torch.zeros(1, 1, 8, 8)
    stripes_over_rows[:, :, ::2] = 1
    energy = DWT2d("haar")(stripes_over_rows).square().sum((0, 2, 3))
    assert energy[1] > 0
    assert energy[2:].tolist() == [0, 0]


def test_low_only_is_the_first_band() -> None:
    image = torch.randn(1, 2, 8, 8)
    torch.testing.assert_close(
        DWT2d("db2", channels=2, low_only=True)(image), DWT2d("db2", channels=2)(image)[:, ::4]
    )


def test_haar_has_no_border() -> None:
    left = torch.randn(1, 1, 8, 8)
    right = left.clone()
    right[..., 4:] = 0
    torch.testing.assert_close(
        DWT2d("haar")(left)[..., :2], DWT2d("haar")(right)[..., :2], rtol=0, atol=0
    )


@pytest.mark.parametrize("wavelet", ["morl", "nothing"])
def test_refuses_what_is_no_discrete_wavelet(wavelet: str) -> None:
    with pytest.raises(TrainingError, match=wavelet):
        DWT2d(wavelet)


@pytest.mark.parametrize("shape", [(1, 1, 7, 8), (1, 1, 8, 5)])
def test_refuses_odd_sizes(shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match="even"):
        DWT2d("haar")(torch.zeros(shape))


def test_refuses_a_filter_longer_than_the_map() -> None:
    with pytest.raises(TrainingError, match="62 taps of dmey"):
        DWT2d("dmey")(torch.zeros(1, 1, 16, 16))
