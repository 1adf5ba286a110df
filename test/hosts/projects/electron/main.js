// The main process and a renderer with Node require the package. A renderer without Node loads it like a page.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { app, BrowserWindow } = require('electron');
const tapeloop = require('tapeloop');
const data = require('tapeloop/data');
const { train } = require('./training.cjs');

const rendered = (page, webPreferences) =>
  new Promise((resolve) => {
    const window = new BrowserWindow({ show: false, webPreferences });
    window.webContents.once('page-title-updated', (_, title) => resolve(JSON.parse(title)));
    window.loadFile(join(__dirname, page));
  });

app.whenReady().then(async () => {
  const results = {
    main: await train(tapeloop, data),
    node: await rendered('node.html', { nodeIntegration: true, contextIsolation: false }),
    page: await rendered('page.html', {}),
  };
  writeFileSync('result.json', JSON.stringify(results));
  app.exit();
});
