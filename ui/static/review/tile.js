// One image among many: a button that selects it, with marks for its state and its failed gates; and the way from tile
// to tile by keys.
import { node } from './elements.js';

export const STATE_AFTER = { accept: 'accepted', reject: 'rejected' };

export function tileOf(entry) {
  const tile = node('button', '', `grid-tile ${entry.state}`);
  tile.type = 'button';
  tile.dataset.id = entry.id;
  tile.tabIndex = -1; // one stop for Tab, arrows inside
  tile.setAttribute('aria-pressed', 'false');
  tile.setAttribute('aria-label', [`${entry.label}, ${entry.state}: ${entry.prompt}`, ...entry.doubts].join('. '));
  tile.title = [entry.label, entry.prompt, ...entry.doubts].join('\n');
  const image = new Image();
  image.loading = 'lazy';
  image.alt = '';
  image.src = entry.thumbnail;
  tile.append(image);
  if (entry.doubts.length) tile.append(node('i', '', 'flag'));
  return tile;
}

// Arrows, Home and End go from tile to tile; Enter and Space press it, with Shift from the last one on.
export function walk(container, event) {
  const tiles = [...container.children];
  const at = tiles.indexOf(event.target.closest('.grid-tile'));
  if (at < 0) return;
  const across = Math.max(1, getComputedStyle(container).gridTemplateColumns.split(' ').length);
  const next = tiles[{ ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: tiles.length - 1 }[event.key]];
  if (!next) return;
  event.preventDefault();
  tiles[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
