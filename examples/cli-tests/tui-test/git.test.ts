import { test, expect } from "@microsoft/tui-test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

const cwd = mkdtempSync(`${tmpdir()}/git`);
const git = (...args: string[]) => execFileSync("git", args, { cwd, encoding: "utf8", env: { ...process.env, HOME: cwd } });
git("init", "-q");
writeFileSync(`${cwd}/a.txt`, "first\n2\nlast\n");
git("add", "a.txt");
writeFileSync(`${cwd}/a.txt`, "FIRST\n2\nLAST\n");
test.use({ program: { file: "git", args: ["-C", cwd, "add", "-p"] } });

test("of two changes one is staged", async ({ terminal }) => {
  const exit = new Promise((resolve) => terminal.onExit(resolve));
  await expect(terminal.getByText("(1/1) Stage this hunk")).toBeVisible();
  terminal.submit("s");
  await expect(terminal.getByText("(1/2) Stage this hunk")).toBeVisible();
  terminal.submit("y");
  await expect(terminal.getByText("(2/2) Stage this hunk")).toBeVisible();
  terminal.submit("n");
  expect(await exit).toMatchObject({ exitCode: 0 });
  expect(git("show", ":a.txt")).toBe("FIRST\n2\nlast\n");
});
