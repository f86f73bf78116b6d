"""One run on several devices: Lightning's DDP in processes that end with the run.

Lightning's own launchers would run the whole command once a device, or give neither progress nor errors back. Here a
study goes on in its own process, which alone writes results; each worker trains on its part of every batch.
"""

from __future__ import annotations

import copy
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from lightning.pytorch import seed_everything
from torch.multiprocessing import start_processes

from pipeline.errors import InvalidRequest, StudioError
from training.data.datamodule import ArmDataModule
from training.fit.classifier import Classifier, Diverged, Point
from training.fit.trainer import build_trainer, checkpoint_path, last_checkpoint, quiet_lightning

_WAIT_S = 0.2  # between two looks at the workers
_GRACE_S = 5.0  # for workers to end after one has failed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What every worker is told."""

    module: Classifier
    batches: ArmDataModule
    seed: int
    checkpoints: Path
    threads: int  # of each worker
    port: int
    results: Connection  # points of the curve, or the error that ended the run


def refuse_missing_devices(count: int) -> None:
    """Make sure that this machine has so many devices; without a GPU they are processes, of any number.

    Raises:
        InvalidRequest: it has fewer.
    """
    has_cuda = torch.cuda.is_available()
    present = torch.cuda.device_count() if has_cuda else 1 if torch.backends.mps.is_available() else count
    if count > present:
        raise InvalidRequest(
            f"{count} devices are asked for and this machine has {present} GPU{'s' * (present != 1)}; lower --devices"
        )


def fit_on_devices(
    module: Classifier, batches: ArmDataModule, *, seed: int, checkpoints: Path | None
) -> None:
    """Train a classifier as `Trainer.fit` does, on `module.options.devices` devices at a time.

    Args:
        module: holds weights, curve and predictions afterwards.
        checkpoints: as for `fit`.

    Raises:
        Diverged: the loss is no longer finite.
        InvalidRequest: a checkpoint cannot be written.
        KeyboardInterrupt: stopped by the user.
    """
    with TemporaryDirectory() as temporary:
        folder = checkpoints or Path(temporary)
        _run_workers(module, batches, seed=seed, checkpoints=folder)
        state = torch.load(checkpoint_path(folder), map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    module.on_load_checkpoint(state)


def _run_workers(module: Classifier, batches: ArmDataModule, *, seed: int, checkpoints: Path) -> None:
    receiver, sender = get_context("spawn").Pipe(duplex=False)
    on_point, module.on_point = module.on_point, None  # it stays in this process
    count = module.options.devices
    job = _Job(
        module=module,
        batches=batches,
        seed=seed,
        checkpoints=checkpoints,
        threads=max(1, torch.get_num_threads() // count),
        port=_free_port(),
        results=sender,
    )
    workers = start_processes(  # daemons end with this process, also where it is interrupted while they start
        _work, args=(job,), nprocs=count, join=False, daemon=True, start_method="spawn"
    )
    assert workers is not None
    module.on_point = on_point
    try:
        while not workers.join(timeout=_WAIT_S, grace_period=_GRACE_S):
            _hand_on(receiver, on_point)
    except (torch.multiprocessing.ProcessRaisedException, torch.multiprocessing.ProcessExitedException):
        _hand_on(receiver, on_point)  # raises what was refused; anything else is a bug
        raise
    finally:
        for process in workers.processes:
            process.kill()  # where this process was interrupted; a checkpoint is renamed when it is whole
            process.join()
    _hand_on(receiver, on_point)


def _hand_on(results: Connection, on_point: Callable[[Point], None] | None) -> None:
    while results.poll():
        result = results.recv()
        if isinstance(result, Exception):
            raise result
        if on_point:
            on_point(result)


def _work(rank: int, job: _Job) -> None:
    """Train in one of the processes."""
    count = job.module.options.devices
    os.environ |= {"LOCAL_RANK": str(rank), "NODE_RANK": "0", "WORLD_SIZE": str(count)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(job.port)}
    torch.set_num_threads(job.threads)
    seed_everything(job.seed, workers=True, verbose=False)
    module = copy.deepcopy(job.module)  # the processes would share its memory
    module.on_point = job.results.send if rank == 0 else None
    try:
        with quiet_lightning():
            trainer = build_trainer(module.options, job.checkpoints)
            trainer.fit(module, datamodule=job.batches, ckpt_path=last_checkpoint(job.checkpoints))
    except (Diverged, StudioError) as error:
        job.results.send(error)
        raise
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
