// What a click or a key on the overview means, and the sentences of its bar.
const TEXT_FIELDS = 'input:not([type=checkbox]), textarea, select, [contenteditable]';

// What a click on a tile does: 'range', 'toggle' or 'open'. `selecting`: the button "Select" is pressed.
export function actionOfClick(event, { onBox = false, selecting = false, mayChange = true } = {}) {
  if (!mayChange) return 'open';
  if (event.shiftKey) return 'range';
  if (event.ctrlKey || event.metaKey || onBox || selecting) return 'toggle';
  return 'open';
}

// What a key does anywhere on the page while the overview is shown: 'all', 'escape' or ''.
export function actionOfPageKey(event) {
  if (event.composedPath()[0].closest?.(TEXT_FIELDS)) return event.key === 'Escape' ? 'escape' : '';
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (command && event.key.toLowerCase() === 'a') return 'all';
  return event.key === 'Escape' ? 'escape' : '';
}

// The place of the tile that an arrow, Home or End leads to from the tile `at`; undefined for another key or the edge.
export function placeAfterKey(key, at, { across, count }) {
  const place = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: count - 1 }[key];
  return place >= 0 && place < count ? place : undefined;
}

export function counted(number, noun) {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

export function deleteQuestion(photos, samples) {
  const stay = samples ? ` ${counted(samples, 'synthetic image')} that came of them ${samples === 1 ? 'stays' : 'stay'}.` : '';
  return `Delete ${counted(photos, 'photo')}? This cannot be undone.${stay}`;
}

// The sentence of the banner about the demo set, '' for none: `demo` of `total` photos are rendered.
export function demoSentence(demo, total) {
  if (!demo) return '';
  if (demo === total) return 'This is a demo set of rendered parts.';
  return `${counted(demo, 'photo')} of the demo set ${demo === 1 ? 'is' : 'are'} beside your own.`;
}

// '61–120 of 156'; '' where there are none.
export function rangeText(first, shown, count) {
  return shown ? `${(first + 1).toLocaleString('en')}–${(first + shown).toLocaleString('en')} of ${count.toLocaleString('en')}` : '';
}
