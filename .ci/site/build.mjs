// Runs Eleventy over docs, then indexes what it has written with Pagefind.
import { cp } from "node:fs/promises";
import Eleventy from "@11ty/eleventy";
import * as pagefind from "pagefind";

const out = process.argv[2];
const site = new Eleventy("docs", out, { configPath: "eleventy.config.mjs", quietMode: true });
await site.write();
for (const name of ["style.css", "site.js"]) {
  await cp(name, `${out}/${name}`);
}

const { index, errors } = await pagefind.createIndex();
const added = index ? await index.addDirectory({ path: out }) : { errors };
const written = index ? await index.writeFiles({ outputPath: `${out}/pagefind` }) : { errors: [] };
await pagefind.close();
const failed = [...errors, ...added.errors, ...written.errors];
if (failed.length > 0) {
  throw new Error(failed.join("\n"));
}
console.log(`${added.page_count} pages with search in ${out}`);
