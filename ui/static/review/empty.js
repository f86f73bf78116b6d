// What the page says when there is no image to decide about: a title, a text, and what to do next
// ('again', 'whole queue', 'publish' or 'generate').
export function emptyState({ skipped, problem, filtered, left, decided }) {
  if (problem) return { title: 'This queue cannot be opened', text: problem, next: 'whole queue' };
  if (skipped) return { title: 'Only skipped images are left', text: '', next: 'again' };
  if (left > 0 && filtered) return { title: 'Nothing is left in this queue', text: 'Other reviewers may have some of its images; those that they do not decide come back after a few minutes.', next: 'whole queue' };
  if (left > 0) return { title: 'Other reviewers have the rest', text: 'Images that they do not decide come back after a few minutes.', next: 'again' };
  if (decided) return { title: 'All reviewed', text: 'The accepted images are ready to be published.', next: 'publish' };
  return { title: 'Nothing to review', text: 'No synthetic image is waiting for a decision. Generate some first.', next: 'generate' };
}
