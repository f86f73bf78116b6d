// The check of outlines: one flagged photo after the other, large; A outline is fine, X exclude, E edit, arrows;
// of several objects 1 to 9 keep one, 0 makes a photo of each.
import { actionIn } from './keys.js';
import { go, parse } from './photos/address.js';

const GROUNDS = ['paper', 'green', 'dark'];
const OBJECT = 'object-'; // the action that keeps one object, before its number
export const KEYS = {
  a: 'confirm', x: 'exclude', e: 'edit', g: 'ground', arrowright: 'next', arrowleft: 'previous', escape: 'close', 0: 'all',
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => [number, OBJECT + number])),
};
const NO_OBJECTS = { objects: [] };
const CHECKED = { name: 'Every outline is checked', label: 'The photos are used in plans from now on.' };
const NOTHING = { name: '', label: '' }; // to say yet
const NO_ANSWER = { problem: 'The server did not answer; try again.' };

export function isOpenAddress(search) {
  const { check, photo } = parse(search);
  return check && !photo;
}

// what the server is told of an action, of a photo with so many objects; null where it is none of the photo's
export function answerTo(act, objects) {
  if (act === 'confirm' || act === 'exclude') return [act];
  if (objects < 2) return null;
  if (act === 'all') return [act];
  const number = act.startsWith(OBJECT) ? Number(act.slice(OBJECT.length)) : 0;
  return number >= 1 && number <= objects ? ['object', number] : null;
}

// the outlines of objects and their numbers, as the inside of an SVG of the photo's size
export function outlinesMarkup({ objects, width, height }) {
  const size = Math.round(Math.max(width, height) / 16);
  return objects
    .map(
      ({ number, path, x, y }) =>
        `<path d="${path}"/><circle cx="${x}" cy="${y}" r="${size * 0.75}"/>` +
        `<text x="${x}" y="${y}" font-size="${size}" dy="0.36em">${number}</text>`,
    )
    .join('');
}

class Check {
  constructor({ element, trigger, server }) {
    this.root = element.querySelector('.check');
    this.block = element;
    this.server = server;
    this.trigger = trigger;
    this.photos = [];
    this.at = 0;
    this.busy = false; // a decision is on its way
    this.loading = false; // the photos are on their way
    this.round = 0; // answers of an earlier opening are dropped
    this.objects = new Map(); // photo id → what the server knows of its objects
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
    const round = (this.round += 1);
    this.loading = true;
    this.paint();
    const answer = (await this.server.photos_to_check().catch(() => null)) ?? { problem: 'The server did not answer; reload the page.' };
    if (round !== this.round) return;
    this.loading = false;
    const id = this.photos[this.at]?.id;
    this.photos = answer.photos ?? [];
    const place = this.placeOf(id);
    if (place >= 0) this.at = place; // else the next photo has taken the place of one that was edited
    if (this.at >= this.photos.length) this.at = 0;
    this.objects.clear(); // masks may have been edited
    this.paint(answer.problem);
  }

  placeOf(id) {
    return this.photos.findIndex((photo) => photo.id === id);
  }

  // a decided photo leaves the list, which may have been read anew since
  remove(id) {
    const place = this.placeOf(id);
    if (place < 0) return;
    this.photos.splice(place, 1);
    if (place < this.at) this.at -= 1;
    if (this.at >= this.photos.length) this.at = 0;
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
    if (!photo || this.busy || this.loading) return;
    if (act === 'edit') return go({ photo: photo.id });
    const count = this.photos.length;
    if (act === 'next' || act === 'previous') {
      this.at = (this.at + (act === 'next' ? 1 : count - 1)) % count;
      return this.paint();
    }
    const decision = answerTo(act, this.objectsOf(photo).objects.length);
    if (!decision) return;
    this.busy = true; // one after the other: a key decides on the photo that is shown
    const answer = (await this.server.checked(photo.id, ...decision).catch(() => null)) ?? NO_ANSWER;
    this.busy = false;
    if (!answer.problem) this.remove(photo.id);
    this.paint(answer.problem);
  }

  paint(problem = '') {
    const photo = this.loading ? undefined : this.photos[this.at];
    const finished = !photo && !problem && !this.loading;
    const none = finished ? CHECKED : NOTHING;
    const { name, label } = photo ? { name: photo.name, label: `class ${photo.label}` } : none;
    this.part('views').hidden = !photo;
    this.part('acts').hidden = !photo;
    this.part('onward').hidden = !finished;
    if (!this.loading) this.paintCount();
    this.part('problem').textContent = problem;
    this.part('name').textContent = name;
    this.part('label').textContent = label;
    this.part('doubts').textContent = photo ? photo.doubts.join('; ') : '';
    if (photo) {
      this.part('photo').src = photo.photo;
      this.part('cutout').src = photo.cutout;
      const next = this.photos[(this.at + 1) % this.photos.length];
      for (const address of [next.photo, next.cutout]) new Image().src = address;
    }
    this.paintObjects(photo);
    if (photo) this.loadObjects(photo);
    this.paintGround(this.ground ?? GROUNDS[0]);
  }

  paintCount() {
    const { length } = this.photos;
    this.part('count').textContent = length;
    this.part('words').textContent = length === 1 ? 'outline to check' : 'outlines to check';
  }

  objectsOf(photo) {
    return (photo && this.objects.get(photo.id)) ?? NO_OBJECTS;
  }

  async loadObjects(photo) {
    if (this.objects.has(photo.id)) return;
    const { round } = this;
    const answer = await this.server.objects_in(photo.id).catch(() => null);
    if (!answer || answer.problem || round !== this.round) return;
    this.objects.set(photo.id, answer);
    if (this.photos[this.at] === photo) this.paintObjects(photo);
  }

  paintObjects(photo) {
    const shown = this.objectsOf(photo);
    const several = shown.objects.length > 1;
    const [outlines, choices] = [this.part('outlines'), this.part('objects')];
    outlines.toggleAttribute('hidden', !several);
    choices.hidden = !several;
    if (!several) return;
    outlines.setAttribute('viewBox', `0 0 ${shown.width} ${shown.height}`);
    outlines.innerHTML = outlinesMarkup(shown);
    const key = (number) => (number < 10 ? `<kbd>${number}</kbd>` : '');
    choices.innerHTML =
      shown.objects
        .map(
          ({ number }) =>
            `<button type="button" data-act="${OBJECT}${number}" aria-label="Keep object ${number} only">` +
            `Object ${number}${key(number)}</button>`,
        )
        .join('') + '<button type="button" data-act="all" aria-label="Make a photo of each object">All<kbd>0</kbd></button>';
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
