"""Batches for the linear probe: cached features in place of images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from training.data.arm_data import ArmData
from training.data.datamodule import ArmDataModule, Batch, step_seed
from training.data.images import LabelledImages
from training.data.resampling import poisson_bootstrap
from training.fit.features import FeatureCache, View


class ProbeDataModule(ArmDataModule):
    """Serves the features of one arm; a seed also draws which of the arm's images are trained on (bootstrap).

    A linear layer reaches nearly the same end from any start. What varies between its runs is therefore the training
    set: that is the uncertainty which the seeds of a study have to show.
    """

    def __init__(
        self,
        data: ArmData,
        test: LabelledImages,
        *,
        steps: int,
        batch_size: int,
        seed: int,
        interval: int,
        cache: FeatureCache,
        strong: bool = False,
    ) -> None:
        super().__init__(
            data, test, steps=steps, batch_size=batch_size, seed=seed, interval=interval, strong=strong
        )
        view = View.STRONG if self.strong else View.LIGHT
        self.features = cache.features(data.images.images, view)
        self.test_features = cache.features(test.images, View.PLAIN)[:, 0]

    def _order(self, *, count: int) -> NDArray[np.int64]:
        images = self.data.images
        drawn = poisson_bootstrap(images.labels, images.origins, images.sources, seed=self.seed)
        return self._order_of(drawn, count=count)

    def batch(self, step: int) -> Batch:
        """Build the batch of one step: a random view of each image, (B, 1280) float32, and the labels."""
        chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        views = np.random.default_rng(step_seed(self.seed, step)).integers(
            0, self.features.shape[1], len(chosen)
        )
        features = torch.from_numpy(self.features[chosen, views].astype(np.float32))
        return features, torch.from_numpy(self.data.images.labels[chosen])

    def val_dataloader(self) -> DataLoader[Batch]:
        """Serve the features of all test photos as one batch."""
        features = torch.from_numpy(self.test_features.astype(np.float32))
        whole = _WholeTest((features, torch.from_numpy(self.test.labels)))
        return DataLoader(whole, batch_size=None, num_workers=0)


class _WholeTest(Dataset[Batch]):
    """The test photos as a single batch."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return 1

    def __getitem__(self, position: int) -> Batch:
        return self.batch
