"""The runs of a library: which plans are rendered, paused or finished, and how much is left of them."""

from __future__ import annotations

from pipeline.services.plans.refill import replacing_plan
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
    rendered_elsewhere = _plans_of_run(library, work.plan if work else "")
    rendered_here = _plans_of_run(library, progress.recipe if progress.state in _LIVE else "")
    runs = [
        _listed(
            library,
            plan,
            progress,
            is_live=_is_among(plan, rendered_here),
            is_rendered=_is_among(plan, rendered_elsewhere),
        )
        for plan in library.plans.progress(most=_MOST)
    ]
    if progress.state is RunState.IDLE or any(run.name == progress.recipe for run in runs):
        return runs
    not_stored = ListedRun(
        name=progress.recipe, state=progress.state, done=progress.done, total=progress.total
    )
    return [not_stored, *runs]


def _plans_of_run(library: Library, run: str) -> tuple[str, str]:
    """Return the plans that a run renders: its own, and the one that replaces samples of it; "" for no run."""
    return run, replacing_plan(library, run) if run else ""


def _is_among(plan: PlanProgress, plans: tuple[str, str]) -> bool:
    """Whether a plan is that of a run, or what is left of the one that replaces samples of it."""
    own, replacing = plans
    left = plan.plan.specs - plan.rendered
    return plan.plan.name == own or (plan.plan.name == replacing and left > plan.failed)


def _listed(
    library: Library, plan: PlanProgress, progress: RunProgress, *, is_live: bool, is_rendered: bool
) -> ListedRun:
    """Describe a run.

    Args:
        is_live: whether it is the latest run of this process, which is not over.
        is_rendered: whether another process renders it.
    """
    name, left = plan.plan.name, plan.plan.specs - plan.rendered
    is_latest = is_live and progress.recipe == name
    if is_live:
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
