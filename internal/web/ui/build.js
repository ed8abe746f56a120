// Puts the page together: node build.js [FOLDER]
import { build } from "esbuild";
import { copyFile, mkdir } from "node:fs/promises";

const out = process.argv[2] ?? "../dist";
await mkdir(out, { recursive: true });
await build({
  entryPoints: ["src/main.js", "src/style.css"],
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "linked",
  logLevel: "warning",
});
await copyFile("src/index.html", `${out}/index.html`);
