// Where the photo lies on the canvas: a scale (canvas pixels for each pixel of the photo) and the place of its corner.
const LARGEST_SCALE = 32;
const MARGIN = 0.96; // of the canvas, that a photo fills when it fits
const KEPT_PX = 48; // of the photo, that always stay on the canvas

export class View {
  constructor() {
    this.photo = { width: 1, height: 1 };
    this.canvas = { width: 1, height: 1 };
    this.scale = 1;
    this.x = 0;
    this.y = 0;
  }

  get fitting() { return MARGIN * Math.min(this.canvas.width / this.photo.width, this.canvas.height / this.photo.height); }

  get fits() { return Math.abs(this.scale / this.fitting - 1) < 1e-6; }

  // Show the whole photo, centred.
  fit(photo = this.photo, canvas = this.canvas) {
    this.photo = photo;
    this.canvas = canvas;
    this.scale = this.fitting;
    this.x = (canvas.width - photo.width * this.scale) / 2;
    this.y = (canvas.height - photo.height * this.scale) / 2;
  }

  // Change the scale so that the point (x, y) of the canvas stays where it is.
  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    const scale = Math.min(Math.max(this.scale * factor, this.fitting), LARGEST_SCALE * Math.max(1, this.fitting));
    const [px, py] = this.toPhoto(x, y);
    this.scale = scale;
    if (this.fits) return this.fit();
    this.x = x - px * scale;
    this.y = y - py * scale;
    return this.keep();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.keep();
  }

  toPhoto(x, y) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }

  keep() {
    const within = (place, canvas, shown) => Math.min(Math.max(place, KEPT_PX - shown), canvas - KEPT_PX);
    this.x = within(this.x, this.canvas.width, this.photo.width * this.scale);
    this.y = within(this.y, this.canvas.height, this.photo.height * this.scale);
  }
}
