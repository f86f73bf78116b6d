// Which action a key press asks for, in the widgets that have fixed keys.
const TEXT_FIELDS = 'input, textarea, select, [contenteditable]';

// `keys` maps a key in lower case to an action; with Ctrl or Cmd it is written 'ctrl+z', with Shift too 'ctrl+shift+z'.
// Keys in text fields, other shortcuts of the browser and, but for the `repeated` actions, held keys do nothing.
export function actionIn(keys, event, repeated = []) {
  if (event.altKey || event.composedPath()[0].closest?.(TEXT_FIELDS)) return '';
  const chord = event.ctrlKey || event.metaKey ? `ctrl+${event.shiftKey ? 'shift+' : ''}` : '';
  const action = keys[chord + event.key.toLowerCase()] ?? '';
  return event.repeat && !repeated.includes(action) ? '' : action;
}
