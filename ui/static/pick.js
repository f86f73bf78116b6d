// Whatever carries data-pick can be picked: the event `pick` brings its value, data-picked keeps the last one.
export function start({ element, trigger }) {
  element.addEventListener('click', (event) => {
    const picked = event.target.closest('[data-pick]');
    if (!picked) return;
    element.dataset.picked = picked.dataset.pick;
    trigger('pick', { value: picked.dataset.pick });
  });
}
