import torch

from training.data.augment import lightly_augmented, strongly_augmented


def ramp(side: int = 12) -> torch.Tensor:
    """(8, 3, side, side): each column has its own grey level."""
    return (torch.arange(side, dtype=torch.uint8) * 10).expand(8, 3, side, side).contiguous()


def test_light_augmentation_mirrors_and_shifts_by_one_in_twelve_at_most() -> None:
    augmented = lightly_augmented(ramp(), torch.Generator().manual_seed(0))
    straight, mirrored = torch.arange(12) * 10, torch.arange(11, -1, -1) * 10
    for image in augmented:
        row = image[0, 5].int()
        assert min((row - straight).abs().max(), (row - mirrored).abs().max()) <= 10
    assert len({tuple(image[0, 5].tolist()) for image in augmented}) > 2


def test_light_augmentation_leaves_its_input_alone() -> None:
    images = ramp()
    lightly_augmented(images, torch.Generator().manual_seed(0))
    assert torch.equal(images, ramp())


def test_strong_augmentation_changes_images_but_not_the_global_generator() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    augmented = strongly_augmented(ramp(), seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(augmented, strongly_augmented(ramp(), seed=3))
    assert not torch.equal(augmented, ramp())
