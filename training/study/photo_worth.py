"""Phrases for what an arm is worth in real photos, which a study and its reports share. Pure."""

from __future__ import annotations

from training.study.result import EquivalentPhotos, PhotoCount, PhotoRange


def worth_sentence(arm: EquivalentPhotos) -> str:
    """Say how many real photos the images of an arm are worth, with the 95 % interval."""
    worth = arm["additional"]
    estimate, low, high = worth["estimate"], worth["low"], worth["high"]
    kind = "additional real photos" if arm["real"] else "real photos"
    if low is not None and high is not None and (low["beyond"], high["beyond"]) == ("fewer", "more"):
        return (
            f"{arm['title']}: how many {kind} {_subject(arm)} worth cannot be told; the 95 % interval reaches from "
            f"{photo_count(low)} to {photo_count(high)}."
        )
    if round(estimate["photos"]) < 0:
        more_than = "more than " if estimate["beyond"] == "fewer" else ""
        return (
            f"{arm['title']}: {_subject(arm)} worth no {kind}; leaving out {more_than}{-estimate['photos']:,.0f} "
            f"of the {arm['real']:,} photos costs as much accuracy{_interval_note(worth)}."
        )
    is_unsure = arm["real"] > 0 and low is not None and low["photos"] <= 0
    unsure = "; that they gain anything is not certain" if is_unsure else ""
    return f"{arm['title']}: {_subject(arm)} worth {photo_count(estimate)} {kind}{_interval_note(worth)}{unsure}."


def photo_range(worth: PhotoRange) -> str:
    """Write numbers of photos as '35 (24 to more than 192)'; only the estimate where one seed gives no interval."""
    low, high = worth["low"], worth["high"]
    estimate = photo_count(worth["estimate"])
    return (
        estimate if low is None or high is None else f"{estimate} ({photo_count(low)} to {photo_count(high)})"
    )


def photo_count(count: PhotoCount) -> str:
    """Write a number of photos as '35', '−4', 'fewer than 12' or 'more than 192'."""
    whole = round(count["photos"])
    number = f"−{-whole:,}" if whole < 0 else f"{whole:,}"
    return f"{count['beyond']} than {number}" if count["beyond"] else number


def _subject(arm: EquivalentPhotos) -> str:
    """Name what is valued, with its verb."""
    if not arm["synthetic"]:
        return f"this use of {arm['real']:,} real photos is"
    beside = f" beside {arm['real']:,} real photos" if arm["real"] else ""
    return f"{arm['synthetic']:,} synthetic images{beside} are"


def _interval_note(worth: PhotoRange) -> str:
    low, high = worth["low"], worth["high"]
    if low is None or high is None:
        return ""
    return f" (95 % interval {photo_count(low)} to {photo_count(high)})"
