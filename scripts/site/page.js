// Makes boxes that scroll sideways reachable by keyboard. Boxes that do not scroll are not in the tab order.
const scrolls = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute('tabindex');
  }
});
for (const box of document.querySelectorAll('.table-box, .col-content pre, .tsd-signature')) scrolls.observe(box);

// Typedoc opens the menu of narrow windows only by pointer. A press anywhere outside closes the menu.
const menu = document.getElementById('tsd-toolbar-menu-trigger');
const press = (element, ...types) => {
  for (const type of types) element.dispatchEvent(new MouseEvent(type, { bubbles: true }));
};
const isOpen = () => document.documentElement.classList.contains('has-menu');
menu?.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' && event.key !== ' ') return;
  event.preventDefault();
  press(menu, 'mouseup');
  document.querySelector('.col-sidebar :is(a, summary, select)')?.focus();
});
addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape' || !isOpen()) return;
  press(document.body, 'mousedown', 'mouseup');
  menu?.focus();
});
