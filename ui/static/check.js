// The check of outlines: one flagged photo after the other, large; A outline is fine, X exclude, E edit, arrows.
import { actionIn } from './keys.js';
import { go, parse } from './photos/address.js';

const GROUNDS = ['paper', 'green', 'dark'];
const KEYS = { a: 'confirm', x: 'exclude', e: 'edit', g: 'ground', arrowright: 'next', arrowleft: 'previous', escape: 'close' };

export function isOpenAddress(search) {
  const { check, photo } = parse(search);
  return check && !photo;
}

class Check {
  constructor({ element, trigger, server }) {
    this.root = element.querySelector('.check');
    this.block = element;
    this.server = server;
    this.trigger = trigger;
    this.photos = [];
    this.at = 0;
    this.busy = false;
    this.part = (name) => this.root.querySelector(`[data-part="${name}"]`);
    this.root.addEventListener('click', (event) => {
      const act = event.target.closest('[data-act]');
      if (act) this.act(act.dataset.act, act.dataset.ground);
    });
    this.onKey = (event) => {
      if (!this.root.isConnected) return document.removeEventListener('keydown', this.onKey);
      const act = this.isOpen() && actionIn(KEYS, event);
      if (!act) return;
      event.preventDefault();
      this.act(act);
    };
    document.addEventListener('keydown', this.onKey);
    window.addEventListener('popstate', () => this.follow());
    this.follow();
  }

  isOpen() {
    return !this.root.hidden && this.root.offsetParent !== null;
  }

  // show what the address says
  follow() {
    if (isOpenAddress(location.search)) this.open();
    else this.hide();
  }

  async open() {
    this.root.hidden = false;
    this.block.classList.add('check-open');
    const answer = (await this.server.photos_to_check()) ?? { problem: 'The server did not answer; reload the page.' };
    const id = this.photos[this.at]?.id;
    this.photos = answer.photos ?? [];
    const place = this.photos.findIndex((photo) => photo.id === id);
    if (place >= 0) this.at = place; // else the next photo has taken the place of one that was edited
    if (this.at >= this.photos.length) this.at = 0;
    this.paint(answer.problem);
  }

  hide() {
    this.root.hidden = true;
    this.block.classList.remove('check-open');
  }

  async act(act, ground) {
    const photo = this.photos[this.at];
    if (act === 'ground') return this.paintGround(ground ?? GROUNDS[(GROUNDS.indexOf(this.ground) + 1) % GROUNDS.length]);
    if (act === 'close') {
      go({ check: false });
      return this.trigger('left', {});
    }
    if (!photo || this.busy) return;
    if (act === 'edit') return go({ photo: photo.id });
    const count = this.photos.length;
    if (act === 'next' || act === 'previous') {
      this.at = (this.at + (act === 'next' ? 1 : count - 1)) % count;
      return this.paint();
    }
    this.busy = true; // one after the other: a key decides on the photo that is shown
    const answer = (await this.server.checked(photo.id, act)) ?? { problem: 'The server did not answer; try again.' };
    this.busy = false;
    if (!answer.problem) {
      this.photos.splice(this.at, 1);
      if (this.at >= this.photos.length) this.at = 0;
    }
    this.paint(answer.problem);
  }

  paint(problem = '') {
    const photo = this.photos[this.at];
    this.part('views').hidden = !photo;
    this.part('acts').hidden = !photo;
    this.part('count').textContent = this.photos.length;
    this.part('words').textContent = this.photos.length === 1 ? 'outline to check' : 'outlines to check';
    this.part('problem').textContent = problem;
    this.part('name').textContent = photo ? photo.name : 'Every outline is checked';
    this.part('label').textContent = photo ? `class ${photo.label}` : 'The photos are used in plans from now on.';
    this.part('doubts').textContent = photo ? photo.doubts.join('; ') : '';
    if (photo) {
      this.part('photo').src = photo.photo;
      this.part('cutout').src = photo.cutout;
      const next = this.photos[(this.at + 1) % this.photos.length];
      for (const address of [next.photo, next.cutout]) new Image().src = address;
    }
    this.paintGround(this.ground ?? GROUNDS[0]);
  }

  paintGround(ground) {
    this.ground = ground;
    this.part('views').className = `views on-${ground}`;
    for (const button of this.root.querySelectorAll('[data-ground]')) {
      button.setAttribute('aria-pressed', String(button.dataset.ground === ground));
    }
  }
}

export function start({ element, trigger, server }) {
  new Check({ element, trigger, server });
}
