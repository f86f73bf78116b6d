// The query of the review: which samples, in which order. The address bar holds what differs from the defaults.
export const FIELDS = ['state', 'label', 'method', 'order', 'model', 'word', 'reviewer', 'since', 'until', 'score', 'low', 'high', 'cluster'];
export const MORE_FIELDS = FIELDS.slice(4); // behind "More filters"
const DEFAULTS = { state: 'pending', order: 'queue' };
const SPEAK_FOR_THEMSELVES = new Set(['state', 'label', 'method', 'order', 'word']);

export function defaultOf(name) { return DEFAULTS[name] ?? ''; }

// The fields that differ from their defaults.
export function changed(query) {
  return Object.fromEntries(Object.entries(query).filter(([name, value]) => value !== defaultOf(name)));
}

// In words, e.g. "newest, surface=gravel, low 0.5"; "" for the whole queue.
export function described(query) {
  return Object.entries(changed(query)).map(([name, value]) => (SPEAK_FOR_THEMSELVES.has(name) ? value : `${name} ${value}`)).filter(Boolean).join(', ');
}

// The search part of the address, with its question mark; "" for the whole queue.
export function searchOf(query, { grid = false } = {}) {
  const told = grid ? { view: 'grid', ...nonEmpty(query) } : changed(query);
  const search = String(new URLSearchParams(told));
  return search && `?${search}`;
}

// The name of the stored queue that asks the same; "" for none.
export function queueNameOf(query, queues) {
  const wanted = canonical(changed(query));
  return Object.keys(queues).find((name) => canonical(queues[name]) === wanted) ?? '';
}

function nonEmpty(query) { return Object.fromEntries(Object.entries(query).filter(([, value]) => value)); }

function canonical(query) { return JSON.stringify(Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1))); }
