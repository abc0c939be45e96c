/**
 * Bundles the front end: `node build.mjs OUTDIR`.
 *
 * Each entry becomes one file without imports, because an anywidget sends its module as one string. A style sheet
 * stands beside each script, under the same name. The worker of published pages and onnxruntime's program, gzipped, are
 * fetched by a page only when an explorable first computes.
 */
import { build } from "esbuild";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
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
    { in: "src/engine/worker.js", out: "worker" },
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
  // onnxruntime looks for Node's modules where it runs in Node.
  external: ["node:*"],
});
const program = await readFile(`${import.meta.dirname}/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm`);
const files = [...result.outputFiles, { path: `${outdir}/onnxruntime.wasm.gz`, contents: gzipSync(program, { level: 9 }) }];

await mkdir(outdir, { recursive: true });
for (const file of files) {
  await writeFile(file.path, file.contents);
  const name = file.path.split(/[\\/]/).at(-1);
  const kilobytes = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1).padStart(6);
  console.log(
    `${name?.padEnd(20)} ${kilobytes(file.contents.length)} kB, gzipped ${kilobytes(gzipSync(file.contents).length)} kB`,
  );
}
