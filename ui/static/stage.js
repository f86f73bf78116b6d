// Dragging on the image: data-x and data-y say where the pointer is, as shares of the image's size; `drag` follows.
export function start({ element, trigger }) {
  let held = false;
  let waiting = false;
  const report = (event) => {
    const image = element.querySelector('img');
    if (!image) return;
    Object.assign(element.dataset, shareOf(event, image.getBoundingClientRect()));
    trigger('drag');
  };
  element.addEventListener('pointerdown', (event) => {
    if (event.target.tagName !== 'IMG') return;
    held = true;
    event.preventDefault();
    report(event);
  });
  window.addEventListener('pointerup', () => { held = false; });
  window.addEventListener('pointermove', (event) => {
    if (!held || waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      report(event);
    });
  });
}

// Where the pointer is in a box: x and y in 0..1 with three digits, at the edge when it is outside.
export function shareOf({ clientX, clientY }, { left, top, width, height }) {
  return { x: share((clientX - left) / width), y: share((clientY - top) / height) };
}

function share(value) { return Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000; }
