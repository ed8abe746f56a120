import { test, expect } from "@microsoft/tui-test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

const file = `${mkdtempSync(`${tmpdir()}/vim`)}/a.txt`;
writeFileSync(file, "");
test.use({ program: { file: "vim", args: ["-N", "-u", "NONE", "-i", "NONE", "-n", file] }, rows: 5, columns: 30 });

test("a word is typed, shown, and saved", async ({ terminal }) => {
  terminal.write("ihello");
  await expect(terminal.getByText("hello")).toBeVisible();
  await expect(terminal.getByText("-- INSERT --")).toBeVisible();
  await expect(terminal).toMatchSnapshot();
  expect(terminal.getCursor()).toMatchObject({ x: 5, y: 0 });
  const exit = new Promise((resolve) => terminal.onExit(resolve));
  terminal.keyEscape();
  terminal.submit(":x");
  expect(await exit).toMatchObject({ exitCode: 0 });
  expect(readFileSync(file, "utf8")).toBe("hello\n");
});
