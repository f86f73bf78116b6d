// Draws a photo and its mask on a canvas: the outline, and what is outside dimmed or replaced by a plain ground.
const GROUNDS = { paper: '#f7f4ec', green: '#2fb457', dark: '#17181b' };
const DIMMED = 'rgb(13 14 16 / 62%)';
const OUTLINE = '#23c3d8';
const OUTSIDE = 'rgb(0 0 0 / 55%)';

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext('2d');
    this.cover = document.createElement('canvas'); // what lies over the photo outside the mask, at the photo's size
    this.outline = new Path2D();
  }

  // Prepare what depends on the mask; `exact` also follows its outline, which takes longer.
  take(mask, shown, exact = true) {
    this.cover.width = mask.width;
    this.cover.height = mask.height;
    const pen = this.cover.getContext('2d');
    if (shown !== 'photo') {
      const pixels = pen.createImageData(mask.width, mask.height);
      const words = new Uint32Array(pixels.data.buffer);
      for (let at = 0; at < words.length; at += 1) if (!mask.bits[at]) words[at] = 0xff000000;
      pen.putImageData(pixels, 0, 0);
      pen.globalCompositeOperation = 'source-in';
      pen.fillStyle = GROUNDS[shown] ?? DIMMED;
      pen.fillRect(0, 0, mask.width, mask.height);
      pen.globalCompositeOperation = 'source-over';
    }
    if (exact) this.outline = shown === 'outline' ? outlineOf(mask) : new Path2D();
  }

  // `marks`: a box { x0, y0, x1, y1 } being drawn and a brush { x, y, radius, adds }, in pixels of the photo.
  draw(image, view, { box, brush } = {}) {
    const { pen, canvas } = this;
    const density = canvas.width / view.canvas.width;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(density * view.scale, 0, 0, density * view.scale, density * view.x, density * view.y);
    pen.imageSmoothingEnabled = view.scale < 4;
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(image, 0, 0);
    pen.drawImage(this.cover, 0, 0);
    const line = (path, colour, width) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width / view.scale;
      pen.stroke(path);
    };
    line(this.outline, OUTSIDE, 3.5);
    line(this.outline, OUTLINE, 1.75);
    if (box) {
      const path = new Path2D();
      path.rect(Math.min(box.x0, box.x1), Math.min(box.y0, box.y1), Math.abs(box.x1 - box.x0), Math.abs(box.y1 - box.y0));
      line(path, OUTSIDE, 4);
      line(path, '#ffffff', 2);
    }
    if (brush) {
      const path = new Path2D();
      path.arc(brush.x, brush.y, brush.radius, 0, 2 * Math.PI);
      pen.fillStyle = brush.adds ? 'rgb(35 195 216 / 28%)' : 'rgb(239 68 68 / 28%)';
      pen.fill(path);
      line(path, OUTSIDE, 3.5);
      line(path, brush.adds ? OUTLINE : '#ff7a70', 1.75);
    }
  }
}

// The borders between object and background as lines along the edges of pixels.
function outlineOf({ width, height, bits }) {
  const path = new Path2D();
  const bit = (x, y) => (x >= 0 && y >= 0 && x < width && y < height ? bits[y * width + x] : 0);
  const edges = (lines, places, differs, line) => {
    for (let at = 0; at <= lines; at += 1) {
      let start = -1;
      for (let place = 0; place <= places; place += 1) {
        const edge = place < places && differs(at, place);
        if (edge && start < 0) start = place;
        if (!edge && start >= 0) {
          line(at, start, place);
          start = -1;
        }
      }
    }
  };
  edges(height, width, (y, x) => bit(x, y) !== bit(x, y - 1), (y, from, to) => { path.moveTo(from, y); path.lineTo(to, y); });
  edges(width, height, (x, y) => bit(x, y) !== bit(x - 1, y), (x, from, to) => { path.moveTo(x, from); path.lineTo(x, to); });
  return path;
}
