// The theme of the page: the reader's choice, or else that of the system.
import { element } from './elements.ts';

const system = matchMedia('(prefers-color-scheme: dark)');
/** Each redraws something, and returns whether it is still on the page. */
const listeners = new Set<() => boolean>();

const tell = (): void => {
  for (const listener of listeners) if (!listener()) listeners.delete(listener);
};
system.addEventListener('change', tell);

/** Calls `listener` when colours change, until it returns false. */
export const onThemeChange = (listener: () => boolean): unknown => listeners.add(listener);

const isDark = (): boolean => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : system.matches;
};

/** A button that changes between light and dark. */
export function themeButton(): HTMLButtonElement {
  const button = element('button', { type: 'button', className: 'theme' });
  const name = (): boolean => {
    button.textContent = isDark() ? 'Light theme' : 'Dark theme';
    return button.isConnected;
  };
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    tell();
  });
  name();
  onThemeChange(name);
  return button;
}

/** A colour of the style sheet as the theme has it, for drawing on a canvas. */
export function colour(name: string): string {
  const probe = element('span', { style: { color: `var(--${name})` } });
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
