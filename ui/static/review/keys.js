// Which key does what. Changes are stored in this browser.
export const ACTIONS = {
  accept: 'accept', reject: 'reject', skip: 'skip; it comes back later', undo: 'undo; press again for earlier decisions',
  mask: 'show the mask: what was kept of the photo', before: 'show the photo, moved as the object was; drag to compare',
  zoom: 'show one image pixel per screen pixel', again: 'generate the same placement with a new seed',
  flag: 'flag for discussion', similar: 'show the most similar images; decide on them together',
  others: 'in the grid: reject the other near-duplicates of the selected images', grid: 'open or close the grid', help: 'show this list',
};
export const DEFAULT_KEYS = {
  accept: 'a', reject: 'x', skip: 's', undo: 'u', mask: 'm', before: 'b', zoom: 'z', again: 'r', flag: 'f', similar: 'n', others: 'o', grid: 'g', help: '?',
};
const STORED_AS = 'backlot.keys';

export class Keys {
  constructor(storage = localStorage) {
    this.storage = storage;
    let stored = {};
    try { stored = JSON.parse(storage.getItem(STORED_AS)) || {}; } catch { /* not ours: the defaults hold */ }
    this.map = { ...DEFAULT_KEYS };
    for (const action of Object.keys(DEFAULT_KEYS)) if (Keys.fits(stored[action])) this.map[action] = stored[action];
  }

  // One printable character that is not a digit: digits are the reasons.
  static fits(key) { return typeof key === 'string' && key.length === 1 && /[^\s\d]/.test(key); }

  action(key) {
    const pressed = key.toLowerCase();
    return Object.keys(this.map).find((action) => this.map[action] === pressed);
  }

  // Give an action a key; the action that had this key gets the old one.
  set(action, key) {
    const wanted = key.toLowerCase();
    const other = this.action(wanted);
    if (other) this.map[other] = this.map[action];
    this.map[action] = wanted;
    this.storage.setItem(STORED_AS, JSON.stringify(this.map));
  }

  reset() {
    this.map = { ...DEFAULT_KEYS };
    this.storage.removeItem(STORED_AS);
  }
}

// The action that a key press asks for: 1 to 9 are the reasons, modifiers and held keys belong to the browser.
export function actionOfKey(event, keys, reasons) {
  if (event.key === 'Enter' || event.key === ' ') return undefined; // a button that has the focus
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  return number && number <= reasons.length ? `reason:${reasons[number - 1]}` : keys.action(event.key);
}
