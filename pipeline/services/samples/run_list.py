"""The runs of a library: which plans are rendered, paused or finished, and how much is left of them."""

from __future__ import annotations

from pipeline.services.plans.refill import novelty_name
from pipeline.services.reports import ListedRun, RunProgress, RunState
from pipeline.store import Library, PlanProgress

_MOST = 50  # runs in the list
_TIMED_SAMPLES = 40
_LIVE = (RunState.LOADING, RunState.RUNNING, RunState.FAILED)  # which only the process that runs it knows


def listed_runs(library: Library, progress: RunProgress) -> list[ListedRun]:
    """List the runs of a library, the latest first.

    Plans whose samples were imported or made one by one are no runs. A run that another process of this machine renders
    is listed as running.

    Args:
        progress: of the latest run of this process.
    """
    work = library.present_work()
    rendered_elsewhere = work.plan if work else ""
    runs = [
        _listed(library, plan, progress, is_rendered=_is_of_run(plan, rendered_elsewhere))
        for plan in library.plans.progress(most=_MOST)
    ]
    if progress.state is RunState.IDLE or any(run.name == progress.recipe for run in runs):
        return runs
    not_stored = ListedRun(
        name=progress.recipe, state=progress.state, done=progress.done, total=progress.total
    )
    return [not_stored, *runs]


def _is_of_run(plan: PlanProgress, run: str) -> bool:
    """Whether a run renders a plan: its own, or what is left of the one that replaces samples of it."""
    left = plan.plan.specs - plan.rendered
    return plan.plan.name == run or (plan.plan.name == novelty_name(run) and left > plan.failed)


def _listed(library: Library, plan: PlanProgress, progress: RunProgress, *, is_rendered: bool) -> ListedRun:
    name, left = plan.plan.name, plan.plan.specs - plan.rendered
    is_latest = progress.recipe == name
    if _is_of_run(plan, progress.recipe) and progress.state in _LIVE:
        state = progress.state
    elif is_rendered:
        state = RunState.RUNNING
    else:
        state = RunState.PAUSED if left > plan.failed else RunState.DONE
    seconds = progress.seconds_left if is_latest else None
    if left and seconds is None:
        each = library.plans.mean_seconds(name, of=_TIMED_SAMPLES)
        seconds = None if each is None else each * left
    return ListedRun(
        name=name,
        state=state,
        done=plan.rendered,
        total=plan.plan.specs,
        failed=plan.failed,
        seconds_left=seconds if left else None,
        updated_at=plan.plan.updated_at,
    )
