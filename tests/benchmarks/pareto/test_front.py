from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pareto.front import Candidate, dominators


def point(name: str, score: float, latency: float, memory: float) -> Candidate:
    return Candidate(name=name, score=score, latency_ms=latency, memory_mib=memory)


def test_better_in_one_figure_and_equal_in_the_others_dominates() -> None:
    base = point("base", 0.9, 20, 10)
    for other in (point("a", 0.91, 20, 10), point("b", 0.9, 19, 10), point("c", 0.9, 20, 9)):
        assert other.dominates(base)
        assert not base.dominates(other)


def test_a_trade_dominates_in_neither_direction() -> None:
    quick, right = point("quick", 0.8, 5, 10), point("right", 0.9, 20, 10)
    assert not quick.dominates(right)
    assert not right.dominates(quick)


def test_equal_points_are_both_on_the_front() -> None:
    found = dominators([point("a", 0.9, 20, 10), point("b", 0.9, 20, 10)])
    assert found == {"a": [], "b": []}


def test_who_dominates_is_told_best_score_first() -> None:
    found = dominators(
        [
            point("worst", 0.5, 50, 50),
            point("good", 0.8, 10, 10),
            point("best", 0.9, 20, 10),
            point("good too", 0.8, 9, 12),
        ]
    )
    assert found["worst"] == ["best", "good too", "good"]
    assert [name for name, several in found.items() if not several] == ["good", "best", "good too"]


def test_no_points_no_front() -> None:
    assert dominators([]) == {}


FIGURES = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=12)


@given(FIGURES)
def test_every_dominated_point_is_dominated_by_one_on_the_front(
    figures: list[tuple[int, int, int]],
) -> None:
    candidates = [point(str(i), *map(float, one)) for i, one in enumerate(figures)]
    found = dominators(candidates)
    front = {name for name, several in found.items() if not several}
    assert front
    assert all(set(several) & front for name, several in found.items() if name not in front)
