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
    unsure = "; a gain is not certain" if is_unsure else ""
    return f"{arm['title']}: {_subject(arm)} worth {photo_count(estimate)} {kind}{_interval_note(worth)}{unsure}."


def photo_range(worth: PhotoRange) -> str:
    """Write numbers of photos as '35 (24 to > 192)', for tables; only the estimate where there is no interval."""
    low, high = worth["low"], worth["high"]
    estimate = _signed(worth["estimate"])
    return estimate if low is None or high is None else f"{estimate} ({_signed(low)} to {_signed(high)})"


def photo_count(count: PhotoCount) -> str:
    """Write a number of photos as '35', '−4', 'fewer than 12' or 'more than 192', for sentences."""
    return f"{count['beyond']} than {_number(count)}" if count["beyond"] else _number(count)


def _signed(count: PhotoCount) -> str:
    sign = {"": "", "fewer": "< ", "more": "> "}[count["beyond"]]
    return sign + _number(count)


def _number(count: PhotoCount) -> str:
    whole = round(count["photos"])
    return f"−{-whole:,}" if whole < 0 else f"{whole:,}"


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
    if worth["estimate"]["beyond"] and photo_count(low) == photo_count(high):
        return " (over the whole 95 % interval)"
    return f" (95 % interval {photo_count(low)} to {photo_count(high)})"
