/** The files of the page that runs the suite, in the folder `bench` of the package. */
export const PAGE_FILES = ['index.html', 'page.js', 'suite-worker.js', 'report.js', 'report.css'];
