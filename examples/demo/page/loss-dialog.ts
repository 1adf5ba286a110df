import { byId } from './elements.ts';

/** What to do with a network that would be lost. */
export type Choice = 'save' | 'lose' | 'stay';

/** Asks before a network is lost; Escape keeps it. */
export function askBeforeLoss(what: string): Promise<Choice> {
  const dialog = byId<HTMLDialogElement>('loss-dialog');
  byId('loss-text').textContent = what;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve((dialog.returnValue || 'stay') as Choice), { once: true });
  });
}
