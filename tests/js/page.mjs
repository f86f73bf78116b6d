// As much of a page as a widget needs to run in Node: elements that are made when they are asked for, and an address.
import { readFileSync } from 'node:fs';

class Names extends Set {
  contains(name) { return this.has(name); }

  remove(name) { this.delete(name); }

  toggle(name, on = !this.has(name)) { return on ? this.add(name) : this.delete(name); }
}

// An element whose `querySelector` finds anything, always the same for the same selector.
export class FakeElement {
  constructor() {
    Object.assign(this, {
      dataset: {}, classList: new Names(), children: [], attributes: {}, found: new Map(), listeners: {}, hidden: false,
      textContent: '', value: '', isConnected: true, offsetParent: {}, clientWidth: 100, clientHeight: 100,
    });
  }

  get parentElement() { return (this.parent ??= new FakeElement()); }

  get firstElementChild() { return this.children[0] ?? null; }

  querySelector(selector) {
    if (!this.found.has(selector)) this.found.set(selector, new FakeElement());
    return this.found.get(selector);
  }

  querySelectorAll() { return []; }

  closest(selector) { return this.within === selector ? this : null; }

  contains() { return false; }

  append(...children) { this.children.push(...children); }

  replaceChildren(...children) { this.children = children; }

  setAttribute(name, value) { this.attributes[name] = value; }

  toggleAttribute(name, on) { this.attributes[name] = on; }

  addEventListener(name, listener) { (this.listeners[name] ??= []).push(listener); }

  removeEventListener(name, listener) { this.listeners[name] = this.listeners[name].filter((one) => one !== listener); }

  dispatchEvent(event) { for (const listener of this.listeners[event.type] ?? []) listener(event); }

  getBoundingClientRect() { return { left: 0, top: 0, width: 100, height: 100 }; }

  getContext() { return (this.pen ??= drawsNothing()); }

  focus() {}

  scrollIntoView() {}

  setPointerCapture() {}

  click() { this.dispatchEvent({ type: 'click', target: this }); }
}

// A drawing context or path that takes every call.
function drawsNothing() {
  const pixels = (width, height) => ({ data: new Uint8Array(4 * width * height) });
  return new Proxy({}, { get: (_, name) => (name === 'createImageData' ? pixels : () => {}), set: () => true });
}

export class FakeEvent {
  constructor(type, fields = {}) { Object.assign(this, { preventDefault() {}, stopPropagation() {} }, { type, ...fields }); }
}

// Put a page with an address in place of Node's globals; one for each test file, since the globals are shared.
export function openPage(search = '') {
  const location = { search, pathname: '/' };
  const moved = (_state, _title, address) => { location.search = address.includes('?') ? address.slice(address.indexOf('?')) : ''; };
  const document = Object.assign(new FakeElement(), { activeElement: null, createElement: () => new FakeElement() });
  const globals = {
    location, document, window: Object.assign(new FakeElement(), { scrollY: 0, scrollTo() {} }),
    history: { pushState: moved, replaceState: moved },
    PopStateEvent: FakeEvent, Event: FakeEvent, ResizeObserver: class { observe() {} },
    Image: class extends FakeElement { async decode() {} },
    Option: class extends FakeElement {}, Path2D: drawsNothing, requestAnimationFrame: () => 1,
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return globals;
}

// The element of a widget and a function that names its parts; `root` selects what is in its .html file.
export function widget(root, file) {
  const element = new FakeElement();
  const inside = element.querySelector(root);
  const part = (name) => {
    const found = inside.querySelector(`[data-part="${name}"]`);
    found.dataset.part = name;
    return found;
  };
  const html = readFileSync(new URL(`../../ui/static/${file}`, import.meta.url), 'utf8');
  const parts = [...html.matchAll(/<[^>]*data-part="([\w-]+)"[^>]*>/g)];
  for (const [tag, name] of parts) part(name).hidden = / hidden[ >]/.test(tag);
  inside.querySelectorAll = (selector) => (selector === '[data-part]' ? parts.map(([, name]) => part(name)) : []);
  return { element, part, root: inside };
}

// A server whose answers the test gives: `server.calls` holds { name, args, answer } of each question, oldest first.
export function askedServer() {
  const calls = [];
  const ask = (name) => (...args) => new Promise((answer) => { calls.push({ name, args, answer }); });
  return new Proxy({ calls }, { get: (server, name) => server[name] ?? ask(name) });
}

// Wait until all that follows from what was done so far has happened.
export function settled() { return new Promise((resolve) => { setImmediate(resolve); }); }
