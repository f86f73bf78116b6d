// Images that open: a click shows one large, arrow keys and buttons go on to its neighbours, Escape closes.
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
const VIEW = `
  <figure><img alt=""><figcaption></figcaption></figure>
  <nav>
    <button type="button" data-step="-1" aria-label="Previous image">‹</button>
    <button type="button" data-close>Close</button>
    <button type="button" data-step="1" aria-label="Next image">›</button>
  </nav>`;

// the place of the image that is so many steps from one; stays at the ends
export function placeAfter(place, step, count) {
  return Math.min(Math.max(place + step, 0), count - 1);
}

class View {
  constructor(block) {
    this.block = block;
    this.place = 0;
    this.dialog = document.createElement('dialog'); // in the body: the block's content is replaced as images come
    this.dialog.className = 'gallery-view';
    this.dialog.setAttribute('aria-label', 'Image');
    this.dialog.innerHTML = VIEW;
    this.dialog.addEventListener('click', (event) => {
      const button = event.target.closest('[data-step]');
      if (button) return this.go(Number(button.dataset.step));
      if (event.target === this.dialog || event.target.closest('[data-close]')) this.dialog.close();
    });
    this.dialog.addEventListener('keydown', (event) => {
      if (STEPS[event.key]) this.go(STEPS[event.key]);
    });
    document.body.append(this.dialog);
  }

  tiles() {
    return [...this.block.querySelectorAll('[data-full]')];
  }

  open(tile) {
    this.place = this.tiles().indexOf(tile);
    this.show(tile);
    this.dialog.showModal();
  }

  go(step) {
    const tiles = this.tiles();
    const at = tiles.findIndex((tile) => tile.dataset.full === this.shown); // others may have come before it
    this.place = placeAfter(at < 0 ? this.place : at, step, tiles.length);
    if (tiles.length) this.show(tiles[this.place]);
  }

  show(tile) {
    this.shown = tile.dataset.full;
    const image = this.dialog.querySelector('img');
    image.src = tile.dataset.full;
    image.alt = tile.dataset.description;
    this.dialog.querySelector('figcaption').textContent = tile.dataset.description;
  }
}

export function start({ element }) {
  let view = null;
  element.addEventListener('click', (event) => {
    const tile = event.target.closest('[data-full]');
    if (!tile) return;
    view ??= new View(element);
    view.open(tile);
  });
}
