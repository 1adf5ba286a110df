import { byId } from './elements.ts';

/** Accepts a file that is dropped anywhere on the page. */
export function takeDrops(onFile: (file: File) => void): void {
  const sign = byId('drop');
  const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    sign.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    // Without a related target the pointer leaves the window.
    if (!event.relatedTarget) sign.hidden = true;
  });
  addEventListener('drop', (event) => {
    sign.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    const [file] = event.dataTransfer!.files;
    if (file) onFile(file);
  });
}
