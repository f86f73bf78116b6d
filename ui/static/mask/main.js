// One photo, large, with its outline: edited by brush, click and box until Save takes what is seen.
import { actionIn } from '../keys.js';
import { closePhoto, compose, parse } from '../photos/address.js';
import { Edits } from './edits.js';
import { Mask } from './mask.js';
import { Painter } from './painter.js';
import { View } from './view.js';

const GROUNDS = ['paper', 'green', 'dark'];
const KEYS = {
  1: 'tool:brush', 2: 'tool:region', 3: 'tool:box', x: 'switch', '[': 'thinner', ']': 'thicker', g: 'ground',
  'ctrl+z': 'undo', 'ctrl+shift+z': 'redo', 'ctrl+y': 'redo', 's': 'save', 'ctrl+s': 'save', a: 'confirm', e: 'exclude',
  0: 'fit', '+': 'larger', '=': 'larger', '-': 'smaller', arrowleft: 'previous', arrowright: 'next', escape: 'close',
};
const REPEATED = ['thinner', 'thicker', 'undo', 'redo', 'larger', 'smaller'];
const HINTS = {
  'brush add': 'Paint what is missing. The wheel zooms, the middle button moves the photo.',
  'brush remove': 'Paint over what does not belong to the object.',
  'region add': 'Click a part of the object that is missing.',
  'region remove': 'Click a part that does not belong to the object.',
  'box add': 'Drag a box around the object: the outline becomes what is found in it. Hold Shift to add it.',
  'box remove': 'Drag a box: the object that is found in it is removed.',
};
const NO_ANSWER = { problem: 'The server did not answer; try again.' };
const CLICK_PX = 6; // a pointer that moves less has clicked
const LEAST_BOX_PX = 4;
const ZOOM_STEP = 1.4;

class MaskCanvas {
  constructor({ element, trigger, server }) {
    this.block = element;
    this.root = element.querySelector('.mask');
    this.server = server;
    this.trigger = trigger;
    this.part = (name) => this.root.querySelector(`[data-part="${name}"]`);
    this.canvas = this.part('canvas');
    this.painter = new Painter(this.canvas);
    this.view = new View();
    this.drafts = new Map(); // photo id → its edits, while they are not saved
    this.settings = { tool: 'brush', mode: 'add', size: 40, shown: 'outline', ground: 'paper' };
    this.pointers = new Map();
    this.opening = null; // { id, asked }: the photo of the address and the questions about it on their way
    this.listen();
    this.follow();
  }

  listen() {
    this.root.addEventListener('click', (event) => {
      const button = event.target.closest('[data-act]');
      if (button) this.act(button.dataset.act, button.dataset.value);
    });
    this.part('size').addEventListener('input', (event) => {
      this.settings.size = Number(event.target.value);
      this.redraw();
    });
    this.part('size').addEventListener('change', () => this.root.focus({ preventScroll: true })); // the keys are ours again
    this.onKey = (event) => {
      if (!this.root.isConnected) return document.removeEventListener('keydown', this.onKey);
      const action = this.isOpen() ? actionIn(KEYS, event, REPEATED) : '';
      if (event.key === ' ' && this.isOpen() && event.target === this.root) event.preventDefault();
      if (!action) return;
      event.preventDefault();
      this.act(...action.split(':'));
    };
    document.addEventListener('keydown', this.onKey);
    window.addEventListener('popstate', () => this.follow());
    window.addEventListener('beforeunload', (event) => { if (this.drafts.size) event.preventDefault(); });
    new ResizeObserver(() => this.resize()).observe(this.part('stage'));
    for (const [name, handle] of Object.entries({
      pointerdown: 'press', pointermove: 'move', pointerup: 'release', pointercancel: 'release', pointerleave: 'hover',
    })) this.canvas.addEventListener(name, (event) => this[handle](event));
    this.canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.view.zoom(Math.exp(-event.deltaY / 400), ...this.at(event));
      this.redraw();
    }, { passive: false });
  }

  isOpen() { return !this.root.hidden && this.root.offsetParent !== null; }

  // ---- opening and leaving

  follow() {
    const id = parse(location.search).photo;
    if (!id) return this.hide();
    return id === this.opening?.id ? undefined : this.open(id);
  }

  hide() {
    this.leave(null);
    this.root.hidden = true;
    this.block.classList.remove('mask-open');
  }

  // Until the answer of the next opening no photo is open: keys and pointers do nothing to the one that is still seen.
  leave(opening) {
    this.opening = opening;
    this.photo = null;
    this.gesture = null;
    this.box = null;
    this.pointers.clear();
    this.part('busy').hidden = true;
  }

  async open(id) {
    const opening = { id, asked: 0 };
    this.leave(opening);
    this.root.hidden = false;
    this.block.classList.add('mask-open');
    const draft = this.drafts.get(id); // kept where a save that is still on its way ends before the answer
    const query = Object.fromEntries(new URLSearchParams(location.search));
    const answer = (await this.server.photo({ id, query }).catch(() => null)) ?? NO_ANSWER;
    if (this.opening !== opening) return;
    this.neighbours = answer.neighbours ?? {};
    if (answer.problem) return this.refuse(answer.problem);
    const image = await loaded(answer.photo.image);
    if (this.opening !== opening) return;
    if (!image) return this.refuse('The photo cannot be loaded; reload the page.');
    this.image = image;
    this.photo = answer.photo;
    const { width, height } = answer.photo;
    this.empty = [width * height];
    this.edits = draft ?? new Edits(answer.mask, this.empty);
    this.mask = Mask.ofRuns(width, height, this.edits.runs);
    this.resize();
    this.view.fit({ width, height });
    this.tell();
    this.paint();
    this.root.focus({ preventScroll: true });
    this.root.scrollIntoView({ block: 'nearest' });
  }

  refuse(problem) {
    this.part('name').textContent = '';
    this.part('facts').textContent = '';
    this.part('doubts').textContent = problem;
    this.part('editing').hidden = true;
    this.canvas.getContext('2d').clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  step(id) {
    if (!id) return;
    history.replaceState(null, '', location.pathname + compose({ photo: id }, location.search));
    window.dispatchEvent(new PopStateEvent('popstate'));
  }

  // ---- actions of keys and buttons

  act(name, value) {
    if (name === 'close') return closePhoto();
    if (name === 'previous' || name === 'next') return this.step(this.neighbours?.[name]);
    if (!this.photo || this.opening.asked) return undefined;
    const { settings, view } = this;
    const actions = {
      shown: () => { settings.shown = value; this.paint(); },
      ground: () => {
        if (settings.shown === 'cutout') settings.ground = GROUNDS[(GROUNDS.indexOf(settings.ground) + 1) % GROUNDS.length];
        settings.shown = 'cutout';
        this.paint();
      },
      fit: () => view.fit(),
      larger: () => view.zoom(ZOOM_STEP),
      smaller: () => view.zoom(1 / ZOOM_STEP),
      tool: () => { settings.tool = value; },
      mode: () => { settings.mode = value; },
      switch: () => { settings.mode = settings.mode === 'add' ? 'remove' : 'add'; },
      thinner: () => { settings.size = Math.max(0, settings.size - 4); },
      thicker: () => { settings.size = Math.min(100, settings.size + 4); },
      undo: () => this.take(this.edits.undo()),
      redo: () => this.take(this.edits.redo()),
      clear: () => this.edit(this.empty),
      automatic: () => this.automatic(),
      save: () => this.save(),
      confirm: () => this.confirm(),
      exclude: () => this.exclude(),
    };
    if (!this.photo.editable && !['shown', 'ground', 'fit', 'larger', 'smaller'].includes(name)) return undefined;
    this.tell();
    const done = actions[name]?.();
    this.refresh();
    this.redraw();
    return done;
  }

  // Show a step of the edits.
  take(runs) {
    if (this.edits.changed) this.drafts.set(this.photo.id, this.edits);
    this.mask = Mask.ofRuns(this.photo.width, this.photo.height, runs);
    this.paint();
  }

  // Note a changed mask as a step; say so where nothing changed.
  edit(runs) {
    if (!this.edits.add(runs)) this.tell('Nothing changed.');
    this.take(this.edits.runs);
  }

  async automatic() {
    const answer = await this.ask('automatic', this.photo.id);
    if (answer) this.edit(answer.mask);
  }

  async clickRegion(x, y) {
    const adds = this.settings.mode === 'add';
    const answer = await this.ask('region', [this.photo.id, Math.floor(x), Math.floor(y), adds]);
    if (answer) this.combine(answer.mask, adds, false);
  }

  async boxed({ x0, y0, x1, y1 }, extends_) {
    const { width, height, id } = this.photo;
    const place = (value, most) => Math.round(Math.min(Math.max(value, 0), most));
    const box = [
      place(Math.min(x0, x1), width), place(Math.min(y0, y1), height),
      place(Math.max(x0, x1), width), place(Math.max(y0, y1), height),
    ];
    const answer = await this.ask('box', [id, ...box]);
    if (answer) this.combine(answer.mask, this.settings.mode === 'add', !extends_);
  }

  // Add a region to the mask, remove it, or put it in place of the mask.
  combine(runs, adds, replaces) {
    if (adds && replaces) return this.edit(runs);
    const mask = Mask.ofRuns(this.photo.width, this.photo.height, this.edits.runs);
    mask.set(Mask.ofRuns(mask.width, mask.height, runs), adds ? 1 : 0);
    return this.edit(mask.runs());
  }

  async save() {
    const { edits, opening, photo: { id } } = this;
    if (!edits.changed) return this.tell('Nothing has changed.');
    const { runs } = edits;
    if (!(await this.store('save', [id, runs]))) return undefined;
    edits.markSaved(runs);
    if (!edits.changed) this.drafts.delete(id);
    if (this.opening === opening) this.tell('', 'The outline is saved.');
    return edits.changed ? this.refresh() : this.goOn(opening);
  }

  async confirm() {
    if (this.edits.changed) return this.tell('Save the outline first, or undo the changes.');
    const { opening, photo } = this;
    return photo.doubts.length && (await this.store('confirm', photo.id)) ? this.goOn(opening) : undefined;
  }

  async exclude() {
    const { opening, photo } = this;
    return (await this.store('exclude', [photo.id, !photo.excluded])) ? this.goOn(opening) : undefined;
  }

  // Store something of the open photo, which may be closed by the time of the answer; resolves to whether it was done.
  async store(name, question) {
    const answer = await this.send(name, question);
    if (answer.problem) return false;
    if (this.photo?.id === answer.photo.id) this.photo = answer.photo;
    this.trigger('stored', {});
    return true;
  }

  // After a photo was stored: in the check the next one follows, unless another is open already.
  goOn(opening) {
    if (this.opening === opening && parse(location.search).check) closePhoto();
    else this.refresh();
  }

  // Ask the server about the open photo; undefined where it refused or another photo is open by now.
  async ask(name, question) {
    const { opening } = this;
    const answer = await this.send(name, question);
    return answer.problem || this.opening !== opening ? undefined : answer;
  }

  // Send the server something of the open photo and say its refusal.
  async send(name, question) {
    const { opening } = this;
    opening.asked += 1;
    this.part('busy').hidden = !['automatic', 'region', 'box'].includes(name);
    const answer = (await this.server[name](question).catch(() => null)) ?? NO_ANSWER;
    opening.asked -= 1;
    if (this.opening !== opening) return answer;
    if (!opening.asked) this.part('busy').hidden = true;
    if (answer.problem) this.tell(answer.problem);
    return answer;
  }

  // ---- pointers: one draws or moves the photo, two fingers zoom

  at(event) {
    const frame = this.canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  press(event) {
    if (!this.photo || event.button > 1) return;
    event.preventDefault();
    this.root.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.at(event);
    this.pointers.set(event.pointerId, { x, y });
    if (this.pointers.size > 1) return this.cancel();
    const draws = this.photo.editable && event.button === 0 && !this.opening.asked;
    this.gesture = { tool: draws ? this.settings.tool : 'pan', from: { x, y }, moved: 0, adds: this.settings.mode === 'add', shift: event.shiftKey };
    const [px, py] = this.view.toPhoto(x, y);
    if (this.gesture.tool === 'brush') this.stroke(px, py, px, py);
    if (this.gesture.tool === 'box') this.box = { x0: px, y0: py, x1: px, y1: py };
    return undefined;
  }

  move(event) {
    if (!this.photo) return;
    const [x, y] = this.at(event);
    const [px, py] = this.view.toPhoto(x, y);
    this.brushAt = event.pointerType === 'touch' ? null : { x: px, y: py };
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.redraw();
    this.pointers.set(event.pointerId, { x, y });
    if (this.pointers.size === 2) return this.pinch(event.pointerId, before, { x, y });
    const { gesture } = this;
    if (!gesture) return undefined;
    gesture.moved = Math.max(gesture.moved, Math.hypot(x - gesture.from.x, y - gesture.from.y));
    if (gesture.tool === 'brush') this.stroke(...this.view.toPhoto(before.x, before.y), px, py);
    else if (gesture.tool === 'box') Object.assign(this.box, { x1: px, y1: py });
    else if (gesture.tool === 'pan' || gesture.moved > CLICK_PX) this.view.pan(x - before.x, y - before.y);
    return this.redraw();
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { gesture, box } = this;
    this.gesture = null;
    this.box = null;
    if (!gesture || !this.photo) return;
    if (event.type === 'pointercancel') return this.take(this.edits.runs);
    this.tell();
    const [x, y] = this.view.toPhoto(...this.at(event));
    if (gesture.tool === 'brush') this.edit(this.mask.runs());
    if (gesture.tool === 'region' && gesture.moved <= CLICK_PX) this.clickRegion(x, y);
    if (gesture.tool === 'box' && Math.min(Math.abs(box.x1 - box.x0), Math.abs(box.y1 - box.y0)) >= LEAST_BOX_PX) this.boxed(box, gesture.shift);
    this.refresh();
  }

  hover() {
    this.brushAt = null;
    this.redraw();
  }

  // A second finger: what the first drew is taken back.
  cancel() {
    this.gesture = null;
    this.box = null;
    this.take(this.edits.runs);
  }

  pinch(moving, before, now) {
    const [still] = [...this.pointers].filter(([id]) => id !== moving).map(([, point]) => point);
    const apart = (point) => Math.max(1, Math.hypot(point.x - still.x, point.y - still.y));
    this.view.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.view.zoom(apart(now) / apart(before), (now.x + still.x) / 2, (now.y + still.y) / 2);
    this.redraw();
  }

  stroke(x0, y0, x1, y1) {
    this.mask.stroke(x0, y0, x1, y1, this.radius, this.gesture.adds ? 1 : 0);
    this.stale = true;
    this.redraw();
  }

  // Of the brush, in pixels of the photo: from one pixel to a quarter of the photo.
  get radius() {
    const most = Math.max(this.photo.width, this.photo.height) / 4;
    return Math.max(0.5, most * (this.settings.size / 100) ** 2);
  }

  // ---- what is seen

  get shown() { return this.settings.shown === 'cutout' ? this.settings.ground : this.settings.shown; }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.part('stage');
    if (!width || !height) return;
    const fitted = this.view.fits;
    const density = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.view.canvas = { width, height };
    if (fitted) this.view.fit();
    else this.view.keep();
    if (this.photo) this.redraw();
  }

  paint() {
    this.stale = false;
    this.painter.take(this.mask, this.shown);
    this.redraw();
    this.refresh();
  }

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.photo) return;
      if (this.stale) this.painter.take(this.mask, this.shown, false);
      const { tool, mode } = this.settings;
      const draws = this.photo.editable && tool === 'brush' && this.brushAt;
      this.painter.draw(this.image, this.view, {
        box: this.box,
        brush: draws ? { ...this.brushAt, radius: this.radius, adds: mode === 'add' } : null,
      });
      this.canvas.dataset.view = [this.view.scale, this.view.x, this.view.y].join(' ');
    });
  }

  tell(problem = '', done = '') {
    this.part('problem').textContent = problem;
    this.part('done').textContent = done;
  }

  // The panel: facts, pressed buttons, what can be done.
  refresh() {
    const { photo, settings, edits } = this;
    if (!photo) return;
    const share = (100 * this.mask.area) / this.mask.bits.length;
    this.part('name').textContent = photo.name;
    this.part('facts').textContent = [`class ${photo.label}`, photo.split, `${photo.width} × ${photo.height} px`, photo.origin, `${share.toFixed(1)} % object`].join(' · ');
    this.part('doubts').textContent = [...photo.doubts, ...(photo.excluded ? ['excluded from plans and releases'] : [])].join('; ');
    this.part('editing').hidden = !photo.editable;
    this.part('hint').textContent = HINTS[`${settings.tool} ${settings.mode}`];
    this.part('size').value = settings.size;
    this.part('sizes').hidden = settings.tool !== 'brush';
    this.part('exclude').textContent = photo.excluded ? 'Include' : 'Exclude';
    this.part('create').href = photo.create;
    this.part('create').parentElement.hidden = !photo.usable;
    this.canvas.className = `tool-${photo.editable ? settings.tool : 'pan'}`;
    const pressed = { shown: settings.shown, tool: settings.tool, mode: settings.mode };
    for (const button of this.root.querySelectorAll('[data-value]')) {
      button.setAttribute('aria-pressed', String(pressed[button.dataset.act] === button.dataset.value));
    }
    const button = (name) => this.root.querySelector(`[data-act="${name}"]`);
    button('undo').disabled = !edits.canUndo;
    button('redo').disabled = !edits.canRedo;
    button('save').disabled = !edits.changed;
    button('confirm').hidden = edits.changed || !photo.doubts.length;
    button('save').hidden = !button('confirm').hidden;
    button('previous').disabled = !this.neighbours.previous;
    button('next').disabled = !this.neighbours.next;
  }
}

async function loaded(address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return image;
}

export function start({ element, trigger, server }) {
  new MaskCanvas({ element, trigger, server });
}
