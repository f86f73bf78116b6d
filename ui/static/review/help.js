// The list of keys. A click on a key waits for the new one.
import { button, node } from './elements.js';
import { ACTIONS, Keys } from './keys.js';

const HINT = 'Click a key to change it. Decisions are saved in the background; you can close the page at any time.';

export class Help {
  constructor({ root, parts, keys }) {
    this.root = root;
    this.parts = parts;
    this.keys = keys;
    this.changing = null; // the action whose new key is awaited
    parts.keyreset.addEventListener('click', () => {
      keys.reset();
      this.change(null);
    });
    this.paint();
  }

  get open() { return this.parts.help.open; }

  toggle() {
    this.change(null);
    if (this.open) this.parts.help.close();
    else this.parts.help.showModal();
  }

  change(action) {
    this.changing = action;
    this.paint();
  }

  // Take the pressed key for the action that is being changed; Escape leaves it as it is.
  takeKey(event) {
    if (event.key !== 'Escape' && !Keys.fits(event.key)) return;
    event.preventDefault();
    if (event.key !== 'Escape') this.keys.set(this.changing, event.key);
    this.change(null);
  }

  paint() {
    this.parts.keys.replaceChildren(...Object.entries(ACTIONS).flatMap(([action, meaning]) => {
      const key = button(this.changing === action ? '…' : this.keys.map[action].toUpperCase(), () => {
        this.change(action);
        this.parts.help.focus();
      }, 'key');
      key.setAttribute('aria-label', `change the key of ${action}`);
      const term = node('dt');
      term.append(key);
      return [term, node('dd', meaning)];
    }), node('dt', '1–9'), node('dd', 'reject for this reason'));
    this.parts.keyhint.textContent = this.changing ? `Press the new key for ${this.changing}.` : HINT;
    for (const [action, key] of Object.entries(this.keys.map)) {
      this.root.querySelectorAll(`[data-do="${action}"]`).forEach((element) => {
        element.setAttribute('aria-keyshortcuts', key);
        element.querySelector('kbd').textContent = key.toUpperCase();
      });
    }
  }
}
