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

// What changes decisions, and what concerns so many images that the server takes long.
const BULK = ['decideEverything', 'others'];
const CHANGES = new Set(['undo', 'decide', 'comment', 'flag', 'decideSelected', 'decideSimilar', ...BULK]);
const IN_TURN = new Set(['undo', ...BULK]);

// Why what is asked for must wait, since the server could store it first; '' where it need not. `undoing`: the last
// decision of an earlier visit is being taken back, whichever that is. `bulk`: a decision on many images is under way.
export function reasonToWait(name, { undoing, bulk }) {
  if (undoing && CHANGES.has(name)) return 'The last decision is still being taken back; its image comes next.';
  return bulk && IN_TURN.has(name) ? 'The step on many images is still under way; press again when it is done.' : '';
}

function verdictOf(action) {
  if (action.startsWith('reason:')) return { verdict: 'reject', reason: action.slice('reason:'.length) };
  return ['accept', 'reject', 'skip'].includes(action) ? { verdict: action, reason: null } : undefined;
}
