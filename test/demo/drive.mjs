// A script for pages that no driver can control. It uses the page like a visitor and posts what happened.
const keepsNothing = new URL(import.meta.url).searchParams.has('nothing-kept');
// Denied, it may not even be asked for.
const earlier = keepsNothing ? null : JSON.parse(sessionStorage.getItem('earlier'));
const complaints = earlier?.complaints ?? [];
for (const name of ['error', 'warn']) console[name] = (...words) => complaints.push(words.join(' '));
addEventListener('error', ({ message }) => complaints.push(message));
addEventListener('unhandledrejection', ({ reason }) => complaints.push(String(reason)));

const $ = (id) => document.getElementById(id);
const number = (id) => Number($(id).textContent.replaceAll(',', ''));
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(what, isSo) {
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() > start + 60_000)
      throw new Error(`${what} did not come: ${$('status').textContent} ${$('problem').textContent}`);
    await later(20);
  }
}

function choose(id, value) {
  $(id).value = value;
  for (const type of ['input', 'change']) $(id).dispatchEvent(new Event(type, { bubbles: true }));
}

const shows = (id, words) => !$(id).hidden && $(id).textContent.includes(words);

async function train() {
  await until('Start', () => !$('run').disabled);
  choose('source', 'brackets');
  choose('hidden', '32');
  choose('threads', '2');
  $('run').click();
  await until('learning', () => number('validation') < 2.1);
}

/** How many bytes a button gives to download. */
async function savedBy(button) {
  const { createObjectURL } = URL;
  const blob = new Promise((resolve) => {
    URL.createObjectURL = (given) => {
      resolve(given);
      return createObjectURL(given);
    };
  });
  button.click();
  return (await blob).size;
}

/** Trains, looks into the network, compares, pauses; then the page is loaded again. */
async function firstVisit() {
  await train();
  const seen = { status: $('status').textContent, sample: $('samples').querySelector('pre').textContent };
  await until('the heat map', () => $('map').getAttribute('aria-label').startsWith('Heat map of c: 32 units'));
  $('compare').click();
  await until('the comparison', () => /^(Step [1-9]|Done)/.test($('compare-status').textContent));
  $('compare').click();
  $('run').click();
  await until('the pause', () => $('run').textContent === 'Resume');
  await until('the save', () => shows('storage', 'Kept in this browser'));
  seen.step = number('step');
  sessionStorage.setItem('earlier', JSON.stringify({ ...seen, complaints }));
  location.reload();
}

async function secondVisit() {
  const seen = earlier;
  await until('the network of before', () => !$('earlier').hidden);
  $('run').click();
  await until('the question', () => $('loss-dialog').open);
  seen.question = $('loss-text').textContent;
  $('loss-dialog').querySelector('[value=stay]').click();
  await until('the answer', () => !$('loss-dialog').open);
  $('restore').click();
  await until('more steps', () => number('step') > seen.step + 20);
  seen.fits = document.documentElement.scrollWidth <= innerWidth;
  return { ...seen, complaints };
}

/** Trains where nothing can be kept, and pauses, when it would be. */
async function withoutStorage() {
  await train();
  const step = number('step');
  $('run').click();
  await until('the pause', () => $('run').textContent === 'Resume');
  await until('a word on storage', () => !$('storage').hidden);
  const storage = $('storage').textContent;
  $('run').click();
  await until('more steps', () => number('step') > step + 20);
  return { storage, problem: !$('problem').hidden, file: await savedBy($('save')) };
}

const visit = keepsNothing ? withoutStorage : earlier ? secondVisit : firstVisit;
const result = await visit().catch(({ message }) => ({ error: message }));
if (result) await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
