/** The element of an id; the page is ours, so one that is missing is a mistake of ours. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element '${id}'`);
  return element as T;
}

/** Fills a choice with options, keeping what is chosen where it is still among them. */
export function setOptions(
  select: HTMLSelectElement,
  options: readonly (readonly [value: string, label: string])[],
): void {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Hands the reader a file. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser has taken the address by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
