// What an action of the page means where the reviewer stands: the same key decides on one image, on the
// selected ones of the grid or of the similar images, or on everything that matches the filters.
const READER_ACTIONS = new Set(['name', 'mask', 'before', 'zoom', 'grid', 'all', 'help', 'skip', 'filters', 'clear', 'alike', 'similar', 'more']);
const SINGLE_IMAGE_ACTIONS = new Set(['mask', 'before', 'zoom', 'again', 'flag']);

// Returns { name, verdict, reason } of what to do, or undefined where the action does not apply.
export function resolveAction(action, { reader = false, gridOpen = false, everything = false, similarOpen = false }) {
  if (reader && !READER_ACTIONS.has(action)) return undefined;
  const verdict = verdictOf(action);
  if (similarOpen) {
    if (action === 'similar') return { name: 'similar' };
    if (action === 'all') return { name: 'allSimilar' };
    return verdict && verdict.verdict !== 'skip' ? { name: 'decideSimilar', ...verdict } : undefined;
  }
  if (gridOpen) {
    if (action === 'skip' || SINGLE_IMAGE_ACTIONS.has(action)) return undefined;
    if (verdict) return { name: everything ? 'decideEverything' : 'decideSelected', ...verdict };
    return { name: action };
  }
  if (action === 'others') return undefined;
  if (action === 'reason:other') return { name: 'comment' };
  return verdict ? { name: 'decide', ...verdict } : { name: action };
}

function verdictOf(action) {
  if (action.startsWith('reason:')) return { verdict: 'reject', reason: action.slice('reason:'.length) };
  return ['accept', 'reject', 'skip'].includes(action) ? { verdict: action, reason: null } : undefined;
}
