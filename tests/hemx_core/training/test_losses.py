import math

import torch

from hemx_core.training.losses import positive_weights, weighted_bce


def test_weights_are_negatives_over_positives_capped_and_blind_to_unknowns() -> None:
    labels = torch.tensor([[1, 1, 0, -1], [0, 0, 0, 1], [0, 0, 0, 1], [0, -1, 0, 1]])
    labels = torch.cat([labels, torch.tensor([[0, 0, 0, -1]] * 20)])
    assert positive_weights(labels, cap=10).tolist() == [10.0, 10.0, 1.0, 0.10000000149011612]
    assert positive_weights(labels, cap=100)[:2].tolist() == [23.0, 22.0]


def test_equals_equation_2_worked_out_by_hand() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    labels = torch.tensor([[1, 0], [0, 1]])
    weights = torch.tensor([3.0, 0.5])

    def p(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    terms = [3 * math.log(p(0)), math.log(1 - p(2)), math.log(1 - p(1)), 0.5 * math.log(p(-1))]
    torch.testing.assert_close(
        weighted_bce(logits, labels, weights), torch.tensor(-sum(terms) / 4), rtol=1e-5, atol=0
    )


def test_unknown_labels_count_neither_in_the_sum_nor_in_the_mean() -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    labels = torch.tensor([[1, -1], [0, -1], [-1, -1]])
    loss = weighted_bce(logits, labels, torch.ones(2))
    torch.testing.assert_close(loss, weighted_bce(logits[:2, :1], labels[:2, :1], torch.ones(1)))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[:, 1].tolist() == [0, 0, 0]


def test_nothing_known_is_zero_not_nan() -> None:
    loss = weighted_bce(torch.randn(2, 4), torch.full((2, 4), -1), torch.ones(4))
    assert loss.item() == 0
