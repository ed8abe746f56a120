// Drives the page in Chromium: node page.js ADDRESS-THAT-DRIVES ADDRESS-THAT-WATCHES ADDRESS-WITHOUT-NPM FOLDER
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [drives, watches, plain, folder] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const problems = [];

async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  await page.addInitScript(() => { // so that a test can cut the connections
    window.sockets = [];
    window.WebSocket = class extends WebSocket { constructor(...a) { super(...a); window.sockets.push(this); } };
  });
  page.on("console", m => { if (m.type() === "error") problems.push(m.text()); }); // a breach of the policy is one
  page.on("pageerror", e => problems.push(String(e)));
  await page.goto(address);
  const screen = name => page.locator(`section[aria-label="${name}"] .xterm-rows`);
  return {
    page, context,
    button: name => page.getByRole("toolbar").getByRole("button", { name: new RegExp(`^${name}`) }),
    state: text => page.locator(".toolbar output").filter({ hasText: text }).waitFor(),
    gutter: line => page.getByRole("button", { name: `breakpoint at line ${line}`, exact: true }),
    current: line => page.locator(`.row[aria-current="true"]:has(button[aria-label="breakpoint at line ${line}"])`).waitFor(),
    variable: (name, value) => page.locator(".variables tr").filter({ has: page.locator(`th:text-is("${name}")`) }).filter({ has: page.locator(`td:text-is("${value}")`) }),
    shows: (name, text) => screen(name).filter({ hasText: text }).waitFor(),
    async type(name, text) {
      await page.locator(`section[aria-label="${name}"] .xterm-screen`).click();
      await page.keyboard.type(text);
      await page.keyboard.press("Enter");
    },
    async look(name, text) { // at what only the console tells
      const part = page.locator(`section[aria-label="${name}"]`);
      await part.getByRole("button", { name: "look" }).click();
      await part.locator("pre").filter({ hasText: text }).waitFor();
    },
    shot: file => page.screenshot({ path: `${folder}/${file}.png` }),
  };
}

let at = "";
async function step(name, does) {
  at = name;
  const begin = performance.now();
  await does();
  console.log(`${name}: ${Math.round(performance.now() - begin)} ms`);
}

let one, two, watcher;
try {
  await step("open the page after gdb runs", async () => {
    one = await open(drives);
    await one.state("not started");
    await one.gutter(6).waitFor(); // the source of main
    await one.shows("console", "(gdb)");
    assert.equal(await one.page.evaluate(() => location.href.includes("right")), false, "the token is in the address");
    assert.equal(await one.button("continue").isDisabled(), true);
  });
  await step("a breakpoint by click", async () => {
    await one.gutter(6).click();
    await one.page.locator('.row button[aria-pressed="true"]').waitFor();
    assert.equal(await one.gutter(6).getAttribute("aria-pressed"), "true");
  });
  await step("run, and stop there", async () => {
    await one.button("run").click();
    await one.state("stopped at prog.c:6");
    await one.current(6);
    await one.variable("n", "1").waitFor();
    await one.page.locator(".stack li").filter({ hasText: "main" }).waitFor();
    await one.shot("stopped");
  });
  await step("a step changes a variable", async () => {
    await one.button("next").click();
    await one.current(7);
    await one.variable("result", "2").waitFor();
    await one.page.locator(".variables tr.changed").filter({ hasText: "result" }).waitFor();
  });
  await step("a frame further up", async () => {
    await one.page.locator(".stack li button").nth(1).click();
    await one.variable("sum", "0").waitFor();
    await one.current(15);
    await one.page.locator(".stack li button").nth(0).click();
    await one.variable("result", "2").waitFor();
  });
  await step("a second page and a watcher agree", async () => {
    two = await open(drives, { colorScheme: "dark" });
    await two.current(7);
    await two.variable("result", "2").waitFor();
    watcher = await open(watches);
    await watcher.current(7);
    await watcher.variable("result", "2").waitFor();
    for (const name of ["run", "continue", "next", "step", "finish", "interrupt"]) assert.equal(await watcher.button(name).isDisabled(), true, name);
    await two.shot("dark");
    await watcher.shot("watcher");
  });
  await step("the console and the pages stay in step", async () => {
    await one.type("console", "finish");
    for (const p of [one, two, watcher]) await p.state("stopped at prog.c:15");
    await one.type("console", "set var sum = 40");
    await one.variable("sum", "40").waitFor();
    await two.gutter(6).click(); // deletes it
    for (const p of [one, two, watcher]) await p.page.locator(".breakpoints").filter({ hasNotText: "prog.c:6" }).waitFor();
    assert.equal(await one.gutter(6).getAttribute("aria-pressed"), "false");
    await one.type("console", "break 20");
    for (const p of [one, two, watcher]) await p.page.locator(".breakpoints").filter({ hasText: "prog.c:20" }).waitFor();
  });
  await step("the program's question, answered in its terminal", async () => {
    await one.page.keyboard.press("Control+."); // leaves the terminal
    await one.page.keyboard.press("F5");
    await one.state("running");
    await one.shows("program", "name?");
    await one.type("program", "Ada");
    await one.state("stopped at prog.c:20");
    await two.shows("program", "name? Ada");
  });
  await step("an endless loop, interrupted", async () => {
    await one.button("continue").click();
    await one.shows("program", "hello Ada");
    await one.state("running");
    await one.button("interrupt").click();
    for (const p of [one, two, watcher]) await p.state("stopped");
  });
  await step("a reload in mid-run", async () => {
    await one.button("continue").click();
    await two.state("running");
    await one.page.reload();
    await one.state("running");
    await one.shows("program", "hello Ada");
    await one.shot("running");
    await one.page.locator('section[aria-label="console"] .xterm-screen').click();
    await one.page.keyboard.press("Control+c"); // a person's interrupt, at the console
    for (const p of [one, two]) await p.state("stopped");
  });
  await step("connections that break come back", async () => {
    await one.page.evaluate(() => window.sockets.forEach(s => s.close()));
    await one.state("reconnecting");
    await one.state("stopped");
    await one.type("console", "print 6*7");
    await one.shows("console", "= 42");
    await two.shows("console", "= 42");
  });
  await step("a flood, and ctrl-c", async () => {
    await one.page.getByRole("button", { name: "noise", exact: true }).click();
    await one.shows("noise", "ready?");
    await one.page.locator(".terminal .xterm-screen").click();
    await one.page.keyboard.press("Enter");
    await one.shows("noise", "yyyyy"); // a line each
    await one.page.keyboard.press("Control+c");
    await one.shows("noise", "that was all");
    await one.type("noise", "calm again");
    await one.shows("noise", "calm again");
    await one.page.getByRole("button", { name: "fit", exact: true }).click();
    await one.page.locator(".xterm-rows > div").nth(30).waitFor({ state: "attached" });
    await one.shot("terminal");
  });
  await step("a debugger without a machine interface", async () => {
    await one.page.getByRole("button", { name: "script", exact: true }).click();
    await one.current(1);
    await one.gutter(3).click();
    await one.page.locator(".breakpoints").filter({ hasText: "script.py:3" }).waitFor();
    await one.button("next").click();
    await one.current(2);
    await one.button("continue").click();
    await one.current(3);
    await one.look("variables", "'n': 42");
    await one.button("next").click();
    await one.shows("program", "42");
    await one.shot("pdb");
  });
  // The others: a breakpoint by click, run to it, look at what is said of it, take it away.
  for (const { name, file, first, line, start, looks } of [
    { name: "perl", file: "prog.pl", line: 3, start: "continue", looks: { stack: "" } },
    { name: "node", file: "prog.js", line: 3, start: "continue", looks: { stack: "prog.js:3" } },
    { name: "lldb", file: "prog.c", first: "breakpoint set --name main", line: 6, start: "run", looks: { stack: "twice", variables: "n = 1" } },
    { name: "dlv", file: "prog.go", first: "break main.main", line: 5, start: "run", looks: { stack: "main.main" } },
    { name: "jdb", file: "Prog.java", first: "stop at Prog:3", line: 5, start: "run", looks: { stack: "Prog.main", variables: "n = 42" } },
  ]) await step(`a breakpoint by click in ${name}`, async () => {
    await one.page.getByRole("button", { name, exact: true }).click();
    const list = one.page.locator(".breakpoints"), mark = one.page.locator(".source h2").filter({ hasText: file });
    if (first) { // nothing has named a source file yet
      await one.shows("console", /\(\w+\)|>/);
      await one.type("console", first);
      await list.getByRole("button", { name: new RegExp(file) }).click();
    }
    await mark.waitFor();
    await one.gutter(line).click();
    await list.filter({ hasText: `${file}:${line}` }).waitFor();
    await one.button(start).click();
    if (first) {
      await one.state("stopped");
      await one.button("continue").click();
    }
    await one.current(line);
    for (const [pane, text] of Object.entries(looks)) await one.look(pane, text);
    await one.gutter(line).click();
    await list.filter({ hasNotText: `${file}:${line}` }).waitFor();
    await one.shot(name);
  });
  await step("the page that is there without npm", async () => {
    const { page, context } = await open(plain);
    const shows = text => page.locator("#screen").filter({ hasText: text }).waitFor();
    await page.getByRole("button", { name: "prog", exact: true }).click();
    await shows("(gdb)");
    await page.keyboard.type("print 6*70");
    await page.keyboard.press("Enter");
    await shows("= 420");
    await page.screenshot({ path: `${folder}/plain.png` });
    await context.close();
  });
  assert.deepEqual(problems, []);
} catch (e) {
  console.error(`at: ${at}\n${e.stack}`);
  console.error(problems.join("\n"));
  for (const [name, p] of Object.entries({ one, two, watcher })) {
    if (!p) continue;
    await p.shot(`failed-${name}`).catch(() => {});
    console.error(`${name} shows:\n${await p.page.locator("body").innerText().catch(() => "nothing")}`);
  }
  process.exitCode = 1;
} finally {
  await browser.close();
}
