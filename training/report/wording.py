"""Phrases that both reports share."""

from __future__ import annotations

from pipeline.domain.studies import SEEDS_FOR_A_CLAIM, Network, TimmNetwork, named_network
from training.study.result import ArmResult, ComparisonResult, IntervalFields, OtherNetwork, StudyResult


def percent_interval(rate: IntervalFields) -> str:
    """Write a rate as '71.2 % (68.0 to 74.4)'; only the mean where one seed gives no interval."""
    mean = f"{100 * rate['mean']:.1f} %"
    if rate["low"] is None or rate["high"] is None:
        return mean
    return f"{mean} ({100 * rate['low']:.1f} to {100 * rate['high']:.1f})"


def points_interval(comparison: ComparisonResult) -> str:
    """Write a difference as '+6.2 (+4.1 to +8.3)' in percentage points."""
    return signed_points(
        {"mean": comparison["difference"], "low": comparison["low"], "high": comparison["high"]}
    )


def signed_points(difference: IntervalFields) -> str:
    """Write a difference of rates as '+6.2 (+4.1 to +8.3)' in percentage points."""
    mean = f"{100 * difference['mean']:+.1f}"
    if difference["low"] is None or difference["high"] is None:
        return mean
    return f"{mean} ({100 * difference['low']:+.1f} to {100 * difference['high']:+.1f})"


_SIMILAR = 0.5  # Kendall's tau from which two orders of the arms are called similar
MEASURE_TITLES = (
    "accuracy",
    "macro-F1",
    "worst class",
    "calibration error, points",
    "Brier score",
    "log loss",
)


def measure_cells(arm: ArmResult) -> tuple[str, ...]:
    """Write the measures of an arm in the order of `MEASURE_TITLES`."""
    measures = arm["measures"]
    return (
        f"{100 * arm['accuracy']['mean']:.1f} %",
        f"{100 * measures['macro_f1']:.1f} %",
        f"{100 * measures['worst_class']:.1f} %",
        f"{100 * measures['ece']:.1f}",
        f"{measures['brier']:.3f}",
        f"{measures['nll']:.3f}",
    )


def image_counts(arm: ArmResult) -> str:
    """Write the counts by origin as '96 real + 200 synthetic'."""
    return " + ".join(f"{count} {origin}" for origin, count in arm["counts"].items() if count)


def explain_tests(result: StudyResult) -> str:
    """Explain intervals, p values and equality in one paragraph."""
    smallest = result["comparisons"][0]["smallest_p"]
    too_few = " Fewer than six seeds can never reach p < 0.05." if len(result["seeds"]) < 6 else ""
    return (
        "A claim needs both p values below 0.05. Over seeds: exact two-sided paired sign-flip test over all sign "
        "patterns; "
        f"the smallest p that these seeds can reach is {smallest:.4f}.{too_few} Over seeds and photos: t test with the "
        "variance over seeds and over other test photos, of which those of one object are drawn together. Both are "
        "corrected for the number of comparisons (step-down max-T); the intervals are not, they cover seeds and "
        "photos. "
        f"Equal: the 90 % interval lies within ±{100 * result['margin']:g} points (two one-sided tests)."
    )


def p_value(p: float | None) -> str:
    """Write a p value with four decimals; a dash where there is none."""
    return "–" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def conclusion(comparison: ComparisonResult) -> str:
    """Say what a comparison shows."""
    if comparison["of"] < SEEDS_FOR_A_CLAIM:
        return "too few seeds"
    if comparison["significant"]:
        return "better" if comparison["difference"] > 0 else "worse"
    return "equal" if comparison["equivalent"] else "no significant difference"


def network_sentence(other: OtherNetwork) -> str:
    """Say what another network shows, and whether it puts the arms in the same order."""
    agreement = other["agreement"]
    order = (
        ""
        if agreement is None
        else f" It puts the arms in {_order(agreement)} (Kendall's τ = {agreement:.2f})."
    )
    warning = f" {other['warning']}" if other.get("warning") else ""
    return f"With another network ({_network(other['network'])}): {other['verdict']}{order}{warning}"


def _order(agreement: float) -> str:
    if agreement == 1:
        return "the same order"
    if agreement >= _SIMILAR:
        return "a similar order"
    return "nearly the reverse order" if agreement <= -_SIMILAR else "another order"


def accuracy_with(other: OtherNetwork, name: str) -> str:
    """Write what an arm reaches with another network; a dash where it was not trained."""
    found = [arm["balanced_accuracy"] for arm in other["arms"] if arm["arm"] == name]
    return percent_interval(found[0]) if found else "–"


def setting_lines(result: StudyResult) -> list[tuple[str, str]]:
    """List what was trained, on what and for how long, as pairs of name and value."""
    settings, machine = result["settings"], result["machine"]
    seeds = ", ".join(str(seed) for seed in result["seeds"])
    run_time = sum(arm["seconds"] for arm in result["arms"]) / len(result["arms"])
    return [
        ("data set", result["dataset"]),
        ("test photos", f"{sum(result['test_counts'].values())} from {result['test']}"),
        ("seeds", f"{len(result['seeds'])} ({seeds})"),
        ("network", f"{_network(settings['network'])}, images of {settings['image_size']} px"),
        ("training", f"{settings['steps']} steps of {settings['batch']} images"),
        (
            "optimiser",
            f"AdamW, learning rate {settings['lr']:g} (cosine), weight decay {settings['weight_decay']:g}",
        ),
        ("augmentation", settings["augmentation"]),
        ("precision", settings["precision"]),
        *(
            [("devices", f"{settings['devices']}, each with its part of every batch")]
            if "devices" in settings
            else []
        ),
        ("time", f"{run_time:.1f} s per arm and seed"),
        ("machine", f"{machine['cpu']}; {machine['device']}; torch {machine['torch']}"),
    ]


def _network(name: str) -> str:
    network = named_network(name)
    if network is Network.PROBE:
        return "a linear layer on the features of EfficientNet-Lite0, pretrained on ImageNet"
    if network is Network.LITE0:
        return "EfficientNet-Lite0 pretrained on ImageNet, all layers trained"
    if isinstance(network, TimmNetwork) and network.pretrained:
        return f"timm/{network.name} with pretrained weights, all layers trained"
    return f"{network}, no pretrained weights"
