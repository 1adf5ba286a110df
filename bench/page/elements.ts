type Properties<K extends keyof HTMLElementTagNameMap> = Partial<Omit<HTMLElementTagNameMap[K], 'style'>> & {
  /** Custom properties and others of the style, by name. */
  style?: Record<string, string>;
};

/** A new element with properties and children. Texts are never read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  { style = {}, ...properties }: Properties<K> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  Object.assign(made, properties);
  for (const [property, value] of Object.entries(style)) made.style.setProperty(property, value);
  made.append(...children);
  return made;
}

/** A part of the page with a heading and a line that says how to read it. */
export const section = (title: string, lead: string, ...children: Node[]): HTMLElement =>
  element('section', {}, element('h2', {}, title), element('p', { className: 'lead' }, lead), ...children);

let choices = 0;

/** A labelled choice. `onChange` gets the number of the chosen option. */
export function choice(label: string, options: readonly string[], chosen: number, onChange: (i: number) => void): Node {
  const id = `choice-${choices++}`;
  const select = element('select', { id }, ...options.map((text) => element('option', {}, text)));
  select.selectedIndex = chosen;
  select.addEventListener('change', () => onChange(select.selectedIndex));
  return element('p', { className: 'choice' }, element('label', { htmlFor: id }, label), select);
}

/** A box around what may be wider than the page. It can be scrolled by keys. */
export const scrollable = (label: string, child: Node): HTMLElement =>
  element('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: label }, child);

/** The name of a workload, which may break after each `/`. */
export const breakable = (id: string): (Node | string)[] =>
  id.split('/').flatMap((part, i) => (i === 0 ? [part] : ['/', element('wbr'), part]));
