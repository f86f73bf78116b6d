// Dragging on the picture: the event `drag` brings where the pointer is, as shares of the picture.
let held = false, waiting = false;
const at = (event) => {
  const image = element.querySelector('img');
  if (!image) return;
  const box = image.getBoundingClientRect();
  const share = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  trigger('drag', { x: share(x), y: share(y) });
};
element.addEventListener('pointerdown', (event) => {
  if (event.target.tagName !== 'IMG') return;
  held = true;
  event.preventDefault();
  at(event);
});
window.addEventListener('pointerup', () => { held = false; });
window.addEventListener('pointermove', (event) => {
  if (!held || waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; at(event); });
});
