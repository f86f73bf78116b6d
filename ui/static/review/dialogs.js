// The questions of the page. Each resolves to the answer, or to undefined when the reviewer cancels.
export class Dialogs {
  constructor(parts) {
    this.parts = parts;
  }

  get anyOpen() { return ['sign', 'naming', 'sure', 'comment'].some((name) => this.parts[name].open); }

  // Ask before something that many images depend on; resolves to true or undefined.
  confirm(title, text) {
    const [heading, body] = this.parts.sure.children;
    heading.textContent = title;
    body.textContent = text;
    return opened(this.parts.sure, (value) => (value === 'yes' ? true : undefined));
  }

  // What is wrong with the image, in words; may be empty.
  askComment() {
    const input = emptied(this.parts.comment);
    return opened(this.parts.comment, (value) => (value === 'send' ? input.value.trim() : undefined));
  }

  // The name under which decisions are recorded.
  askReviewer(current) {
    const input = emptied(this.parts.sign, current);
    return opened(this.parts.sign, (value) => (value === 'send' && input.value.trim() !== current && input.value.trim()) || undefined);
  }

  askQueueName() {
    const input = emptied(this.parts.naming);
    return opened(this.parts.naming, (value) => (value === 'send' && input.value.trim()) || undefined);
  }
}

function emptied(dialog, value = '') {
  const input = dialog.querySelector('input');
  input.value = value;
  return input;
}

function opened(dialog, answerOf) {
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(answerOf(dialog.returnValue)), { once: true });
  });
}
