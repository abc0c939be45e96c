/**
 * Bundles the front end: `node build.mjs OUTDIR`.
 *
 * Each entry becomes one file without imports, because an anywidget sends its module as one string. A style sheet
 * stands beside each script, under the same name.
 */
import { build } from "esbuild";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const outdir = process.argv[2];
if (!outdir) {
  console.error("build.mjs: OUTDIR is missing; usage: node build.mjs OUTDIR");
  process.exit(2);
}

// An explorable is a folder: explorables/NAME/index.js and index.css become NAME.js and NAME.css.
const explorables = await readdir(`${import.meta.dirname}/src/explorables`);

const result = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: [
    ...explorables.flatMap((name) =>
      ["js", "css"].map((suffix) => ({ in: `src/explorables/${name}/index.${suffix}`, out: name })),
    ),
    { in: "src/host/host.js", out: "host" },
    { in: "src/host/host.css", out: "host" },
  ],
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome109", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  write: false,
});

await mkdir(outdir, { recursive: true });
for (const file of result.outputFiles) {
  await writeFile(file.path, file.contents);
  const name = file.path.split(/[\\/]/).at(-1);
  const kilobytes = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1).padStart(6);
  console.log(
    `${name?.padEnd(18)} ${kilobytes(file.contents.length)} kB, gzipped ${kilobytes(gzipSync(file.contents).length)} kB`,
  );
}
