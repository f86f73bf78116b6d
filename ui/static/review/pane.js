// One image at a time: the image, its mask, the photo over it, and what is known of it.
import { node } from './elements.js';

const VEIL_OPACITY = 0.72;
const VEIL_GREY = 16;
const HALF_A_ROW = 10; // characters of a fact that leave room for another one beside it

export class Pane {
  // imageOf(address) returns the <img> that was loaded ahead.
  constructor({ root, parts, imageOf }) {
    this.root = root; // the section; its class and data-sample tell what is shown
    this.parts = parts;
    this.imageOf = imageOf;
    this.entry = undefined;
    this.masked = false;
    parts.compare.addEventListener('input', () => this.compare(Number(parts.compare.value)));
  }

  show(entry) {
    const { parts } = this;
    this.entry = entry;
    this.setEmpty(false);
    const image = this.imageOf(entry.image);
    image.alt = `${entry.label}: ${entry.prompt}`;
    parts.frame.replaceChildren(image);
    parts.frame.style.aspectRatio = `${entry.width} / ${entry.height}`;
    if (this.masked) this.drawMask(entry);
    this.compare(0);
    this.fitFrame();
    this.showFlag();
    parts.prompt.textContent = entry.prompt;
    parts.facts.replaceChildren(...Object.entries(entry.facts).flatMap(([name, value]) => [
      node('dt', name), node('dd', value, value.length > HALF_A_ROW ? 'wide' : ''),
    ]));
    parts.doubts.replaceChildren(...entry.doubts.map((doubt) => node('li', doubt)));
    this.root.dataset.sample = entry.id;
  }

  // Show elements in place of an image.
  showEmpty(...elements) {
    this.entry = undefined;
    delete this.root.dataset.sample;
    this.setEmpty(true);
    this.parts.empty.replaceChildren(...elements);
  }

  setEmpty(empty) {
    this.root.classList.toggle('is-empty', empty);
    this.root.querySelectorAll('.review-buttons button:not([data-do="undo"]), .review-more button:not([data-do="help"], [data-do="grid"])').forEach((button) => { button.disabled = empty; });
    this.parts.empty.hidden = !empty;
    this.parts.frame.hidden = empty;
  }

  showFlag() { this.parts.label.textContent = this.entry.flagged ? `${this.entry.label} ⚑` : this.entry.label; }

  toggleMask() {
    this.masked = !this.masked;
    this.press('mask', this.masked);
    if (!this.entry) return;
    if (this.masked) this.drawMask(this.entry);
    else this.parts.frame.querySelector('canvas')?.remove();
  }

  // A dark veil over everything but the object.
  drawMask(entry) {
    if (!entry.mask) return; // no part of the photo was kept
    const mask = new Image();
    mask.src = entry.mask;
    mask.decode().then(() => {
      if (!this.masked || this.entry !== entry) return;
      const canvas = document.createElement('canvas');
      canvas.width = mask.naturalWidth;
      canvas.height = mask.naturalHeight;
      const context = canvas.getContext('2d');
      context.drawImage(mask, 0, 0);
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < pixels.data.length; i += 4) {
        pixels.data[i + 3] = Math.round((255 - pixels.data[i]) * VEIL_OPACITY);
        pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = VEIL_GREY;
      }
      context.putImageData(pixels, 0, 0);
      this.parts.frame.querySelector('canvas')?.remove();
      this.parts.frame.append(canvas);
    }).catch(() => {});
  }

  // Show that share of the photo, in percent from the left, over the image.
  compare(share) {
    this.parts.compare.value = share;
    this.parts.compare.hidden = !this.photo;
    if (this.photo) this.photo.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    this.press('before', share > 0);
  }

  get photo() { return this.parts.frame.querySelector('.before'); }

  get photoShare() { return this.photo ? Number(this.parts.compare.value) : 0; }

  // Show or hide the photo; loadPhoto(id) resolves to { image }, or to undefined without an answer.
  async togglePhoto(loadPhoto) {
    const { entry } = this;
    if (!entry) return;
    if (!this.photo) {
      const answer = await loadPhoto(entry.id);
      if (!answer || this.entry !== entry || this.photo) return;
      const photo = new Image();
      photo.src = answer.image;
      photo.alt = 'The photo, moved as the object was';
      photo.className = 'before';
      this.parts.frame.append(photo, this.parts.compare); // as wide as the image: its thumb is where the edge is
      this.compare(100);
    } else this.compare(this.photoShare > 0 ? 0 : 100);
  }

  get zoomed() { return this.parts.stage.classList.contains('is-actual'); }

  toggleZoom() {
    this.press('zoom', this.parts.stage.classList.toggle('is-actual'));
    this.fitFrame();
  }

  fitFrame() {
    if (!this.entry) return;
    this.parts.frame.style.width = this.zoomed ? `${this.entry.width}px` : '';
    this.parts.frame.style.height = this.zoomed ? `${this.entry.height}px` : '';
  }

  press(action, pressed) { this.root.querySelector(`[data-do="${action}"]`).setAttribute('aria-pressed', pressed); }
}
