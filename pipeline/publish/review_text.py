"""How the samples of a release were reviewed, in sentences for its card."""

from __future__ import annotations

from pipeline.domain.release import ReviewFacts
from pipeline.publish.markup import plain


def review_text(review: ReviewFacts, *, rejected: bool = False) -> str:
    """Describe how the samples were decided.

    Args:
        review: the counts of decisions.
        rejected: whether the release holds the rejected samples too.
    """
    if not review.decided:
        return "There were no synthetic images to review."
    sentences = [
        _decided(review),
        "The rejected ones are in the configuration `rejected` and in no other."
        if rejected
        else "Only accepted ones are in this release.",
    ]
    if review.pending:
        sentences.append(f"{review.pending:,} more were undecided and are not in this release.")
    if review.agreement is not None:
        sentences.append(
            f"{review.shared:,} samples were reviewed by two people or more; their agreement is "
            f"{review.agreement:.2f} (Krippendorff's alpha: 1 is full agreement, 0 is chance)."
        )
    if review.reasons:
        reasons = sorted(review.reasons.items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{plain(reason)} ({count:,})" for reason, count in reasons)
        sentences.append(f"Reasons for rejection: {listed}.")
    return " ".join(sentences)


def _decided(review: ReviewFacts) -> str:
    share = f"{review.acceptance:.0%}" if review.decided_here else ""
    if share and review.accepted_by_release:
        share += f" of the {review.decided_here:,} decided here"
    accepted = f"{review.accepted:,} were accepted{f' ({share})' if share else ''}"
    return f"{review.decided:,} samples were decided {_deciders(review)}; {accepted}."


def _deciders(review: ReviewFacts) -> str:
    people = review.accepted_by_people + review.rejected_by_people
    gates = review.accepted_by_gates + review.rejected_by_gates
    imported = review.accepted_by_release
    auto_reviewer = review.decided - people - gates - imported
    ways = (
        (people, f"by people ({review.reviewers} reviewer{'s' * (review.reviewers != 1)})"),
        (gates, "by the quality gates alone"),
        (auto_reviewer, "by the auto-reviewer alone, a model that learned from the reviewers"),
        (imported, "in an earlier release that was imported; its card says how"),
    )
    used = [(count, way) for count, way in ways if count]
    text = used[0][1] if len(used) == 1 else ", ".join(f"{count:,} {way}" for count, way in used)
    if not people and not imported:
        text += ": **no person has reviewed the synthetic images**"
    return text
