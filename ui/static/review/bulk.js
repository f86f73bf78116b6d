// The question before one decision on everything that matches the filters. Disputed images are never among them: a
// lead settles those one by one.
import { inDigits } from './progress.js';

const VERDICTS = { accept: 'Accept', reject: 'Reject' };
const UNDO = 'One undo takes it back.';

export function bulkQuestion(verdict, { count, disputed = 0 }) {
  const left = disputed ? ` ${inDigits(disputed)} disputed ${disputed === 1 ? 'image is' : 'images are'} left out; a lead settles them one by one.` : '';
  return {
    title: `${VERDICTS[verdict]} ${inDigits(count - disputed)} images?`,
    text: `This includes every image that matches the filters, also those that you have not seen.${left} ${UNDO}`,
  };
}
