import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms import PhantomSpec, make_phantom, random_site, random_spec


def drawn_markers(spec: PhantomSpec) -> list[bool]:
    lesion = spec.lesion
    assert lesion is not None
    blend = lesion.blend is not None and lesion.blend.contrast_hu > 15
    return [bool(lesion.hypodensities), lesion.lobes > 0, blend, lesion.fluid_level is not None]


@pytest.fixture(scope="module")
def specs() -> list[PhantomSpec]:
    rng = np.random.default_rng(8)
    return [random_spec(rng, matrix=96, slices=20) for _ in range(400)]


def test_the_same_generator_draws_the_same_phantom() -> None:
    one, two = (random_spec(np.random.default_rng(4)) for _ in range(2))
    assert one == two
    assert one != random_spec(np.random.default_rng(5))


def test_every_marker_has_many_positives_and_negatives(specs: list[PhantomSpec]) -> None:
    share = np.mean([drawn_markers(spec) for spec in specs], axis=0)
    assert ((share > 0.25) & (share < 0.5)).all(), share


def test_markers_are_nearly_independent(specs: list[PhantomSpec]) -> None:
    drawn = np.array([drawn_markers(spec) for spec in specs], float)
    correlation = np.corrcoef(drawn.T)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 0.25, correlation


def test_contrasts_keep_clear_of_the_thresholds(specs: list[PhantomSpec]) -> None:
    blends = [spec.lesion.blend.contrast_hu for spec in specs if spec.lesion and spec.lesion.blend]
    assert all(value >= 22 or value <= 12 for value in blends)
    assert min(blends) <= 12, "distractors are there"
    holes = [hole for spec in specs if spec.lesion for hole in spec.lesion.hypodensities]
    assert all(32 <= hole.contrast_hu <= 40 for hole in holes if hole.sharp)


def test_on_threshold_puts_contrasts_on_the_limits() -> None:
    rng = np.random.default_rng(2)
    wanted = {"hypodensity": True, "blend": True, "fluid_level": False}
    for _ in range(20):
        lesion = random_spec(rng, markers=wanted, on_threshold=True).lesion
        assert lesion is not None
        assert lesion.blend is not None
        assert 17 <= lesion.blend.contrast_hu <= 19
        assert all(26 <= one.contrast_hu <= 30 for one in lesion.hypodensities if one.sharp)


def test_what_is_asked_for_is_drawn() -> None:
    rng = np.random.default_rng(1)
    markers = dict.fromkeys(MARKER_CODES, False)
    spec = random_spec(rng, location="thalamus", side="right", volume_ml=9.0, markers=markers)
    assert spec.lesion is not None
    assert (spec.lesion.location, spec.lesion.side) == ("thalamus", "right")
    assert spec.lesion.volume_ml == 9.0
    assert drawn_markers(spec) == [False] * 4
    assert random_spec(rng, lesion_probability=0.0).lesion is None


def test_unknown_markers_are_refused() -> None:
    with pytest.raises(VolumeError, match="swirl"):
        random_spec(np.random.default_rng(0), markers={"swirl": True})


def test_random_sites_differ_and_keep_their_size() -> None:
    rng = np.random.default_rng(0)
    sites = [random_site(rng, matrix=160, slices=12) for _ in range(6)]
    assert len({site.noise_sd_hu for site in sites}) == 6
    assert {(site.matrix, site.slices) for site in sites} == {(160, 12)}


def test_made_phantoms_mostly_show_what_was_drawn() -> None:
    rng = np.random.default_rng(5)
    agree = []
    for _ in range(5):
        spec = random_spec(rng, matrix=96, slices=20)
        agree.append(np.array(drawn_markers(spec)) == make_phantom(spec).patient_markers)
    assert np.mean(agree) >= 0.9
