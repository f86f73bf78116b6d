// Which key does what. Changes are kept in this browser.
const DEFAULT_KEYS = {
  accept: 'a', reject: 'x', skip: 's', undo: 'u', mask: 'm', before: 'b', zoom: 'z', again: 'r', flag: 'f', grid: 'g', help: '?',
};
const KEYS_KEPT = 'backlot.keys';

class Keys {
  constructor() {
    let kept = {};
    try { kept = JSON.parse(localStorage.getItem(KEYS_KEPT)) || {}; } catch { /* not ours: the defaults hold */ }
    this.map = { ...DEFAULT_KEYS };
    for (const action of Object.keys(DEFAULT_KEYS)) if (Keys.fits(kept[action])) this.map[action] = kept[action];
  }

  // One printable character that is no digit: digits are the reasons.
  static fits(key) { return typeof key === 'string' && key.length === 1 && /[^\s\d]/.test(key); }

  action(key) {
    const pressed = key.toLowerCase();
    return Object.keys(this.map).find((action) => this.map[action] === pressed);
  }

  // Give an action a key; who had that key gets the old one.
  set(action, key) {
    const wanted = key.toLowerCase();
    const other = this.action(wanted);
    if (other) this.map[other] = this.map[action];
    this.map[action] = wanted;
    localStorage.setItem(KEYS_KEPT, JSON.stringify(this.map));
  }

  reset() {
    this.map = { ...DEFAULT_KEYS };
    localStorage.removeItem(KEYS_KEPT);
  }
}
