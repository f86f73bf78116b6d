// The mask of a photo: one byte for each pixel, 1 = object, 0 = background.
export class Mask {
  constructor(width, height, bits = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.bits = bits;
  }

  // `runs`: lengths of the runs of background and object in turn, row by row, background first.
  static ofRuns(width, height, runs) {
    const mask = new Mask(width, height);
    let at = 0;
    runs.forEach((length, index) => {
      if (index % 2) mask.bits.fill(1, at, at + length);
      at += length;
    });
    return mask;
  }

  runs() {
    const lengths = [];
    let value = 0;
    let start = 0;
    for (let at = 0; at < this.bits.length; at += 1) {
      if (this.bits[at] === value) continue;
      lengths.push(at - start);
      start = at;
      value = this.bits[at];
    }
    lengths.push(this.bits.length - start);
    return lengths;
  }

  get area() { return this.bits.reduce((total, bit) => total + bit, 0); }

  // Set every pixel within `radius` of the line from (x0, y0) to (x1, y1); a pixel's centre is at its number + 0.5.
  stroke(x0, y0, x1, y1, radius, value) {
    const [left, right] = span(x0, x1, radius, this.width);
    const [top, bottom] = span(y0, y1, radius, this.height);
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = dx * dx + dy * dy;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
        const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
        if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius * radius) this.bits[y * this.width + x] = value;
      }
    }
  }

  // Set the pixels of another mask of the same size.
  set(region, value) {
    for (let at = 0; at < this.bits.length; at += 1) if (region.bits[at]) this.bits[at] = value;
  }
}

function span(a, b, radius, most) {
  return [Math.max(0, Math.floor(Math.min(a, b) - radius)), Math.min(most, Math.ceil(Math.max(a, b) + radius))];
}
