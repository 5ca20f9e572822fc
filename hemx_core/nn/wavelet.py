"""A one-level two-dimensional wavelet transform as a fixed strided convolution.

Sub-bands: the first letter is the filter along a row (over columns), the second the filter along a
column (over rows); `pywt.dwt2` calls them cA, (cH, cV, cD):

    LL = cA    LH = cH (low over columns, high over rows)    HL = cV    HH = cD

Channel layout of the output: channel `4 * c + b` is sub-band `b` of input channel `c`, in the order
LL, LH, HL, HH. The export folds rely on it.

LL has the gain 2 for a constant (each one-dimensional low-pass has the sum sqrt 2), the others 0.
"""

from __future__ import annotations

import pywt
import torch
from torch import Tensor, nn
from torch.nn import functional

from hemx_core.errors import TrainingError

SUB_BANDS = ("LL", "LH", "HL", "HH")


class DWT2d(nn.Module):
    """One-level 2-D discrete wavelet transform: (N, C, H, W) to (N, 4 C, H / 2, W / 2).

    Equals `pywt.dwt2(image, wavelet, mode="periodization")`: the image is continued periodically,
    so the output has exactly half the size. A two-tap filter (Haar) never reaches past the border:
    it has no padding at all and is one grouped 2 x 2 convolution of stride 2.

    Args:
        wavelet: name of a discrete wavelet of `pywt.wavelist(kind="discrete")`.
        channels: C, fixed at construction so that the kernels are a constant of the graph.
        low_only: only LL, so the output has C channels.
    Raises:
        TrainingError: no such discrete wavelet.
    """

    weight: Tensor
    """Kernels of the grouped convolution, shape (bands * C, 1, taps, taps)."""

    def __init__(self, wavelet: str = "haar", *, channels: int = 1, low_only: bool = False) -> None:
        super().__init__()
        if wavelet not in pywt.wavelist(kind="discrete"):
            raise TrainingError(
                f"no discrete wavelet {wavelet!r}",
                expected="a name of pywt.wavelist(kind='discrete')",
                remedy="choose for example haar, db2, sym4 or bior2.2",
            )
        bank = pywt.Wavelet(wavelet)
        # conv2d is a cross-correlation: the filters are reversed. Outer product: (rows, columns).
        low = torch.tensor(bank.dec_lo, dtype=torch.float64).flip(0)
        high = torch.tensor(bank.dec_hi, dtype=torch.float64).flip(0)
        ll, lh = torch.outer(low, low), torch.outer(high, low)
        hl, hh = torch.outer(low, high), torch.outer(high, high)
        bands = torch.stack([ll] if low_only else [ll, lh, hl, hh]).float()
        self.register_buffer("weight", bands[:, None].repeat(channels, 1, 1, 1), persistent=False)
        self.wavelet = wavelet
        self.channels = channels
        self.bands = len(bands)
        self.taps = len(low)

    @property
    def filters(self) -> Tensor:
        """Kernels of the sub-bands of one channel, shape (bands, taps, taps)."""
        return self.weight[: self.bands, 0]

    def forward(self, image: Tensor) -> Tensor:
        """Transform (N, C, H, W) to (N, bands * C, H / 2, W / 2).

        Raises:
            TrainingError: H or W is odd, or the filter reaches round the image more than once.
        """
        height, width = image.shape[2:]
        border = self.taps // 2 - 1
        if height % 2 or width % 2 or border > min(height, width):
            raise TrainingError(
                f"a map of {height} x {width} for the {self.taps} taps of {self.wavelet}",
                expected=f"even sizes of at least {border}",
                remedy="choose a larger crop or a shorter wavelet",
            )
        if border:
            image = functional.pad(image, (border, border, border, border), mode="circular")
        return functional.conv2d(image, self.weight, stride=2, groups=self.channels)

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"{self.wavelet}, channels={self.channels}, bands={self.bands}"
