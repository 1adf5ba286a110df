import { byId, grouped } from './elements.ts';

const MOST = 30;
const SHOWN = 240;

/** The samples, newest first. */
export class SamplesView {
  readonly #list = byId<HTMLOListElement>('samples');

  clear(): void {
    this.#list.replaceChildren();
  }

  add(step: number, text: string): void {
    const item = document.createElement('li');
    const title = document.createElement('h3');
    title.textContent = `step ${grouped(step)}`;
    const body = document.createElement('pre');
    body.textContent = beginning(text);
    item.append(title, body);
    // If the user has scrolled down, the sample in view must stay in its place.
    const { scrollTop, scrollHeight } = this.#list;
    this.#list.prepend(item);
    while (this.#list.children.length > MOST) this.#list.lastElementChild!.remove();
    if (scrollTop > 0) this.#list.scrollTop = scrollTop + this.#list.scrollHeight - scrollHeight;
  }
}

/** The part of a sample that is shown. It ends with a line or, if lines are long, with a word. */
function beginning(text: string): string {
  if (text.length <= SHOWN) return text.trimEnd();
  const ends = ['\n', ' '].map((end) => text.lastIndexOf(end, SHOWN)).find((at) => at > SHOWN / 2);
  return text.slice(0, ends ?? SHOWN).trimEnd();
}
